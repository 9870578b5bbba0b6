// A call whose sound is measured: a known microphone, a known voice, and a network of the test's own between the browser and the server.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';

/** Speaks and listens until so many seconds of the microphone were sent, and most of the person's words came back. Gives what was heard. */
export async function quality(tab, { details, server, page: url, relay, processing, seconds, words, folder, name }) {
  const { page } = tab;
  await page.goto(`${url}?address=${relay.address}&port=${relay.port}&processing=${processing.join('+')}`);
  await tab.until('the script is there', () => window.enter !== undefined);
  await page.evaluate(([serverUrl, token]) => window.enter(serverUrl, token), [details.server_url, details.participant_token]);
  await page.evaluate(() => window.stalled());      // until now it had reason to
  await tab.until('the microphone is sent', async (packets) => (await window.heard()).sent > packets, seconds * 50);
  const said = await tab.until(`the user says "${words.join(' ')}"`, (wanted) => {
    const heard = window.lines().filter((line) => line.role === 'user' && line.text).map((line) => line.text);
    return heard.some((text) => wanted.filter((word) => text.split(' ').includes(word)).length > wanted.length / 2) && heard;
  }, words);

  const pcm = await page.evaluate(() => window.heardSound());
  const path = `${folder}/${name}-heard.pcm`;
  await writeFile(path, Buffer.from(pcm, 'base64'));
  const stalledMs = await page.evaluate(() => window.stalled());
  const ended = await fetch(`${server}/api/v1/calls/${details.call_id}/end`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ end_token: details.end_token }),
  });
  assert.equal(ended.status, 200);
  return { callId: details.call_id, heard: path, said, stalledMs };
}
