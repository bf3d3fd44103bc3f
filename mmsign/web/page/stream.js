// A stream taken apart where the hands rest, as mmsign.apis.stream: an utterance begins
// a few resting frames before the hands leave their rest, and ends so.

import { isResting } from './keypoints.js';

export class StreamReader {
  constructor(windows, decoder) {
    this.windows = windows;
    this.decoder = decoder;
    this.network = windows.network;
    this.rest = this.network.statistics?.rest ?? null;
    this.count = 0;
    this.signing = false;
    this.isResting = true;
    this.resting = []; // the latest resting frames
    this.run = 0; // resting frames in a row
    this.final = null;
    this.latest = null; // of the utterance that goes on
  }

  // Take one frame; returns the glosses that are now final, or null if the network had
  // nothing to look at yet.
  async step(points, size) {
    const { pause } = this.network;
    this.count++;
    this.final = null;
    const before = this.isResting;
    // Where nothing tells, the hands move.
    this.isResting = this.rest ? isResting(points, before, this.network) : false;
    if (this.isResting) {
      this.run++;
      this.resting.push(points);
      if (this.resting.length > this.rest.frames) this.resting.shift();
      if (this.signing) {
        await this.#look(points, size);
        if (this.run >= Math.max(pause, this.rest.frames)) await this.#end();
      }
      return this.final;
    }
    if (this.signing && this.run >= pause) await this.#end();
    if (!this.signing) {
      this.signing = true;
      this.decoder.begin(this.count - 1 - this.resting.length);
      for (const frame of this.resting) await this.#look(frame, size);
    }
    this.run = 0;
    this.resting = [];
    await this.#look(points, size);
    return this.final;
  }

  // The end of the stream: all that waits becomes final.
  async end() {
    this.final = null;
    if (this.signing) await this.#end();
    return this.final;
  }

  // What seems to follow what is final; nothing between utterances.
  preview() {
    return this.latest ? this.decoder.preview(this.latest.preview) : [];
  }

  async #look(points, size) {
    this.seen = [points, size];
    const steps = await this.windows.step(points, size);
    this.latest = steps ?? this.latest;
    this.#take(steps);
  }

  async #end() {
    this.signing = false;
    this.latest = null;
    if (this.rest) {
      if (this.windows.count < this.network.statistics.shortest / 2) {
        this.windows.begin(); // a twitch
        return;
      }
      // Nothing of it is dropped: the last frame is shown until a step is full.
      while (this.windows.count % this.network.stride) await this.#look(...this.seen);
    }
    this.latest = null;
    this.#take(await this.windows.end(), true);
  }

  #take(steps, isLast = false) {
    if (!steps) return;
    this.final ??= [];
    const { decoder } = this;
    this.final.push(
      ...(isLast ? decoder.end(steps.rows, steps.held) : decoder.step(steps.rows)),
    );
  }
}
