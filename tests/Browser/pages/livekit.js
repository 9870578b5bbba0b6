// A page of somebody's own on nothing but livekit-client.
import { Room, RoomEvent } from 'livekit-client';

window.events = [];
window.messages = [];
window.speakers = 0;

const room = new Room();
for (const name of Object.values(RoomEvent)) {
  room.on(name, (...values) => window.events.push([name, ...values.filter((value) => ['string', 'number', 'boolean'].includes(typeof value))]));
}
room.on(RoomEvent.DataReceived, (payload, participant) => window.messages.push({ from: participant?.identity, ...JSON.parse(new TextDecoder().decode(payload)) }));
room.on(RoomEvent.TrackSubscribed, (track) => document.body.append(track.attach()));
room.on(RoomEvent.ActiveSpeakersChanged, (speakers) => (window.speakers += speakers.length));
window.room = room;
window.enter = async (url, token) => {
  await room.connect(url, token);
  await room.localParticipant.setMicrophoneEnabled(true);
};
window.agentTrack = () => [...room.remoteParticipants.values()].flatMap((participant) => [...participant.trackPublications.values()])[0];
window.send = (message) => room.localParticipant.publishData(new TextEncoder().encode(JSON.stringify(message)), { reliable: true });
window.lines = () => window.messages.filter((message) => message.type === 'transcript' && message.final);
