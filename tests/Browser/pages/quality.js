// A page on livekit-client that talks through another UDP address than the server names, sends the microphone as it is, and keeps what it hears, sample by sample.
import { Room, RoomEvent } from 'livekit-client';

const query = new URLSearchParams(location.search);
const [relayAddress, relayPort] = [query.get('address'), query.get('port')];

const original = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (description) {
  return original.call(this, description?.sdp ? { type: description.type, sdp: relayed(description.sdp) } : description);
};

// Of each section's candidates one is left.
function relayed(sdp) {
  let isFirst = true;
  return sdp.split('\r\n').filter((line) => {
    if (line.startsWith('m=')) isFirst = true;
    if (!line.startsWith('a=candidate:')) return true;
    const taken = isFirst && line.includes(' udp ');
    if (taken) isFirst = false;
    return taken;
  }).map((line) => line.replace(/^(a=candidate:\S+ \S+ udp \S+) \S+ \S+/, `$1 ${relayAddress} ${relayPort}`)).join('\r\n');
}

window.events = [];
window.messages = [];
window.lines = () => window.messages.filter((message) => message.type === 'transcript' && message.final);

// A heart that beats each 5 ms beside the page: where it stood still, so did the rest of the browser.
const heart = new Worker(URL.createObjectURL(new Blob([`
  let last = performance.now();
  let worst = 0;
  setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - 5);
    last = now;
  }, 5);
  onmessage = () => { postMessage(worst); worst = 0; };
`])));
window.stalled = () => new Promise((resolve) => {
  heart.onmessage = (message) => resolve(message.data);
  heart.postMessage('');
});

const rateHz = 48_000;
const heard = [];
async function keep(track) {
  // Room for a minute, whenever this comes to read it.
  const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 6_000 }).readable.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    if (value.sampleRate !== rateHz) throw new Error(`sound of ${value.sampleRate} Hz`);
    const samples = new Float32Array(value.numberOfFrames);
    value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
    heard.push(samples);
    value.close();
  }
}
/** 16 bits, 48 kHz, in base64. */
window.heardSound = () => {
  const pcm = Int16Array.from(heard.flatMap((samples) => [...samples]), (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))));
  const bytes = new Uint8Array(pcm.buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
};

// What the browser does to the microphone: clients have all of it on where nobody says otherwise.
const processing = query.get('processing').split(' ');
const room = new Room({ audioCaptureDefaults: Object.fromEntries(['echoCancellation', 'noiseSuppression', 'autoGainControl'].map((name) => [name, processing.includes(name)])) });
for (const name of Object.values(RoomEvent)) {
  room.on(name, (...values) => window.events.push([name, ...values.filter((value) => ['string', 'number', 'boolean'].includes(typeof value))]));
}
room.on(RoomEvent.DataReceived, (payload) => window.messages.push(JSON.parse(new TextDecoder().decode(payload))));
room.on(RoomEvent.TrackSubscribed, (track) => {
  keep(track.mediaStreamTrack);
  document.body.append(track.attach());
});
window.room = room;
window.enter = async (url, token) => {
  await room.connect(url, token);
  await room.localParticipant.setMicrophoneEnabled(true);
};
