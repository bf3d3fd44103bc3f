// What the page's recognizer says of a stream: node web.mjs PAGE STREAM.json
//
// STREAM.json: `size` [width, height] in pixels, `seconds` of each frame, and `frames`,
// for each 79 × [x, y, score]. Prints as JSON `events`, as `mmsign live` has them;
// `rows`, the log-probabilities of the first frames; `compute`, CPU seconds. The network
// runs as in a browser without a GPU, in WebAssembly on one core.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [page, stream] = process.argv.slice(2).map((name) => resolve(name));
const load = (name) => import(pathToFileURL(join(page, name)).href);
const vendor = join(page, 'vendor', 'onnxruntime');
const ort = await load('vendor/onnxruntime/ort.wasm.min.mjs');
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = readFileSync(join(vendor, 'ort-wasm-simd-threaded.wasm'));
const { Network } = await load('network.js');
const { LiveRecognizer } = await load('live.js');

const network = JSON.parse(readFileSync(join(page, 'network.json')));
const model = await Network.open(ort, network, readFileSync(join(page, 'network.onnx')));
const { size, frames, seconds } = JSON.parse(readFileSync(stream));
const points = frames.map((frame) => Float32Array.from(frame.flat()));

const isRight = await model.isRight();
const rows = await model.logProbs(points.slice(0, 4 * network.stride), size, true);
const live = new LiveRecognizer(model);
const began = process.cpuUsage();
const events = [];
for (const [k, frame] of points.entries()) {
  events.push(await live.feed(frame, size, seconds[k]));
}
events.push(await live.finish());
const { user, system } = process.cpuUsage(began);
const found = {
  isRight,
  rows: rows.map((row) => Array.from(row)),
  events: events.filter((event) => event !== null),
  compute: (user + system) / 1e6,
};
process.stdout.write(JSON.stringify(found));
