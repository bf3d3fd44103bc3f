// A stream of recorded keypoints through the page's recognizer, in Node or a browser.

export async function recognize(model, LiveRecognizer, { size, frames, seconds }) {
  const points = frames.map((frame) => Float32Array.from(frame.flat()));
  const live = new LiveRecognizer(model);
  const events = [];
  const keep = (event) => event && events.push(event);
  model.seconds = 0;
  const began = performance.now();
  for (const [k, frame] of points.entries()) {
    keep(await live.feed(frame, size, seconds[k]));
  }
  keep(await live.finish());
  const compute = (performance.now() - began) / 1000;
  const clip = points.slice(0, model.network.stride * 4);
  const rows = await model.logProbs(clip, size, true);
  return { events, compute, rows: rows.map((row) => Array.from(row)) };
}
