// Loads what computes: onnxruntime-web with the network, MediaPipe Holistic.

import { Network } from './network.js';

// A module with one SIMD instruction.
const SIMD = new Uint8Array([
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0],
  ...[65, 0, 253, 15, 253, 98, 11],
]);

// An error that the page has a text for.
export class PageError extends Error {
  constructor(key, ...values) {
    super(key);
    this.key = `errors.${key}`;
    this.values = values;
  }
}

const here = (path) => new URL(path, document.baseURI).href;

async function fetched(path) {
  const response = await fetch(here(path));
  if (!response.ok) throw new PageError('load', `${path}: ${response.status}`);
  return response;
}

// The network, on WebGPU where that gives the right numbers, otherwise WebAssembly.
export async function openNetwork() {
  if (!WebAssembly.validate(SIMD)) throw new PageError('simd');
  const network = await (await fetched('network.json')).json();
  const model = new Uint8Array(await (await fetched('network.onnx')).arrayBuffer());
  const adapter = await navigator.gpu?.requestAdapter();
  // One in software is slower than WebAssembly.
  const isFast = adapter && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
  const kinds = isFast ? ['webgpu', 'wasm'] : ['wasm'];
  for (const kind of kinds) {
    try {
      const ort = await import(here(`vendor/onnxruntime/ort.${kind}.min.mjs`));
      ort.env.wasm.wasmPaths = here('vendor/onnxruntime/');
      if (!self.crossOriginIsolated) ort.env.wasm.numThreads = 1;
      const opened = await Network.open(ort, network, model, [kind]);
      opened.kind = kind === 'wasm' ? 'WebAssembly' : 'WebGPU';
      if (await opened.isRight()) return opened;
    } catch (error) {
      if (kind === 'wasm') throw error;
      console.warn(error);
    }
  }
  throw new PageError('wrong');
}

// Holistic: { look(image) → results, reset() }.
export async function openLandmarks() {
  await new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = here('vendor/holistic/holistic.js');
    script.onload = resolve;
    script.onerror = () => reject(new PageError('load', script.src));
    document.head.append(script);
  });
  let latest = null;
  const holistic = new globalThis.Holistic({
    locateFile: (name) => here(`vendor/holistic/${name}`),
  });
  holistic.setOptions({ modelComplexity: 1, smoothLandmarks: true, selfieMode: false });
  holistic.onResults((results) => {
    latest = results;
  });
  await holistic.initialize();
  return {
    async look(image) {
      try {
        await holistic.send({ image });
      } catch (error) {
        throw new PageError('landmarks', error.message ?? error);
      }
      return latest;
    },
    reset: () => holistic.reset(),
  };
}
