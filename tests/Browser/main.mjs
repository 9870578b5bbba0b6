// Runs the scenarios against a server that a test has started, all in one browser, and tells of each in a line of JSON.
// Usage: node main.mjs SETTINGS, where SETTINGS is JSON: {server, key, chromium, recording, talkLink, ultravoxAgent, livekitAgent}; or, to measure sound,
// {server, key, chromium, recording, only: [names of calls], calls: {name: {agent, relay: {address, port}, processing: [...], seconds, words: [...]}}, folder}
import { launch, openTab, servePages } from './chromium.mjs';
import { Network } from './network.mjs';
import { quality } from './quality.mjs';
import { livekit, livekitWithoutNetwork, talk, ultravox, ultravoxWithoutNetwork } from './scenarios.mjs';

const settings = JSON.parse(process.argv[2]);
const { server, key } = settings;

async function post(path, headers, body) {
  const answer = await fetch(server + path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const callOf = (agent) => post(`/api/agents/${agent}/calls`, { 'X-API-Key': key }, { medium: { webRtc: {} } });
const detailsOf = (agent) => post('/api/v1/connection/connection-details', { Authorization: `Bearer ${key}` }, { agent_id: agent });

const scenarios = {
  talk: (tab) => talk(tab, settings),
  'ultravox-oldest': async (tab, page) => ultravox(tab, { call: await callOf(settings.ultravoxAgent), page }),
  'livekit-oldest': async (tab, page) => livekit(tab, { details: await detailsOf(settings.livekitAgent), server, page }),
  'livekit-newest': async (tab, page) => livekit(tab, { details: await detailsOf(settings.livekitAgent), server, page }),
  'livekit-network': async (tab, page, network) => livekitWithoutNetwork(tab, { network, details: await detailsOf(settings.livekitAgent), server, page }),
  'ultravox-network': async (tab, page, network) => ultravoxWithoutNetwork(tab, { network, call: await callOf(settings.ultravoxAgent), page }),
};
const clients = {
  'ultravox-oldest': { entry: 'ultravox', livekit: 'livekit-client-oldest' },
  'livekit-oldest': { entry: 'livekit', livekit: 'livekit-client-oldest' },
  'livekit-newest': { entry: 'livekit', livekit: 'livekit-client' },
  'livekit-network': { entry: 'livekit', livekit: 'livekit-client' },
  'ultravox-network': { entry: 'ultravox', livekit: 'livekit-client' },
};
for (const [name, call] of Object.entries(settings.calls ?? {})) {
  scenarios[name] = async (tab, page) => quality(tab, { ...call, details: await detailsOf(call.agent), server, page, folder: settings.folder, name });
  clients[name] = { entry: 'quality', livekit: 'livekit-client' };
}
const wanted = settings.only ?? Object.keys(scenarios);

const pages = await servePages(Object.fromEntries(Object.entries(clients).filter(([name]) => wanted.includes(name))));
const browser = await launch(settings.chromium, settings.recording);

async function run(name) {
  const began = Date.now();
  const network = name.endsWith('-network') ? await Network.open(server) : undefined;
  const tab = await openTab(browser, network);
  try {
    const found = await scenarios[name](tab, pages.url(name), network);
    console.log(JSON.stringify({ scenario: name, seconds: (Date.now() - began) / 1000, ...found }));
  } catch (error) {
    console.log(JSON.stringify({ scenario: name, error: `${error.stack}`, complaints: tab.complaints.slice(-20) }));
  } finally {
    await tab.close().catch(() => {});
    network?.close();
  }
}

// All at once would be more calls than two cores can listen to.
await Promise.all(wanted.filter((name) => !name.endsWith('-network')).map(run));
await Promise.all(wanted.filter((name) => name.endsWith('-network')).map(run));
await browser.close();
pages.close();
