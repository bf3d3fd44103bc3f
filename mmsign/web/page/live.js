// Recognition while the signing goes on, as mmsign.apis.live.

import { IncrementalCTC } from './incremental.js';
import { rint } from './maths.js';
import { StreamReader } from './stream.js';
import { WindowedNetwork } from './windows.js';

// Seconds after which a frame counts as the last before a pause: never less, never more.
const PAUSE = 2;
const LONGEST_STILL = 30;

export class LiveRecognizer {
  constructor(model) {
    this.model = model;
    this.begin();
  }

  begin() {
    const { network } = this.model;
    this.resampler = new FrameResampler(network.rate);
    const seconds = (frame) => this.resampler.seconds(frame);
    const decoder = new IncrementalCTC(network, seconds);
    this.reader = new StreamReader(new WindowedNetwork(this.model), decoder);
    this.seconds = 0;
  }

  // The next frame's keypoints, of a frame of [width, height], seen at a time in
  // seconds; returns { final, partial, seconds } after every hop of an utterance and at
  // its end, otherwise null.
  async feed(points, size, seconds) {
    this.seconds = seconds;
    return this.#look([...this.resampler.step(seconds, [points, size])]);
  }

  // The end of the stream: everything that waits becomes final.
  async finish() {
    const event = await this.#look([...this.resampler.end()], true);
    this.begin();
    return event;
  }

  async #look(frames, isLast = false) {
    const news = [];
    for (const [points, size] of frames) news.push(await this.reader.step(points, size));
    if (isLast) news.push(await this.reader.end());
    const final = news.filter((glosses) => glosses !== null);
    if (!final.length && !isLast) return null;
    const partial = final.length ? this.reader.preview() : [];
    return { final: final.flat(), partial, seconds: this.seconds };
  }
}

// Repeats or drops the items of a stream so that they come at a steady rate: each tick
// takes the nearest, of two equally near ones the earlier.
export class FrameResampler {
  constructor(rate) {
    this.rate = rate;
    this.held = null;
    this.starts = []; // of each piece without a pause its first tick, and its time
    this.ticks = 0;
    this.gap = 0;
  }

  // When a tick begins and ends, in seconds from the first item.
  seconds(tick) {
    const [first, time] = this.starts.findLast(([start]) => start <= tick);
    const begin = time - this.starts[0][1] + (tick - first) / this.rate;
    return [begin, begin + 1 / this.rate];
  }

  // Take an item; yields the one before as often as there are ticks nearest to it.
  *step(time, item) {
    const [before, held] = this.held ?? [-Infinity, null];
    if (!(time > before)) throw new RangeError(`${time} s after ${before} s`);
    this.held = [time, item];
    if (!this.starts.length) {
      this.starts = [[0, time]];
    } else if (time - before > Math.max(PAUSE, Math.min(10 * this.gap, LONGEST_STILL))) {
      yield* this.#rest(before, held);
      this.starts.push([this.ticks, time]);
    } else {
      this.gap = time - before;
      const [first, start] = this.starts[this.starts.length - 1];
      while (start + (this.ticks - first) / this.rate <= (before + time) / 2) {
        this.ticks++;
        yield held;
      }
    }
  }

  // The last item, shown as long as the one before it.
  *end() {
    if (this.held) yield* this.#rest(...this.held);
  }

  *#rest(time, held) {
    const [first, start] = this.starts[this.starts.length - 1];
    const end = time - start + (this.gap || 1 / this.rate);
    const stop = first + Math.max(1, rint(end * this.rate));
    while (this.ticks < stop) {
      this.ticks++;
      yield held;
    }
  }
}
