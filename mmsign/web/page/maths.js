// What numpy and Python have and JavaScript does not.

// To the nearest whole number, of two equally near ones the even one.
export function rint(x) {
  const low = Math.floor(x);
  const apart = x - low;
  if (apart !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

// To four digits behind the point.
export const round4 = (x) => Math.round(x * 1e4) / 1e4;

export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// ln(e^a + e^b)
export function logAdd(a, b) {
  const [high, low] = a < b ? [b, a] : [a, b];
  return low === -Infinity ? high : high + Math.log1p(Math.exp(low - high));
}
