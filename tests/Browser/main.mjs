// Runs the scenarios against a server that a test has started, all in one browser, and tells of each in a line of JSON.
// Usage: node main.mjs SETTINGS, where SETTINGS is JSON: {server, key, chromium, recording, talkLink, ultravoxAgent, livekitAgent}
import { launch, openTab, servePages } from './chromium.mjs';
import { Network } from './network.mjs';
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

const pages = await servePages({
  'ultravox-oldest': { entry: 'ultravox', livekit: 'livekit-client-oldest' },
  'livekit-oldest': { entry: 'livekit', livekit: 'livekit-client-oldest' },
  'livekit-newest': { entry: 'livekit', livekit: 'livekit-client' },
  'ultravox-newest': { entry: 'ultravox', livekit: 'livekit-client' },
});
const browser = await launch(settings.chromium, settings.recording);

const scenarios = {
  talk: (tab) => talk(tab, settings),
  'ultravox-oldest': async (tab) => ultravox(tab, { call: await callOf(settings.ultravoxAgent), page: pages.url('ultravox-oldest') }),
  'livekit-oldest': async (tab) => livekit(tab, { details: await detailsOf(settings.livekitAgent), server, page: pages.url('livekit-oldest') }),
  'livekit-newest': async (tab) => livekit(tab, { details: await detailsOf(settings.livekitAgent), server, page: pages.url('livekit-newest') }),
  'livekit-network': async (tab, network) => livekitWithoutNetwork(tab, { network, details: await detailsOf(settings.livekitAgent), server, page: pages.url('livekit-newest') }),
  'ultravox-network': async (tab, network) => ultravoxWithoutNetwork(tab, { network, call: await callOf(settings.ultravoxAgent), page: pages.url('ultravox-newest') }),
};
const wanted = settings.only ?? Object.keys(scenarios);

async function run(name) {
  const began = Date.now();
  const network = name.endsWith('-network') ? await Network.open(server) : undefined;
  const tab = await openTab(browser, network);
  try {
    const found = await scenarios[name](tab, network);
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
