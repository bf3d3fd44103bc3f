// CTC decoding of one clip: prefix beam search, and where its symbols lie in time.
// The same search, step by step, as mmsign.decoding.prefix_beam.
//
// Symbols: T output steps, V classes with the blank. A clip is an array of T rows, each
// a Float32Array of V natural log-probabilities.

import { logAdd } from './maths.js';

// The best labelling and its spans: { ids, spans } with half-open spans in steps.
export function decode(rows, { width, blank, mergeAdjacent }) {
  const found = width === 1 ? bestPath(rows, blank) : search(rows, width, blank);
  return mergeAdjacent ? merged(found) : found;
}

function bestPath(rows, blank) {
  const ids = [];
  const spans = [];
  let before = -1;
  rows.forEach((row, step) => {
    const best = row.indexOf(row.reduce((a, b) => Math.max(a, b)));
    if (best === before) {
      if (best !== blank) spans[spans.length - 1][1] = step + 1;
    } else if (best !== blank) {
      ids.push(best);
      spans.push([step, step + 1]);
    }
    before = best;
  });
  return { ids, spans };
}

function search(rows, width, blank) {
  const ids = prefixBeamSearch(rows, width, blank)[0].ids;
  return { ids, spans: align(rows, ids, blank) };
}

function merged({ ids, spans }) {
  const found = { ids: [], spans: [] };
  ids.forEach((id, k) => {
    if (k && ids[k - 1] === id) found.spans[found.spans.length - 1][1] = spans[k][1];
    else {
      found.ids.push(id);
      found.spans.push([...spans[k]]);
    }
  });
  return found;
}

// The last beam, best first: [{ ids, score }].
export function prefixBeamSearch(rows, width, blank) {
  const classes = rows.length ? rows[0].length : 0;
  // No more of a step's symbols can enter the beam.
  const count = Math.min(2 * width + 1, classes);
  // Prefixes are nodes of a tree; one that comes back to the beam is its old node.
  const parents = [-1];
  const symbols = [-1];
  const children = new Map();
  let beam = [{ node: 0, blank: 0, symbol: -Infinity, total: 0 }];
  for (const row of rows) {
    const top = best(row, count);
    const place = new Map(beam.map((entry, index) => [entry.node, index]));
    const taken = beam.map((entry) => [symbols[entry.node]]);
    const next = new Beam(width);
    for (const entry of beam) {
      const symbol = symbols[entry.node];
      const endsBlank = entry.total + row[blank];
      let endsSymbol = -Infinity;
      if (entry.node) {
        endsSymbol = entry.symbol + row[symbol];
        const parent = place.get(parents[entry.node]);
        if (parent !== undefined) {
          // Merge: the parent, also in the beam, grows into this one.
          taken[parent].push(symbol);
          const above = beam[parent];
          const repeats = symbols[above.node] === symbol;
          const grown = row[symbol] + (repeats ? above.blank : above.total);
          endsSymbol = logAdd(grown, endsSymbol);
        }
      }
      next.keep(logAdd(endsBlank, endsSymbol), entry.node, endsBlank, endsSymbol);
    }
    next.fill();
    for (const [index, { node, blank: endsBlank, total }] of beam.entries()) {
      if (total + row[top[0]] <= next.worst) break; // nor can any behind this one
      const closed = taken[index];
      const own = symbols[node];
      if (node && !closed.includes(own, 1)) next.grow(endsBlank + row[own], node, own);
      for (const symbol of top) {
        const score = total + row[symbol];
        if (score <= next.worst) break;
        if (symbol !== blank && !closed.includes(symbol)) next.grow(score, node, symbol);
      }
    }
    beam = next.sorted().map(({ score, node, endsBlank, endsSymbol, symbol }) => {
      let at = node;
      if (symbol >= 0) {
        const key = node * classes + symbol;
        if (!children.has(key)) {
          children.set(key, parents.length);
          parents.push(node);
          symbols.push(symbol);
        }
        at = children.get(key);
      }
      return { node: at, blank: endsBlank, symbol: endsSymbol, total: score };
    });
  }
  return beam.map(({ node, total }) => ({ ids: spelled(node), score: total }));

  function spelled(node) {
    const ids = [];
    for (let at = node; at; at = parents[at]) ids.push(symbols[at]);
    return ids.reverse();
  }
}

// The most probable symbols of a step, best first, equal ones by index.
function best(row, count) {
  const order = Array.from(row.keys());
  order.sort((a, b) => row[b] - row[a] || a - b);
  return order.slice(0, count);
}

// The `width` best results of a step; of equal ones those that came first.
class Beam {
  constructor(width) {
    this.width = width;
    this.entries = [];
    this.worst = -Infinity;
    this.order = 0;
  }

  keep(score, node, endsBlank, endsSymbol, symbol = -1) {
    const order = this.order--;
    this.entries.push({ score, order, node, endsBlank, endsSymbol, symbol });
  }

  // Empty places, which anything possible takes.
  fill() {
    while (this.entries.length < this.width) this.keep(-Infinity, 0, -Infinity, -Infinity);
    this.worst = this.entries[this.last()].score;
  }

  grow(score, node, symbol) {
    if (score <= this.worst) return;
    this.entries.splice(this.last(), 1);
    this.keep(score, node, -Infinity, score, symbol);
    this.worst = this.entries[this.last()].score;
  }

  last() {
    let last = 0;
    this.entries.forEach((entry, index) => {
      if (compare(entry, this.entries[last]) < 0) last = index;
    });
    return last;
  }

  sorted() {
    const possible = this.entries.filter((entry) => entry.score > -Infinity);
    return possible.sort((a, b) => compare(b, a));
  }
}

const compare = (a, b) => (a.score === b.score ? a.order - b.order : a.score - b.score);

// Spans of the symbols on the most probable path that spells them (Viterbi). Of equally
// probable paths the one that, followed back from the end, stays longest where it is.
export function align(rows, ids, blank) {
  if (!ids.length) return [];
  const states = [blank, ...ids.flatMap((id) => [id, blank])];
  const skips = states.map((id, s) => s > 1 && s % 2 === 1 && id !== states[s - 2]);
  const table = [];
  for (const row of rows) {
    const before = table[table.length - 1];
    table.push(
      states.map((id, s) => {
        if (!before) return s < 2 ? row[id] : -Infinity;
        let from = before[s];
        if (s) from = Math.max(from, before[s - 1]);
        if (skips[s]) from = Math.max(from, before[s - 2]);
        return from + row[id];
      }),
    );
  }
  const end = states.length - 1;
  const last = table[table.length - 1];
  let state = last[end] > last[end - 1] ? end : end - 1;
  const spans = ids.map(() => [Infinity, -1]);
  for (let step = table.length - 1; step >= 0; step--) {
    if (step < table.length - 1) {
      const row = table[step];
      let came = state;
      if (state && row[state - 1] > row[came]) came = state - 1;
      if (skips[state] && row[state - 2] > row[came]) came = state - 2;
      state = came;
    }
    if (state % 2) {
      const span = spans[(state - 1) / 2];
      span[0] = step;
      span[1] = Math.max(span[1], step + 1);
    }
  }
  return spans;
}
