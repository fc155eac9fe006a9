// A person at a browser: headless Chromium, on the real pages, with no script of theirs needed.
import http from 'node:http';
import { existsSync } from 'node:fs';
import bundled from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

// Debian's, where it is installed; else the one that comes from the npm registry, which needs `libnss3`.
const executablePath = existsSync('/usr/bin/chromium') ? '/usr/bin/chromium' : await bundled.executablePath();

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Listens where an app waits for its answer; `answered` is the URL that the browser is sent to. */
async function callback() {
  let settle;
  const answered = new Promise((resolve) => { settle = resolve; });
  const server = http.createServer((request, response) => {
    response.end('You may close this window.');
    if (request.url.startsWith('/callback')) settle(new URL(request.url, `http://${request.headers.host}`));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { uri: `http://127.0.0.1:${server.address().port}/callback`, answered, close: () => server.close() };
}

/** Signs in at the page that `url` leads to, reads what is asked for, and presses `button`. */
async function decide(url, { email, password, button = 'Allow', screenshot }) {
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  try {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, javaScriptEnabled: false });
    const page = await context.newPage();
    const outside = [];
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) outside.push(new URL(request.url()).pathname);
    });
    await page.goto(String(url));
    if (screenshot) await page.screenshot({ path: `${screenshot}-sign-in.png`, fullPage: true });
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: button, exact: true }).waitFor();
    const consent = await page.getByRole('main').innerText();
    const width = await page.locator('html').boundingBox();
    if (screenshot) await page.screenshot({ path: `${screenshot}-consent.png`, fullPage: true });
    await page.getByRole('button', { name: button, exact: true }).click();
    await page.waitForURL((there) => there.origin !== new URL(url).origin);
    return { consent, outside, fits: width.width <= 390 };
  } finally {
    await browser.close();
  }
}
