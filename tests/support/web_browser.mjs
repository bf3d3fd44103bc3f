// The page in Chromium: node web_browser.mjs PLAYWRIGHT < settings > what was seen.
//
// Settings: `chromium`, `url`, `fake` (a .y4m for the camera), `recorded` (landmarks of
// frames, in place of the landmark model; null takes the model), `scenes`: what is done,
// each [name, argument]; `shots`, a folder for pictures of them, or null.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const settings = JSON.parse(readFileSync(0, 'utf-8'));
const { chromium } = await import(pathToFileURL(process.argv[2]).href);
const browser = await chromium.launch({
  executablePath: settings.chromium,
  args: [
    ...['--no-sandbox', '--disable-dev-shm-usage'],
    ...['--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
    '--use-fake-device-for-media-stream',
    ...(settings.fake ? [`--use-file-for-fake-video-capture=${settings.fake}`] : []),
  ],
});
const stub = `
const recorded = ${JSON.stringify(settings.recorded)};
globalThis.Holistic = class {
  setOptions() {}
  initialize() {}
  onResults(then) { this.then = then; }
  reset() { globalThis.sent = 0; }
  send() { this.then(recorded[globalThis.sent++ % recorded.length]); }
};`;
// Software takes seconds for a frame.
const WAIT = { timeout: 300_000 };

async function open(options = {}, prepare = () => {}) {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const seen = { hosts: new Set(), errors: [] };
  context.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (!['blob:', 'data:'].includes(protocol)) seen.hosts.add(host);
  });
  if (settings.recorded) {
    await context.route('**/vendor/holistic/holistic.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: stub }),
    );
  }
  await prepare(context);
  const page = await context.newPage();
  page.on('pageerror', (error) => seen.errors.push(error.message));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) seen.errors.push(message.text());
  });
  await page.goto(settings.url);
  await page.waitForFunction(
    () =>
      !document.getElementById('camera').disabled ||
      !document.getElementById('error').hidden,
    null,
    WAIT,
  );
  return { context, page, seen };
}

const failed = (page) => page.waitForSelector('#error:not([hidden])', WAIT);
const said = (page, id) => page.textContent(`#${id}`);

async function shot(page, name) {
  if (settings.shots) {
    const path = join(settings.shots, `${name}.png`);
    await page.screenshot({ path, fullPage: true });
  }
}

async function watch(page, file) {
  await page.setInputFiles('#file', file);
  await page.waitForSelector('#timeline:not([hidden])', WAIT);
  await page.waitForFunction(() => document.getElementById('stop').disabled, null, WAIT);
}

async function errorOf(prepare, act = () => {}) {
  const { context, page } = await open({}, prepare);
  await act(page);
  await failed(page);
  const message = await said(page, 'error');
  await context.close();
  return message;
}

const scenes = {
  async file(path) {
    const permissions = ['clipboard-read', 'clipboard-write'];
    const { context, page, seen } = await open({ permissions });
    await watch(page, path);
    const sent = await page.evaluate(() => globalThis.sent);
    const list = () => page.$$eval('#glosses li', (all) => all.map((li) => li.innerText));
    const glosses = await list();
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
    const captions = readFileSync(await download.path(), 'utf-8');
    await page.click('#copy');
    const status = await said(page, 'status');
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    const bars = await page.$$('#track button');
    await bars[bars.length - 1]?.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('#track .now'), null, WAIT);
    const seconds = await page.$eval('video', (video) => video.currentTime);
    await page.focus('#position');
    await page.keyboard.press('Home');
    await page.waitForFunction(() => document.querySelector('video').currentTime === 0);
    const unnamed = await page.$$eval('button, input, select, progress', (all) =>
      all
        .filter((x) => !x.textContent.trim() && !x.ariaLabel && !x.labels?.length)
        .map((x) => x.id),
    );
    await shot(page, 'light');
    await page.selectOption('#language', 'de');
    await page.emulateMedia({ colorScheme: 'dark' });
    const german = [await page.getAttribute('html', 'lang'), await said(page, 'camera')];
    await shot(page, 'dark');
    await page.setViewportSize({ width: 360, height: 740 });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    await shot(page, 'phone');
    const again = await list();
    const found = { sent, glosses, captions, copied, status, seconds, unnamed, german };
    await context.close();
    return { ...found, width, again, bars: bars.length, speed: '', ...plain(seen) };
  },

  // Pictures alone.
  async look(path) {
    const { context, page } = await open({ viewport: { width: 900, height: 800 } });
    await watch(page, path);
    await page.click('#track button:nth-child(2)');
    await page.waitForFunction(() => document.querySelector('#track .now'), null, WAIT);
    // With recorded landmarks it says nothing.
    await page.$eval('#speed', (speed) => (speed.hidden = true));
    await shot(page, 'page');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 360, height: 740 });
    await shot(page, 'phone');
    const status = await said(page, 'status');
    await context.close();
    return status;
  },

  async camera() {
    const { context, page, seen } = await open({ permissions: ['camera'] });
    await page.click('#camera');
    await page.waitForFunction(() => globalThis.sent > 40, null, WAIT);
    await page.waitForFunction(() => document.getElementById('speed').textContent);
    const status = await said(page, 'status');
    const speed = await said(page, 'speed');
    await shot(page, 'camera');
    await page.click('#stop');
    await page.waitForFunction(() => document.getElementById('stop').disabled, null, WAIT);
    const isOff = await page.$eval('video', (video) => video.srcObject === null);
    await context.close();
    return { status, speed, isOff, ...plain(seen) };
  },

  async nobody(path) {
    const { context, page } = await open();
    await page.setInputFiles('#file', path);
    const status = page.waitForFunction(
      () => /Nobody/.test(document.getElementById('status').textContent),
      null,
      WAIT,
    );
    await status;
    await context.close();
    return true;
  },

  denied: () => errorOf(undefined, (page) => page.click('#camera')),

  missing: () =>
    errorOf(
      (context) =>
        context.addInitScript(() => {
          navigator.mediaDevices.getUserMedia = async () => {
            throw new DOMException('none', 'NotFoundError');
          };
        }),
      (page) => page.click('#camera'),
    ),

  undecodable: (path) => errorOf(undefined, (page) => page.setInputFiles('#file', path)),

  simd: () =>
    errorOf((context) =>
      context.addInitScript(() => {
        WebAssembly.validate = () => false;
      }),
    ),

  lost: () =>
    errorOf((context) =>
      context.route('**/network.onnx', (route) => route.fulfill({ status: 404 })),
    ),

  wrong: () =>
    errorOf((context) =>
      context.route('**/network.json', async (route) => {
        const response = await route.fetch();
        const json = await response.json();
        json.check.log_probs[0] += 1;
        await route.fulfill({ response, json });
      }),
    ),

  // The recognizer on a stream, as tools/benchmark/web.mjs runs it.
  async stream({ size, frames, seconds }) {
    const { context, page } = await open();
    const found = await page.evaluate(
      async ([size, frames, seconds]) => {
        const load = (name) => import(new URL(name, document.baseURI).href);
        const { openNetwork } = await load('engine.js');
        const { LiveRecognizer } = await load('live.js');
        const live = new LiveRecognizer(await openNetwork());
        const events = [];
        for (const [k, frame] of frames.entries()) {
          events.push(await live.feed(Float32Array.from(frame.flat()), size, seconds[k]));
        }
        events.push(await live.finish());
        return events.filter((event) => event !== null);
      },
      [size, frames, seconds],
    );
    await context.close();
    return found;
  },

  // With the landmark model.
  async real(path) {
    const { context, page, seen } = await open();
    await watch(page, path);
    const drawn = await page.$eval('#skeleton', (canvas) => {
      const pen = canvas.getContext('2d');
      const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, k) => k % 4 === 3 && value > 0).length;
    });
    await shot(page, 'real');
    const speed = await said(page, 'speed');
    const status = await said(page, 'status');
    await context.close();
    return { drawn, speed, status, ...plain(seen) };
  },
};

const plain = ({ hosts, errors }) => ({ hosts: [...hosts], errors });
const found = {};
try {
  for (const [name, argument] of settings.scenes) found[name] = await scenes[name](argument);
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(found));
