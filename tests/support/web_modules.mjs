// The page's modules on their own: node web_modules.mjs .../mmsign/web/packages.py
// reads what is to be computed from standard input, as JSON, and prints the results.

import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = join(dirname(resolve(process.argv[2])), 'page');
const load = (name) => import(pathToFileURL(join(folder, name)).href);
const { decode, prefixBeamSearch } = await load('ctc.js');
const { cropBox, isResting, keypointsOf } = await load('keypoints.js');
const { webVTT } = await load('captions.js');

const floats = (rows) => rows.map((row) => Float32Array.from(row, (x) => x ?? -Infinity));
const work = {
  decode: ({ rows, ...settings }) => decode(floats(rows), settings),
  beam: ({ rows, width, blank }) => prefixBeamSearch(floats(rows), width, blank),
  keypoints: ({ results, size, network }) => Array.from(keypointsOf(results, size, network)),
  box: ({ frames, size, network }) => cropBox(floats(frames), size, network),
  resting: ({ frames, network }) => {
    let before = true;
    return floats(frames).map((frame) => (before = isResting(frame, before, network)));
  },
  captions: webVTT,
};
const given = JSON.parse(readFileSync(0, 'utf-8'));
const found = Object.entries(given).map(([name, cases]) => [name, cases.map(work[name])]);
process.stdout.write(JSON.stringify(Object.fromEntries(found)));
