// `sightline demo` as a child process, and a browser to look at it with.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { eventually } from './wait.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

function binary() {
  const found = process.env.SIGHTLINE_BIN ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target'), 'debug/sightline');
  if (!existsSync(found)) throw new Error(`${found} is missing: run "cargo build -p sightline" first`);
  return found;
}

/** Starts a demo on free ports and waits until it is ready. */
export async function startDemo(options = []) {
  const dir = await mkdtemp(path.join(tmpdir(), 'sightline-browser-'));
  const log = await open(path.join(dir, 'log'), 'w');
  const args = ['demo', '--listen', '127.0.0.1:0', '--data', dir, ...options];
  const child = spawn(binary(), args, { stdio: ['ignore', log.fd, log.fd] });
  const readLog = () => readFile(path.join(dir, 'log'), 'utf8');
  const facts = await eventually('the demo writes demo.json', 120_000, async () => {
    if (child.exitCode !== null) throw new Error(`the demo ended with ${child.exitCode}:\n${await readLog()}`);
    const text = await readFile(path.join(dir, 'demo.json'), 'utf8').catch(() => null);
    return text && JSON.parse(text);
  });
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(timer);
    }
    await log.close();
    await rm(dir, { recursive: true, force: true });
  };
  return { facts, readLog, stop, user: (role) => facts.users.find((user) => user.role === role) };
}

/** Debian's Chromium, told to keep to this machine. */
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}

/** A page of a signed-in person; whatever goes wrong inside it is kept in `troubles`. */
export async function signIn(browser, demo, role, { language = 'en', width = 1366, height = 768 } = {}) {
  const context = await browser.newContext({
    locale: language === 'zh' ? 'zh-CN' : 'en-GB',
    viewport: { width, height },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.troubles = [];
  page.on('pageerror', (error) => page.troubles.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && page.troubles.push(message.text()));
  await page.goto(demo.facts.console);
  const { name, password } = demo.user(role);
  await page.getByTestId('sign-in-name').fill(name);
  await page.getByTestId('sign-in-password').fill(password);
  await page.getByTestId('sign-in-submit').click();
  await page.getByTestId('account').waitFor();
  // Before signing in the page asks who is signed in, and is told: nobody.
  page.troubles.length = 0;
  return page;
}
