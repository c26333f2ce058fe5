// The console as its people use it, against a real demo in a real browser. What counts is what is on the screen: pixels of
// the video that change, and not only the page's words.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { signIn, startBrowser, startDemo } from './demo.mjs';
import { contrast, difference, sample } from './pixels.mjs';
import { eventually } from './wait.mjs';

const SOON = 30_000;

let demo;
let browser;

before(async () => {
  demo = await startDemo(['--cameras', '4', '--quiet']);
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Opens a ground in the dialog that is on the page. */
async function openGround(page, { reference, reason }) {
  const field = page.getByTestId('ground-ref');
  await field.click();
  if (reference) await field.fill(reference);
  else await page.getByRole('option').first().click();
  await page.getByTestId('ground-reason').fill(reason);
  await page.getByTestId('ground-open').click();
  await page.getByTestId('ground-open').waitFor({ state: 'detached' });
}

/** Waits until a video shows a street that moves: its clock runs, its picture has contrast and changes. */
async function assertMoves(video, what) {
  const first = await eventually(`${what}: a picture with contrast`, SOON, async () => {
    const pixels = await sample(video);
    return pixels && contrast(pixels) > 10 && pixels;
  });
  const started = await video.evaluate((element) => element.currentTime);
  await eventually(`${what}: time runs`, SOON, () => video.evaluate((element, from) => element.currentTime > from + 1, started));
  await eventually(`${what}: the picture changes`, SOON, async () => difference(first, await sample(video)) > 0.5);
}

test('live video moves on the wall', async () => {
  const page = await signIn(browser, demo, 'operator');
  await page.goto(new URL('/wall?n=4', demo.facts.console).href);
  await page.getByTestId('need-ground').first().click();
  await openGround(page, { reference: 'REQ-2026-7', reason: 'a resident lost a bag at the crossing' });
  const videos = page.locator('[data-testid^="tile-"] video');
  await eventually('four tiles show video', SOON, async () => (await videos.count()) === 4);
  for (let index = 0; index < 4; index++) await assertMoves(videos.nth(index), `tile ${index + 1}`);
  assert.deepEqual(page.troubles, []);
  await page.context().close();
});

test('recorded video moves in playback', async () => {
  const page = await signIn(browser, demo, 'investigator', { language: 'zh' });
  await page.goto(new URL('/playback/river-crossing', demo.facts.console).href);
  await page.getByTestId('need-ground').first().click();
  await openGround(page, { reason: '核对滨河路口事故经过' });
  await page.getByTestId('timeline').waitFor();
  await assertMoves(page.locator('video').first(), 'playback');
  assert.deepEqual(page.troubles, []);
  await page.context().close();
});

test('a patrol round is walked and its coverage is proved', async () => {
  const page = await signIn(browser, demo, 'operator');
  await page.goto(new URL('/patrol', demo.facts.console).href);
  await page.getByTestId('patrol-start').first().click();
  await page.getByTestId('patrol-grid').waitFor();
  const pictures = page.getByTestId('patrol-grid').locator('img');
  await eventually('the patrol shows pictures', SOON, async () => (await pictures.count()) > 0);
  await eventually('a patrol picture has contrast', SOON, async () => {
    const pixels = await sample(pictures.first());
    return pixels && contrast(pixels) > 10;
  });
  await page.getByTestId('patrol-seen').and(page.locator(':enabled')).click({ timeout: SOON });
  await page.getByTestId('patrol-finish').click();
  await page.getByTestId('patrol-report').waitFor();
  const report = await page.getByTestId('patrol-report').innerText();
  assert.match(report, /100\s*%/, `all four cameras were seen:\n${report}`);
  assert.deepEqual(page.troubles, []);
  await page.context().close();
});

test('an alert comes up by itself within a second and is confirmed beside its picture', async () => {
  const page = await signIn(browser, demo, 'operator');
  await page.goto(new URL('/desk', demo.facts.console).href);
  await page.getByTestId('desk-which').waitFor();
  const row = page.locator('[data-state="candidate"]');
  assert.equal(await row.count(), 0, 'nothing is open yet');
  const [host, port] = demo.facts.mqtt.split(':');
  const pass = {
    id: 'walk-1',
    time: new Date().toISOString(),
    camera: 'river-crossing',
    plate: { raw: demo.facts.hotlisted },
  };
  const args = ['-h', host, '-p', port, '-q', '1', '-t', 'sightline/v1/pass/walk', '-m', JSON.stringify(pass)];
  assert.equal(spawnSync('mosquitto_pub', args).status, 0, 'mosquitto_pub is installed and publishes');
  await row.first().waitFor({ timeout: 1_000 });
  await row.first().click();
  const picture = page.getByTestId('alert-picture');
  await picture.waitFor({ timeout: SOON });
  await eventually('the picture beside the text has contrast', SOON, async () => {
    const pixels = await sample(picture);
    return pixels && contrast(pixels) > 10;
  });
  await page.getByTestId('alert-confirm').click();
  await page.getByTestId('alert-dispatch').waitFor({ timeout: SOON });
  assert.deepEqual(page.troubles, []);
  await page.context().close();
});
