// Debian's Chromium with a recording as its microphone, and the pages of these tests.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const here = new URL('.', import.meta.url).pathname;

/** Starts the browser. Each page that opens the microphone hears the recording from its beginning, over and over. */
export function launch(executable, recording) {
  return chromium.launch({
    executablePath: executable,
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--disable-dev-shm-usage', '--autoplay-policy=no-user-gesture-required',
      '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${recording}`,
    ],
  });
}

/** Serves the pages, bundled with the clients that they name, on a port of its own. */
export async function servePages(pages) {
  const scripts = new Map(await Promise.all(Object.entries(pages).map(async ([name, page]) => [`/${name}.js`, await bundle(page)])));
  const server = createServer((request, response) => {
    const path = request.url.split('?')[0];
    const script = scripts.get(path);
    response.writeHead(200, { 'Content-Type': script ? 'text/javascript' : 'text/html; charset=utf-8' });
    response.end(script ?? `<!doctype html><title>Test</title><script type="module" src="${path}.js"></script>`);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: (name) => `http://127.0.0.1:${server.address().port}/${name}`, close: () => server.close() };
}

async function bundle({ entry, livekit }) {
  const result = await build({
    entryPoints: [`${here}pages/${entry}.js`], bundle: true, format: 'esm', target: 'es2022', write: false, logLevel: 'error', alias: { 'livekit-client': livekit },
  });
  return result.outputFiles[0].text;
}

/**
 * A tab in a browser profile of its own, which tells what its calls receive.
 * @param network Through which its media go; none is the machine's own.
 */
export async function openTab(browser, network) {
  const context = await browser.newContext({ permissions: ['microphone'] });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(`${error}`));
  if (network) await page.exposeFunction('throughNetwork', (sdp) => network.describe(sdp));
  await page.addInitScript(() => {
    const connections = [];
    const Original = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Original {
      constructor(...options) {
        super(...options);
        connections.push(this);
      }

      async setRemoteDescription({ type, sdp }) {
        return super.setRemoteDescription({ type, sdp: window.throughNetwork ? await window.throughNetwork(sdp) : sdp });
      }
    };
    // All audio so far: seconds, packets and energy that came in, packets sent, and what the microphone gave. Full scale for a second is an energy of 1.
    window.heard = async () => {
      const sum = { packets: 0, energy: 0, seconds: 0, sent: 0, spoken: 0 };
      for (const connection of connections) {
        if (connection.connectionState === 'closed') continue;
        for (const report of (await connection.getStats()).values()) {
          if (report.type === 'media-source' && report.kind === 'audio') sum.spoken += report.totalAudioEnergy ?? 0;
          if (report.type === 'outbound-rtp' && report.kind === 'audio') sum.sent += report.packetsSent;
          if (report.type !== 'inbound-rtp' || report.kind !== 'audio') continue;
          sum.packets += report.packetsReceived;
          sum.energy += report.totalAudioEnergy ?? 0;
          sum.seconds += report.totalSamplesDuration ?? 0;
        }
      }
      return sum;
    };
  });
  return new Tab(context, page, complaints);
}

class Tab {
  // Far beyond what anything takes: machines that test are busy.
  static patience = 60_000;

  constructor(context, page, complaints) {
    Object.assign(this, { context, page, complaints });
  }

  /** Waits until a function in the page gives something true, and gives it. (Playwright's own way evaluates text, which the page's policy forbids.) */
  async until(what, condition, argument) {
    let failure = '';
    for (const began = Date.now(); Date.now() - began < Tab.patience; await sleep(100)) {
      try {
        const found = await this.page.evaluate(condition, argument);
        if (found) return found;
      } catch (error) {
        failure = `${error.message}`.split('\n')[0];        // the page is being loaded
      }
    }
    throw new Error(`${what}: did not come about; ${failure}; the page shows ${JSON.stringify(await this.seen())}; it complains ${JSON.stringify(this.complaints.slice(-8))}`);
  }

  /** Waits until no sound comes any more. */
  untilQuiet() {
    return this.#untilStill('energy', 'seconds');
  }

  /** Waits until the microphone gives nothing any more: muting it takes the client a moment. */
  untilMuted() {
    return this.#untilStill('spoken');
  }

  /** Waits until an energy does not grow while something else does. */
  async #untilStill(energy, meanwhile) {
    for (let before = await this.heard(), began = Date.now(); Date.now() - began < Tab.patience; ) {
      await sleep(300);
      const now = await this.heard();
      if ((!meanwhile || now[meanwhile] > before[meanwhile]) && now[energy] - before[energy] < 1e-6) return;
      before = now;
    }
    throw new Error(`it does not get quiet: ${JSON.stringify(await this.seen())}`);
  }

  heard() {
    return this.page.evaluate(() => window.heard());
  }

  close() {
    return this.context.close();
  }

  seen() {
    return this.page
      .evaluate(async () => ({ heard: await window.heard(), text: document.body.innerText.slice(0, 600), lines: window.lines?.(), statuses: window.statuses, events: window.events?.slice(-25) }))
      .catch((error) => `${error}`);
  }
}
