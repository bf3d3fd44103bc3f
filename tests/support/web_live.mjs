// Runs the page's recognizer: node web_live.mjs PAGE VECTORS.json prints what it says.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [page, vectors] = process.argv.slice(2).map((name) => resolve(name));
const load = (name) => import(pathToFileURL(join(page, name)).href);
const ort = await load('vendor/onnxruntime/ort.wasm.min.mjs');
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = readFileSync(
  join(page, 'vendor/onnxruntime/ort-wasm-simd-threaded.wasm'),
);
const { Network } = await load('network.js');
const { recognize } = await import('./web_recognize.mjs');
const { LiveRecognizer } = await load('live.js');

const network = JSON.parse(readFileSync(join(page, 'network.json')));
const model = await Network.open(ort, network, readFileSync(join(page, 'network.onnx')));
const found = await recognize(model, LiveRecognizer, JSON.parse(readFileSync(vectors)));
process.stdout.write(JSON.stringify(found));
