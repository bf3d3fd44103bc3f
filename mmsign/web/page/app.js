// The page: what its buttons do.

import { webVTT } from './captions.js';
import { openLandmarks, openNetwork, PageError } from './engine.js';
import { keypointsOf, meanScore } from './keypoints.js';
import { LiveRecognizer } from './live.js';
import { cameraFrames, fileFrames, openCamera, openFile } from './sources.js';
import { language, number, setLanguage, text, translatePage } from './texts.js';
import { drawSkeleton, GlossView } from './view.js';

const get = (id) => document.getElementById(id);
const [video, position] = [get('video'), get('position')];
// Frames a second below which fast signing is lost; seconds without anybody.
const [SLOW, ALONE] = [8, 1];
const view = new GlossView(seek);
let model; // the network
let landmarks;
let running = null; // { stop: AbortController, done: Promise }
let close = () => {}; // the source
let recorded = []; // of a file: the keypoints of each tick
let told = null; // what the status says: a key and its values
let failed = null; // likewise of the error
let speed = null; // of the last second

function tell(...message) {
  told = message;
  get('status').textContent = message.length ? text(...message) : '';
}

function fail(error) {
  failed = error && { key: error.key ?? 'errors.load', values: error.values ?? [error.message] };
  get('error').hidden = !failed;
  get('error').textContent = failed ? text(failed.key, ...failed.values) : '';
  if (error && !(error instanceof PageError)) console.error(error);
}

// Shares the work of a source between camera and file.
async function run(open, frames, finished) {
  const before = running;
  const own = { stop: new AbortController() };
  running = own;
  before?.stop.abort();
  own.done = (async () => {
    await before?.done;
    if (own.stop.signal.aborted) return; // for another one
    fail(null);
    reset();
    get('stop').disabled = false;
    try {
      close = await open();
      landmarks.reset();
      await recognize(frames(own.stop.signal), own.stop.signal);
      finished();
    } catch (error) {
      close();
      close = () => {};
      tell();
      fail(error);
    }
    get('stop').disabled = true;
    get('progress').hidden = true;
    if (running === own) running = null;
  })();
  await own.done;
}

async function recognize(frames, signal) {
  const { network } = model;
  const recognizer = new LiveRecognizer(model);
  const meter = new Meter();
  let seen = null; // when somebody was seen last
  let isAlone = false;
  const normal = told;
  for await (const seconds of frames) {
    const size = [video.videoWidth, video.videoHeight];
    meter.begin();
    const points = keypointsOf(await landmarks.look(video), size, network);
    meter.looked();
    if (signal.aborted) break;
    drawSkeleton(points, size, network);
    recorded.push(points);
    const { score, upper_body } = network.person;
    if (seen === null || meanScore(points, upper_body) >= score) seen = seconds;
    if (isAlone !== seconds - seen >= ALONE) {
      isAlone = !isAlone;
      tell(...(isAlone ? ['no_person'] : normal));
    }
    const event = await recognizer.feed(points, size, seconds);
    if (event) view.show(event);
    if (!get('progress').hidden) get('progress').value = seconds / video.duration;
    meter.end(seconds);
  }
  view.show(await recognizer.finish());
}

function showSpeed() {
  if (speed === null) {
    get('speed').textContent = '';
    return;
  }
  const { fps, landmarks: perFrame, network, isSlow } = speed;
  const line = text('speed', number(fps, 1), number(perFrame), number(network), model.kind);
  get('speed').textContent = isSlow ? `${line} – ${text('slow')}` : line;
}

// Says how fast it goes, once a second.
class Meter {
  constructor() {
    this.#restart();
  }

  #restart(seconds = null) {
    Object.assign(this, { frames: 0, landmarks: 0, first: seconds, since: performance.now() });
    model.seconds = 0;
  }

  begin() {
    this.began = performance.now();
  }

  looked() {
    this.landmarks += performance.now() - this.began;
  }

  end(seconds) {
    this.frames++;
    this.first ??= seconds;
    const wall = (performance.now() - this.since) / 1000;
    if (wall < 1 || seconds === this.first) return;
    speed = {
      fps: this.frames / wall,
      landmarks: this.landmarks / this.frames,
      network: (1000 * model.seconds) / (seconds - this.first),
      isSlow: get('progress').hidden && this.frames / wall < SLOW,
    };
    showSpeed();
    this.#restart(seconds);
  }
}

function reset() {
  close();
  close = () => {};
  recorded = [];
  view.length = 0;
  view.clear();
  get('timeline').hidden = true;
  speed = null;
  showSpeed();
  get('stage').classList.remove('mirror');
  drawSkeleton(null, [1, 1], model.network);
  tell();
}

function useCamera() {
  const open = async () => {
    tell('opening_camera');
    const closed = await openCamera(video);
    get('stage').classList.add('mirror');
    tell('watching');
    return closed;
  };
  return run(open, (signal) => cameraFrames(video, signal), () => {
    close();
    close = () => {};
    drawSkeleton(null, [1, 1], model.network);
    tell('ready');
  });
}

function useFile(file) {
  const open = async () => {
    const closed = await openFile(video, file);
    tell('reading');
    Object.assign(get('progress'), { hidden: false, value: 0 });
    view.timeline(video.duration);
    position.max = video.duration;
    return closed;
  };
  const frames = (signal) => fileFrames(video, file.name, model.network.rate, signal);
  return run(open, frames, () => {
    get('timeline').hidden = false;
    tell('done', view.final.length);
    seek(0);
  });
}

function seek(seconds) {
  if (!get('timeline').hidden) video.currentTime = seconds;
}

// The file again, with what was found in it.
function replay() {
  if (!recorded.length || get('timeline').hidden) return;
  const seconds = video.currentTime;
  const tick = Math.min(Math.floor(seconds * model.network.rate), recorded.length - 1);
  const size = [video.videoWidth, video.videoHeight];
  drawSkeleton(recorded[tick], size, model.network);
  position.value = seconds;
  position.setAttribute('aria-valuetext', `${number(seconds, 1)} s`);
  get('time').textContent = `${number(seconds, 1)} s`;
  view.at(seconds);
  if (!video.paused) requestAnimationFrame(replay);
}

function describe() {
  const { network } = model;
  const count = number(network.glosses.length);
  get('trained').textContent = text('trained', count, number(network.fps), network.licence);
  const kind = network.calibration ? 'limit_confidence' : 'limit_uncalibrated';
  get('confidence').textContent = text(kind);
}

async function copy() {
  try {
    await navigator.clipboard.writeText(webVTT(view.final));
    tell('copied');
  } catch {
    tell('not_copied');
  }
}

function save() {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([webVTT(view.final)], { type: 'text/vtt' }));
  link.download = 'captions.vtt';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function translate() {
  if (model) describe();
  if (told?.length) tell(...told);
  if (failed) get('error').textContent = text(failed.key, ...failed.values);
  get('play').textContent = text(video.paused ? 'play' : 'pause');
  showSpeed();
  view.translate();
  replay();
}

async function begin() {
  get('unloaded').remove();
  translatePage();
  get('language').value = language();
  get('language').addEventListener('change', ({ target }) => {
    setLanguage(target.value);
    translate();
  });
  tell('loading');
  try {
    model = await openNetwork();
    describe();
    landmarks = await openLandmarks();
  } catch (error) {
    tell();
    fail(error);
    return;
  }
  get('camera').addEventListener('click', useCamera);
  get('file').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    target.value = '';
    if (file) useFile(file);
  });
  get('stop').addEventListener('click', () => running?.stop.abort());
  get('copy').addEventListener('click', copy);
  get('save').addEventListener('click', save);
  get('play').addEventListener('click', () => (video.paused ? video.play() : video.pause()));
  for (const name of ['play', 'pause', 'ended']) {
    video.addEventListener(name, () => {
      get('play').textContent = text(video.paused ? 'play' : 'pause');
    });
  }
  position.addEventListener('input', () => seek(Number(position.value)));
  for (const name of ['seeked', 'play']) video.addEventListener(name, replay);
  for (const id of ['camera', 'file']) get(id).disabled = false;
  tell('ready');
}

begin();
