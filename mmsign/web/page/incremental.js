// CTC decoding of a stream that has no end: begin, step, end, as mmsign.decoding.
// What lies before a step at which the blank is nearly certain is decoded once and for
// all; what lies behind it is decoded again whenever more steps arrive.

import { decode } from './ctc.js';
import { round4 } from './maths.js';

const LEAST = 1e-4; // probabilities are told apart no finer

export class IncrementalCTC {
  // `network` is network.json; frameTimes: number of a frame → [begin, end] in seconds.
  constructor(network, frameTimes) {
    this.network = network;
    this.frameTimes = frameTimes;
    this.until = 0; // end of the latest final gloss
    this.begin();
  }

  // The next step is the first of an utterance that begins at a frame.
  begin(origin = 0) {
    this.next = origin;
    this.waiting = [];
    this.last = null; // symbol of the latest final gloss of it
  }

  // Take further rows of log-probabilities; returns the glosses that are now final.
  step(rows) {
    this.waiting.push(...rows);
    const { blank, cut_probability, max_steps } = this.network;
    const sure = Math.fround(cut_probability);
    const certain = this.waiting.findLastIndex(
      (row) => Math.fround(Math.exp(row[blank])) >= sure,
    );
    const final = certain < 0 ? [] : this.#cut(certain + 1);
    while (this.waiting.length > max_steps) {
      let best = 0;
      for (let k = 1; k < max_steps; k++) {
        if (this.waiting[k][blank] > this.waiting[best][blank]) best = k;
      }
      final.push(...this.#cut(best + 1));
    }
    return final;
  }

  // The glosses that seem to follow what is final. Nothing is kept.
  preview(rows) {
    return this.#decode([...this.waiting, ...rows], 0);
  }

  // The last rows of the utterance, `held` of which show its last frame again.
  end(rows, held = 0) {
    this.waiting.push(...rows);
    return this.#cut(this.waiting.length, held);
  }

  #cut(count, held = 0) {
    const final = this.#decode(this.waiting.slice(0, count), held);
    this.waiting = this.waiting.slice(count);
    this.next += count * this.network.time_stride;
    if (final.length) {
      this.last = final[final.length - 1].gloss;
      this.until = final[final.length - 1].end;
    }
    return final;
  }

  #decode(rows, held) {
    if (!rows.length) return [];
    const { glosses, blank, beam_width, merge_adjacent } = this.network;
    const clock = this.#clock(rows.length, held);
    const settings = { width: beam_width, blank, mergeAdjacent: merge_adjacent };
    const { ids, spans } = decode(rows, settings);
    let found = ids.map((id, k) => {
      const [begins, ends] = clock.span(...spans[k]).map(round4);
      const duration = round4(ends - begins);
      return {
        gloss: glosses[id - 1],
        start: begins,
        end: round4(begins + duration),
        confidence: this.#confidence(rows.slice(...spans[k]), id),
      };
    });
    // The same sign, cut in two.
    if (merge_adjacent && found.length && found[0].gloss === this.last) {
      found = found.slice(1);
    }
    // Utterances share the frames between them in which the hands rest: a gloss found
    // there moves behind the one before, and lasts at least a step.
    const [begins, ends] = clock.span(0, 1);
    const latest = held ? clock.last : Infinity;
    let until = this.until;
    for (const gloss of found) {
      if (gloss.start < until && until < latest) {
        const end = Math.min(Math.max(gloss.end, until + ends - begins), latest);
        gloss.start = until;
        gloss.end = round4(until + round4(end - until));
      }
      until = gloss.end;
    }
    return found;
  }

  #clock(steps, held) {
    const stride = this.network.time_stride;
    const count = held ? (steps - held) * stride : steps * stride;
    const time = (frame) => this.frameTimes(this.next + Math.min(frame, count - 1));
    return {
      span: (start, end) => [time(start * stride)[0], time(end * stride - 1)[1]],
      last: time(steps * stride - 1)[1],
    };
  }

  #confidence(rows, id) {
    const sum = rows.reduce((total, row) => total + Math.exp(row[id]), 0);
    const mean = sum / rows.length;
    const { calibration } = this.network;
    if (!calibration) return round4(mean);
    const p = Math.min(Math.max(mean, LEAST), 1 - LEAST);
    const x = calibration.slope * Math.log(p / (1 - p)) + calibration.offset;
    return round4(1 / (1 + Math.exp(-x)));
  }
}
