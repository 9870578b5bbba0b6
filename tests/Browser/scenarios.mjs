// What people do with a call. Each scenario gives what the server is asked about afterwards.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** The person says "go forward ten meters"; on a busy machine the recognizer may take some of it for something else, and the person says it again. */
const spoken = 'forward';
/** How long a network is gone: what a call survives is longer. */
const outage = 12_000;
/** Of a voice at a usual level; silence and the noise of a codec are thousands of times below. */
const voiceEnergy = 0.0005;

/** The server's own page, from the link to the agent's goodbye. */
export async function talk(tab, { talkLink }) {
  const { page } = tab;
  const line = (speaker, text) => tab.until(`${speaker} says "${text}"`,
    ([who, words]) => [...document.querySelectorAll(`li[data-speaker=${who}][data-final=true]`)].some((item) => item.textContent.includes(words)), [speaker, text]);
  const state = (...names) => tab.until(`state ${names}`, (wanted) => wanted.includes(document.getElementById('state').dataset.state), names);
  const say = async (text) => {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
  };
  const lines = () => page.$$eval('li', (items) => items.map((item) => `${item.dataset.speaker}: ${item.textContent}`));

  await page.goto(talkLink);
  assert.ok(!page.url().includes('token'), 'the token stays in the address bar');
  await page.click('#start');

  await line('agent', 'Hello');
  await tab.until('the greeting is heard', async (least) => (await window.heard()).energy > least, voiceEnergy);
  await line('user', spoken);

  // The agent tells a story, which the recording interrupts when it begins anew.
  await tab.until('the story begins', () => [...document.querySelectorAll('li[data-speaker=agent]')].some((item) => item.textContent.includes('Once upon a time')));
  await line('agent', 'All right');
  const story = (await lines()).find((text) => text.startsWith('agent: Once upon a time'));
  assert.ok(!story.includes('happily ever after'), `the whole story was told: ${story}`);
  assert.match(await page.textContent('#latency'), /^\d+\.\d\d s$/);

  await page.click('#mic');
  assert.equal(await page.getAttribute('#mic', 'aria-pressed'), 'true');
  await state('listening');
  await tab.untilMuted();
  const muted = await tab.heard();

  await say('What time is it?');
  await line('tool', 'getLocalTime');
  await line('agent', 'Your browser says');
  assert.match((await lines()).at(-1), /^agent: Your browser says \d+:\d\d [AP]M/);

  await state('listening');
  await tab.untilQuiet();
  await page.click('#medium');
  const before = await tab.heard();
  await say('Please write it down.');
  await line('agent', 'In writing');
  await tab.until('half a second of silence', async (seconds) => (await window.heard()).seconds > seconds, before.seconds + 0.5);
  const silent = (await tab.heard()).energy - before.energy;
  assert.ok(silent < voiceEnergy / 10, `an answer in text sounds: ${silent}`);
  await page.click('#medium');

  const known = (await lines()).length;
  assert.ok((await tab.heard()).spoken - muted.spoken < voiceEnergy / 10, 'a muted microphone was heard');
  await page.reload();
  await state('listening', 'speaking', 'thinking');
  await page.click('#mic');
  assert.ok((await lines()).length >= known, 'the transcript of before the reload is lost');
  await state('listening');
  await say('Are you still there?');
  await line('agent', 'Still here');
  await tab.until('sound after the reload', async (least) => (await window.heard()).energy > least, voiceEnergy);

  const callId = await page.evaluate(() => JSON.parse(Object.entries(sessionStorage).find(([name]) => name.endsWith('/call'))[1]).started.callId);
  await say('Goodbye then.');
  await state('ended');
  assert.equal(await page.textContent('#problem'), 'The agent hung up.');
  await tab.until('start is offered again', () => !document.getElementById('start').hidden);
  return { callId };
}

/** ultravox-client with another version of what it stands on. */
export async function ultravox(tab, { call, page: url }) {
  const { page } = tab;
  const line = (speaker, text) => tab.until(`${speaker} says "${text}"`,
    ([who, words]) => window.lines().find((said) => said.speaker === who && said.isFinal && said.text.includes(words)), [speaker, text]);
  await page.goto(url);
  await tab.until('the script is there', () => window.join !== undefined);
  await page.evaluate((joinUrl) => window.join(joinUrl), call.joinUrl);
  await line('agent', 'Hello');
  await tab.until('the greeting is heard', async (least) => (await window.heard()).energy > least, voiceEnergy);
  await line('user', spoken);
  await page.evaluate(() => window.session.muteMic());
  await tab.until('listening', () => window.session.status === 'listening');
  await tab.untilQuiet();

  await page.evaluate(() => window.session.sendText('Paint it blue.'));
  await tab.until('the tool is called', () => window.toolCalls.length > 0);
  assert.deepEqual(await page.evaluate(() => window.toolCalls), [{ colour: 'blue', coats: 2 }]);
  await line('agent', 'It says painted blue');

  await page.evaluate(() => window.answerInText());
  await page.evaluate((long) => window.session.sendText(`Please write it down. ${long}`), 'x'.repeat(2_000));      // too long for a data packet: it takes the join socket
  const written = await line('agent', 'In writing');
  assert.equal(written.medium, 'text');
  await page.evaluate(() => window.session.leaveCall());
  assert.equal(await page.evaluate(() => window.statuses.at(-1)), 'disconnected');
  return { callId: call.callId };
}

/** Nothing but livekit-client, with what connection-details gives. */
export async function livekit(tab, { details, server, page: url }) {
  const { page } = tab;
  const line = (role, text) => tab.until(`${role} says "${text}"`, ([who, words]) => window.lines().find((said) => said.role === who && said.text?.includes(words)), [role, text]);
  await page.goto(url);
  await tab.until('the script is there', () => window.enter !== undefined);
  await page.evaluate(([serverUrl, token]) => window.enter(serverUrl, token), [details.server_url, details.participant_token]);

  const order = ['signalConnected', 'connected', 'trackSubscribed', 'localTrackPublished'];
  const events = await tab.until('connected and published', (names) => names.every((name) => window.events.some(([event]) => event === name)) && window.events.map(([event]) => event), order);
  assert.ok(events.indexOf('signalConnected') < events.indexOf('connected'), `${events}`);
  assert.equal(await page.evaluate(() => window.room.remoteParticipants.size), 1);
  await line('agent', 'Hello');
  await tab.until('the greeting is heard', async (least) => (await window.heard()).energy > least, voiceEnergy);
  const said = await line('user', spoken);
  assert.equal(said.from, await page.evaluate(() => [...window.room.remoteParticipants.values()][0].identity));
  assert.ok((await tab.heard()).sent > 50);
  await page.evaluate(() => window.room.localParticipant.setMicrophoneEnabled(false));

  await page.evaluate(() => window.send({ type: 'ping', timestamp: 1.5 }));
  await tab.until('pong', () => window.messages.find((message) => message.type === 'pong' && message.timestamp === 1.5));
  await page.evaluate(() => window.send({ type: 'user_text_message', text: 'Are you still there?' }));
  await line('agent', 'Still here');

  await page.evaluate(() => window.agentTrack().setSubscribed(false));
  await tab.until('unsubscribed', () => window.events.some(([event]) => event === 'trackUnsubscribed'));
  await page.evaluate(() => window.agentTrack().setSubscribed(true));
  await tab.until('subscribed again', () => window.events.filter(([event]) => event === 'trackSubscribed').length === 2);

  await page.reload();
  await tab.until('the script is there again', () => window.enter !== undefined);
  await page.evaluate(([serverUrl, token]) => window.enter(serverUrl, token), [details.server_url, details.participant_token]);
  const started = await tab.until('the call after the reload', () => window.messages.find((message) => message.type === 'call_started'));
  assert.equal(started.callId, details.call_id);
  await tab.until('connected and published again', () => window.events.some(([event]) => event === 'localTrackPublished'));

  await endByToken(server, details);
  const disconnected = await tab.until('disconnected', () => window.events.find(([name]) => name === 'disconnected'));
  assert.ok([4, 5, 10].includes(disconnected[1]), `the client takes it for ${disconnected[1]}`);      // participant removed, room deleted, room closed
  return { callId: details.call_id };
}

/** The device moves to another network: its connections break, and its address is another one afterwards. */
export async function livekitWithoutNetwork(tab, { network, details, server, page: url }) {
  await tab.page.goto(url);
  await tab.until('the script is there', () => window.enter !== undefined);
  await tab.page.evaluate(([serverUrl, token]) => window.enter(serverUrl, token), [network.url(details.server_url), details.participant_token]);
  await tab.until('the agent greets', () => window.lines().length > 0);
  await tab.page.evaluate(() => window.send({ type: 'ping', timestamp: 1 }));         // livekit-client sends again what it said meanwhile only where something had come through before
  await tab.until('pong', () => window.messages.find((message) => message.type === 'pong'));
  const found = await survive(tab, network, () => network.takeAwayForAnother(), (text) => tab.page.evaluate((words) => window.send({ type: 'user_text_message', text: words }), text));
  await tab.until('signalling again', () => window.room.state === 'connected' && window.room.localParticipant.permissions !== undefined && !window.room.engine.client.isDisconnected);
  const events = await tab.page.evaluate(() => window.events.map(([name]) => name).filter((name) => /connect/i.test(name)));
  assert.ok(!events.includes('disconnected'), `${events}`);
  await endByToken(server, details);
  return { callId: details.call_id, events, ...found };
}

/** The device is out of reach for a while. The client gives up a call whose join socket ends, so that this one must survive, too. */
export async function ultravoxWithoutNetwork(tab, { network, call, page: url }) {
  await tab.page.goto(url);
  await tab.until('the script is there', () => window.join !== undefined);
  await tab.page.evaluate((joinUrl) => window.join(joinUrl), network.url(call.joinUrl));
  const found = await survive(tab, network, () => network.takeAway(), (text) => tab.page.evaluate((words) => window.session.sendText(words), text));
  const statuses = await tab.page.evaluate(() => window.statuses);
  assert.ok(!statuses.includes('disconnected'), `${statuses}`);
  await tab.page.evaluate(() => window.session.leaveCall());
  return { callId: call.callId, ...found };
}

/** The network is gone for a while, and the call goes on: what is said meanwhile arrives, and both are heard again. */
async function survive(tab, network, takeAway, say) {
  const count = ([who, words]) => window.lines().filter((said) => (said.role ?? said.speaker) === who && said.isFinal !== false && said.text?.includes(words)).length;
  await tab.until('the agent greets', count, ['agent', 'Hello']);
  await tab.until('the greeting is heard', async (least) => (await window.heard()).energy > least, voiceEnergy);

  takeAway();
  const before = { ...(await tab.heard()), times: await tab.page.evaluate(count, ['user', spoken]) };
  const saying = say('Are you still there?');
  await sleep(outage);
  const packets = (await tab.heard()).packets - before.packets;
  assert.ok(packets < 50, `${packets} packets came without a network`);
  const began = Date.now();
  network.giveBack();

  await saying;
  await tab.until('an answer', count, ['agent', 'Still here']);
  const seconds = (Date.now() - began) / 1000;
  await tab.until('sound after the outage', async (least) => (await window.heard()).energy > least, before.energy + voiceEnergy);
  for (const since = Date.now(); (await tab.page.evaluate(count, ['user', spoken])) <= before.times; await sleep(100)) assert.ok(Date.now() - since < 60_000, 'the person is not understood any more');
  return { answeredAfter: seconds };
}

async function endByToken(server, { call_id: callId, end_token: token }) {
  const ended = await fetch(`${server}/api/v1/calls/${callId}/end`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ end_token: token }),
  });
  assert.equal(ended.status, 200);
}
