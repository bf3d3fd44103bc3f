// Captions of timed glosses, as mmsign.interop.subtitles writes them.

function clock(seconds) {
  const all = Math.round(1000 * seconds);
  const two = (value) => String(value).padStart(2, '0');
  const parts = [all / 3600000, (all / 60000) % 60, (all / 1000) % 60];
  const thousandths = String(all % 1000).padStart(3, '0');
  return `${parts.map((part) => two(Math.floor(part))).join(':')}.${thousandths}`;
}

const escaped = (text) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

export function webVTT(glosses) {
  const cues = glosses.map(
    ({ gloss, start, end }) => `${clock(start)} --> ${clock(end)}\n${escaped(gloss)}\n`,
  );
  return `${['WEBVTT\n', ...cues].join('\n')}\n`;
}
