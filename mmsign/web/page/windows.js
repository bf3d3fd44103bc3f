// A stream of any length through a network that takes clips: of overlapping windows
// only the middle counts. As mmsign.apis.windows, frame by frame.
//
// W frames of a window, H between the beginnings of two, (W - H)/2 of context.

import { meanScore } from './keypoints.js';

export class WindowedNetwork {
  constructor(model) {
    this.model = model;
    this.network = model.network;
    this.begin();
  }

  // The next frame is the first of another stream.
  begin() {
    this.frames = []; // the latest, at most W + H
    this.count = 0; // frames seen
    this.next = 0; // where the next window begins
    this.committed = 0; // frames
  }

  // Take a frame's keypoints; returns what a window added, or null:
  // { rows, preview, held } with rows of log-probabilities.
  async step(points, size) {
    const { window, hop } = this.network;
    // A window is read when a frame comes behind it: a stream that ends with it is
    // read at once, as a clip is.
    const full = this.count === this.next + window;
    const steps = full ? await this.#readWindow() : null;
    this.size = size;
    this.frames.push(points);
    this.count++;
    const early = this.count < window && this.count % hop === 0;
    return early ? this.#run(0, this.count, 0) : steps;
  }

  async #readWindow() {
    const { window, hop } = this.network;
    const start = this.next;
    const steps = await this.#run(start, start + window, start + (window + hop) / 2);
    this.next += hop;
    // What the end of the stream may need again.
    this.frames.splice(0, Math.max(0, start - (this.count - this.frames.length)));
    return steps;
  }

  // The end of the stream: commit the rest and begin anew.
  async end() {
    const { window, stride, held } = this.network;
    let steps = null;
    if (this.count) {
      while (this.count < stride) {
        this.frames.push(this.frames[this.frames.length - 1]);
        this.count++;
      }
      const end = this.count - (this.count % stride);
      if (end > this.committed || held) {
        steps = await this.#run(Math.max(0, end - window), end, end, true);
      }
    }
    this.begin();
    return steps;
  }

  // Look at the frames start … end; commit those up to until.
  async #run(start, end, until, isEnd = false) {
    const { time_stride, person, held } = this.network;
    const oldest = this.count - this.frames.length;
    const seen = this.frames.slice(start - oldest, end - oldest);
    let rows = await this.model.logProbs(seen, this.size, isEnd);
    const there = seen.filter((f) => meanScore(f, person.seen) >= person.score).length;
    if (there / seen.length < person.share) rows = rows.map((row) => this.#nothing(row));
    const kept = isEnd ? held / time_stride : 0;
    const last = (until - start) / time_stride + kept;
    const first = (this.committed - start) / time_stride;
    this.committed = until;
    return { rows: rows.slice(first, last), preview: rows.slice(last), held: kept };
  }

  #nothing(row) {
    const nothing = new Float32Array(row.length).fill(this.network.person.nothing);
    nothing[this.network.blank] = 0;
    return nothing;
  }
}
