// MediaPipe Holistic's landmarks as the 79 keypoints, and what they tell: whether
// somebody is there, where the hands rest, where the signer stands. As Python has it:
// mmsign.interop.mediapipe_points, clip_statistics, transforms.signer.
//
// A frame's keypoints are a Float32Array of 79 × (x, y, score), x and y in pixels.

import { median, rint } from './maths.js';

const LISTS = ['poseLandmarks', 'faceLandmarks', 'leftHandLandmarks', 'rightHandLandmarks'];

// What Holistic found in a frame of [width, height] pixels.
export function keypointsOf(results, [width, height], network) {
  const points = new Float32Array(3 * network.landmarks.length);
  network.landmarks.forEach(([part, number], k) => {
    const landmark = results[LISTS[part]]?.[number];
    // Shares count from the outer edge of the first pixel.
    const x = landmark ? landmark.x * width - 0.5 : NaN;
    const y = landmark ? landmark.y * height - 0.5 : NaN;
    // Only those of the body have one that means something.
    const score = part === 0 ? (landmark?.visibility ?? 1) : 1;
    const usable = [x, y, score].every((value) => Math.abs(value) < network.unusable);
    const found = [x, y, Math.min(Math.max(score, 0), 1)];
    points.set(usable ? found : [-width, -height, 0], 3 * k);
  });
  return points;
}

// Mean score of some channels.
export function meanScore(points, channels) {
  return channels.reduce((sum, k) => sum + points[3 * k + 2], 0) / channels.length;
}

// Whether the hands rest; where that cannot be seen, as before.
export function isResting(points, before, network) {
  const { rest } = network.statistics;
  const { score: least, upper_body } = network.person;
  if (meanScore(points, upper_body) < least) return true;
  const seen = (k) => points[3 * k + 2] >= least;
  const [left, right] = network.shoulders;
  const wrists = network.wrists.map((k, side) => [k, rest.wrists[side]]);
  const found = wrists.filter(([k]) => seen(k));
  if (!found.length || !seen(left) || !seen(right)) return before;
  const at = (k, axis) => points[3 * k + axis];
  const width = Math.hypot(at(left, 0) - at(right, 0), at(left, 1) - at(right, 1));
  const apart = found.map(([k, place]) =>
    Math.hypot(
      ...[0, 1].map((axis) => {
        const middle = (at(left, axis) + at(right, axis)) / 2;
        return (at(k, axis) - middle) / Math.max(width, 1e-3) - place[axis];
      }),
    ),
  );
  return Math.max(...apart) <= rest.radius;
}

// The crop box [x0, y0, width, height] of some frames of a size.
export function cropBox(frames, size, network) {
  const { crop } = network;
  if (crop.type === 'ClipCenterCrop') {
    const sides = size.map((side) => Math.max(1, rint(crop.fraction * side)));
    return [...size.map((side, k) => Math.floor((side - sides[k]) / 2)), ...sides];
  }
  const [left, right] = network.shoulders.map((k) => 3 * k);
  const both = frames.filter((f) => Math.min(f[left + 2], f[right + 2]) > network.confident);
  const along = (axis) => both.map((f) => f[left + axis] - f[right + axis]);
  const [dx, dy] = [along(0), along(1)];
  const width = both.length ? median(dx.map((x, k) => Math.hypot(x, dy[k]))) : 0;
  let side = Math.max(...size);
  let middle = size.map((length) => length / 2);
  if (width >= 1 && width <= side) {
    middle = [0, 1].map((a) => median(both.map((f) => (f[left + a] + f[right + a]) / 2)));
    middle[1] += crop.below * width;
    side = Math.max(1, rint(crop.size * width));
  }
  return [...middle.map((x) => rint(x - side / 2)), side, side];
}
