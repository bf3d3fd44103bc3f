// The network: keypoints of some frames in, log-probabilities of its steps out.

import { cropBox } from './keypoints.js';

// Of log-probabilities; other processors round otherwise.
const TOLERANCE = 1e-2;

export class Network {
  // `ort` is onnxruntime-web, `network` network.json.
  static async open(ort, network, model, providers = ['wasm']) {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: providers,
    });
    return new Network(ort, session, network);
  }

  constructor(ort, session, network) {
    Object.assign(this, { ort, session, network });
    this.points = network.landmarks.length;
    this.seconds = 0; // spent in the network so far
  }

  // Rows of log-probabilities of frames of [width, height] pixels; at the end of a clip
  // its last frame is held.
  async logProbs(frames, size, isEnd = false) {
    const began = performance.now();
    const { held } = this.network;
    const count = frames.length + (isEnd ? held : 0);
    const box = cropBox(frames, size, this.network);
    const [scaleX, scaleY] = this.#scale(size);
    const points = new Float32Array(count * frames[0].length);
    for (let t = 0; t < count; t++) {
      points.set(frames[Math.min(t, frames.length - 1)], t * frames[0].length);
    }
    for (let k = 0; k < points.length; k += 3) {
      // Pixel centres lie at whole numbers, borders half a pixel away from them.
      points[k] = (points[k] + 0.5) * scaleX - 0.5;
      points[k + 1] = (points[k + 1] + 0.5) * scaleY - 0.5;
    }
    const scaled = box.map((value, k) => value * (k % 2 ? scaleY : scaleX));
    const rows = await this.#run(points, Float32Array.from(scaled));
    this.seconds += (performance.now() - began) / 1000;
    return rows;
  }

  // Whether it computes what PyTorch did when the page was written.
  async isRight() {
    const { points, box, log_probs } = this.network.check;
    const rows = await this.#run(Float32Array.from(points), Float32Array.from(box));
    const found = rows.flatMap((row) => Array.from(row));
    return (
      found.length === log_probs.length &&
      found.every((x, k) => Math.abs(x - log_probs[k]) <= TOLERANCE)
    );
  }

  async #run(points, box) {
    const { Tensor } = this.ort;
    const shape = [points.length / (3 * this.points), this.points, 3];
    const { log_probs } = await this.session.run({
      points: new Tensor('float32', points, shape),
      box: new Tensor('float32', box, [4]),
    });
    const [steps, classes] = log_probs.dims;
    const data = await log_probs.getData();
    return Array.from({ length: steps }, (_, k) =>
      data.slice(k * classes, (k + 1) * classes),
    );
  }

  // To pixels of the training corpus, in which the heatmaps' sigma is measured, if it
  // has a size; to a width of which sigma is a share; or as they are.
  #scale([width, height]) {
    const { frame_size, frame_width } = this.network;
    if (frame_size) return [frame_size[0] / width, frame_size[1] / height];
    const scale = frame_width ? frame_width / width : 1;
    return [scale, scale];
  }
}
