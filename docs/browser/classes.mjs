/* Packages of `--target wasm32` that name classes: how their manifest says that pictures are read, and what their outputs say.
 *
 *     const package = await opened("digits");      // a folder beside this file, as `cnndsl compile` wrote it
 *     for (const [label, share] of shares(package, context.getImageData(0, 0, width, height))) …
 */
// The package in a folder beside this page: what its manifest says, and the network.
export async function opened(folder) {
  const answer = await fetch(`${folder}/manifest.json`);
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}; \`cnndsl compile … --to tvm --target wasm32 -o ${folder}\` makes a package beside this page`);
  const told = await answer.json(), { weights, programs: [{ library }] } = told.variants[0];
  if (!["classes", "tags"].includes(told.answer?.kind)) throw new Error("its manifest names no classes");
  if (!["whole", "centre"].includes(told.pictures?.fit) || told.pictures.mosaic) throw new Error("this page cannot read pictures for it");
  const { Network } = await import(`./${folder}/network.mjs`);
  return { told, network: await Network.open(await fetch(`${folder}/${library}`), await fetch(`${folder}/${weights}`)) };
}

// Pillow's filters, by the distance from the middle: how far they reach, and how much a pixel counts there.
const FILTERS = {
  bilinear: [1, (x) => Math.max(0, 1 - x)],
  bicubic: [2, (x) => x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0],
};

// The rows of a plane of bytes brought to another length as Pillow does it, and transposed: twice is both axes.
function resampled(plane, width, height, wanted, [reach, weight]) {
  const step = width / wanted, wide = Math.max(step, 1), made = new Uint8ClampedArray(wanted * height);
  for (let i = 0; i < wanted; ++i) {
    const middle = (i + 0.5) * step, first = Math.max(0, Math.trunc(middle - reach * wide + 0.5));
    const last = Math.min(width, Math.trunc(middle + reach * wide + 0.5));
    const weights = Float64Array.from({ length: last - first }, (_, k) => weight(Math.abs(first + k - middle + 0.5) / wide));
    const sum = weights.reduce((a, b) => a + b);
    for (let y = 0; y < height; ++y) {
      let total = 0;
      for (let k = 0; k < weights.length; ++k) total += weights[k] * plane[y * width + first + k];
      made[i * height + y] = Math.floor(total / sum + 0.5);
    }
  }
  return made;
}

// Python's round: halves go to the even number.
const rounded = (x) => Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);

// Pixels (ImageData) as the manifest says that the network wants them: a Float32Array, channel by channel.
function prepared({ data, width, height }, [channels, high, wide], { fit, resize, crop, interpolation, order, scale, mean, std }) {
  const [w, h] = fit === "whole" ? [wide, high] : [wide, high].map((length) => rounded((length * resize) / crop));
  const [across, down] = fit === "whole" ? [w, h] : w * height >= h * width  // all of w×h is covered
    ? [w, Math.max(h, Math.floor((w * height) / width))] : [Math.max(w, Math.floor((h * width) / height)), h];
  const left = rounded((across - wide) / 2), top = rounded((down - high) / 2), made = new Float32Array(channels * high * wide);
  for (let c = 0; c < channels; ++c) {
    const from = order === "BGR" && channels === 3 ? 2 - c : c;
    let plane = Uint8Array.from({ length: width * height }, (_, i) => channels === 3 ? data[4 * i + from]
      : (19595 * data[4 * i] + 38470 * data[4 * i + 1] + 7471 * data[4 * i + 2] + 32768) >> 16);
    plane = resampled(resampled(plane, width, height, across, FILTERS[interpolation]), height, across, down, FILTERS[interpolation]);
    for (let y = 0; y < high; ++y) for (let x = 0; x < wide; ++x)
      made[(c * high + y) * wide + x] = ((plane[(y + top) * across + x + left] / 255) * scale - (mean[c] ?? 0)) / (std[c] ?? 1);
  }
  return made;
}

// What a network says of pixels: [class, share] for each class.
export function shares({ told, network }, pixels) {
  const [{ name, shape }] = told.inputs, found = network.run({ [name]: prepared(pixels, shape, told.pictures) });
  const scores = Array.from(found[told.answer.output || told.outputs[0].name]), most = Math.max(...scores);
  const sum = (values) => values.reduce((a, b) => a + b, 0), powers = scores.map((score) => Math.exp(score - most));
  const are = told.answer.kind === "tags" || (Math.min(...scores) >= 0 && Math.abs(sum(scores) - 1) <= 1e-3);
  return told.answer.classes.map((label, i) => [label, are ? scores[i] : powers[i] / sum(powers)]);
}
