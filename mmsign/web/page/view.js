// What is seen of the results: skeleton, glosses, timeline.

import { number, text } from './texts.js';

const get = (id) => document.getElementById(id);
const UNSURE = 0.5;

// Draws the keypoints of a frame of [width, height] over the picture.
export function drawSkeleton(points, [width, height], network) {
  const canvas = get('skeleton');
  if (canvas.width !== width || canvas.height !== height) {
    Object.assign(canvas, { width, height });
  }
  const pen = canvas.getContext('2d');
  pen.clearRect(0, 0, width, height);
  if (!points) return;
  const seen = (k) => points[3 * k + 2] > network.confident;
  // Dark around light: seen on any picture.
  const thin = Math.max(1, width / 320);
  for (const [colour, line] of [['#000a', 3 * thin], ['#7fe0ff', thin]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = line;
    pen.beginPath();
    for (const [a, b] of network.skeleton) {
      if (!seen(a) || !seen(b)) continue;
      pen.moveTo(points[3 * a] + 0.5, points[3 * a + 1] + 0.5);
      pen.lineTo(points[3 * b] + 0.5, points[3 * b + 1] + 0.5);
    }
    pen.stroke();
  }
}

const spoken = ({ gloss, start, end, confidence }) =>
  text('gloss', gloss, number(start, 1), number(end, 1), number(100 * confidence));

// The glosses of a stream: final ones are added, partial ones replaced.
export class GlossView {
  constructor(seek) {
    this.seek = seek;
    this.clear();
  }

  clear() {
    this.final = [];
    this.items = [];
    this.bars = [];
    this.length = 0;
    get('glosses').replaceChildren();
    get('track').replaceChildren();
    this.#partial([]);
    this.#enable();
  }

  // An event of the recognizer.
  show({ final, partial }) {
    for (const gloss of final) {
      this.final.push(gloss);
      this.#add(gloss);
    }
    this.#partial(partial);
    this.#enable();
  }

  // For a file: its length in seconds, so that glosses lie on the timeline.
  timeline(seconds) {
    this.length = seconds;
  }

  // In another language.
  translate() {
    const { final } = this;
    const { length } = this;
    this.clear();
    this.length = length;
    this.show({ final, partial: [] });
  }

  // Marks what is signed at a time.
  at(seconds) {
    this.final.forEach(({ start, end }, k) => {
      const now = start <= seconds && seconds < end;
      for (const element of [this.items[k], this.bars[k]]) {
        element?.classList.toggle('now', now);
      }
    });
  }

  #add(gloss) {
    const item = document.createElement('li');
    item.classList.toggle('unsure', gloss.confidence < UNSURE);
    const parts = [
      ['b', gloss.gloss],
      ['span', `${number(gloss.start, 2)} – ${number(gloss.end, 2)} s`],
      ['span', `${number(100 * gloss.confidence)} %`],
    ];
    for (const [tag, content] of parts) {
      const part = document.createElement(tag);
      part.textContent = content;
      item.append(part);
    }
    const list = get('glosses');
    const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 8;
    list.append(item);
    if (follows) list.scrollTop = list.scrollHeight;
    this.items.push(item);
    if (this.length) this.#bar(gloss);
  }

  #bar(gloss) {
    const bar = document.createElement('button');
    bar.type = 'button';
    bar.textContent = gloss.gloss;
    bar.setAttribute('aria-label', spoken(gloss));
    bar.title = spoken(gloss);
    bar.style.left = `${(100 * gloss.start) / this.length}%`;
    bar.style.width = `${(100 * (gloss.end - gloss.start)) / this.length}%`;
    bar.addEventListener('click', () => this.seek(gloss.start));
    get('track').append(bar);
    this.bars.push(bar);
  }

  #partial(glosses) {
    get('partial').textContent = glosses.map(({ gloss }) => gloss).join(' ');
  }

  #enable() {
    for (const id of ['copy', 'save']) get(id).disabled = !this.final.length;
  }
}
