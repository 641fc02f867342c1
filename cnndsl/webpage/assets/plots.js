// Plots: a bar for each layer; and the roofline.
const colours = ["var(--a)", "var(--b)", "var(--c)", "var(--d)"];
function plot(caption, unit, values, colour) {
  const width = 420, height = 166, left = 46, bottom = 28, top = 8;
  const most = Math.max(...values.map((v) => v ?? 0), 1e-12);
  const figure = make("figure");
  figure.append(make("figcaption", {}, caption));
  const picture = draw("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${caption}, at most ${amount(most, unit)}` });
  for (const part of [0, 0.5, 1]) {
    const y = height - bottom - part * (height - bottom - top);
    picture.append(draw("line", { class: "axis", x1: left, x2: width, y1: y, y2: y }), draw("text", { x: left - 4, y: y + 3, "text-anchor": "end" }, amount(most * part, unit)));
  }
  const wide = (width - left) / Math.max(values.length, 1);
  // The x axis: layers in order of execution, numbered from 1.
  const last = values.length - 1;
  for (const index of new Set([0, Math.round(last / 2), last])) {
    if (index < 0) continue;
    picture.append(draw("text", { x: left + (index + 0.5) * wide, y: height - bottom + 11, "text-anchor": index === last ? "end" : index ? "middle" : "start" }, `${index + 1}`));
  }
  picture.append(draw("text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle" }, "layer, in order of execution"));
  values.forEach((value, index) => {
    const group = draw("g");
    group.append(draw("rect", { class: "hit", x: left + index * wide, y: top, width: wide, height: height - bottom - top }));
    if (value) {
      const tall = (value / most) * (height - bottom - top);
      group.append(draw("rect", { class: "bar", x: left + index * wide + wide * 0.1, y: height - bottom - tall, width: Math.max(wide * 0.8, 0.6), height: tall, fill: colour }));
    }
    follow(group, index);
    picture.append(group);
  });
  figure.append(picture);
  return figure;
}
function mountPlots() {
  const layers = page.layers;
  at("page-plots").replaceChildren(
    plot("Multiply-adds", "", layers.map((l) => l.macs), colours[0]),
    plot("Parameters", "", layers.map((l) => l.params), colours[1]),
    plot("Receptive field, largest axis (pixels)", "", layers.map((l) => (l.rf && l.rf.state !== "global" ? Math.max(...l.rf.size) : null)), colours[2]),
    plot("Memory alive while it runs (without weights)", "B", layers.map((l) => l.live), colours[3]),
    ...(timed ? [plot("Latency, estimated (seconds)", "", layers.map((l) => l.seconds), colours[0])] : []),
  );
  dots.clear();
  roofline();
}

const roof = at("page-roof");
const dots = new Map();
function roofline() {
  const peak = Number(at("page-peak").value), bandwidth = Number(at("page-bandwidth").value);
  if (!page.data || !(peak > 0) || !(bandwidth > 0)) return;
  for (const [index, dot] of dots) page.marks[index].splice(page.marks[index].indexOf(dot), 1);
  dots.clear();
  roof.replaceChildren();
  const points = page.layers.map((l, i) => ({ i, x: l.flops / l.moved, flops: l.flops, moved: l.moved })).filter((p) => p.flops > 0 && p.moved > 0);
  const total = points.reduce((sum, p) => sum + p.flops, 0);
  const bound = points.reduce((sum, p) => sum + Math.max(p.flops / peak, p.moved / bandwidth), 0) / 1e6;
  at("page-bound").textContent = ` At best ${+bound.toPrecision(3)} ms for one input, if nothing is fused.`;
  const width = 640, height = 260, left = 54, bottom = 26, top = 10;
  const ridge = peak / bandwidth;
  const low = Math.floor(Math.log10(Math.min(...points.map((p) => p.x), ridge / 10, 0.1)));
  const high = Math.ceil(Math.log10(Math.max(...points.map((p) => p.x), ridge * 10)));
  const roofAt = (x) => Math.min(peak, x * bandwidth);
  const floor = Math.floor(Math.log10(roofAt(10 ** low))), ceiling = Math.ceil(Math.log10(peak * 1.01));
  const px = (x) => left + ((Math.log10(x) - low) / (high - low)) * (width - left - 8);
  const py = (y) => height - bottom - ((Math.log10(y) - floor) / (ceiling - floor)) * (height - bottom - top);
  const picture = draw("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Roofline of the layers" });
  for (let e = low; e <= high; e++) picture.append(draw("line", { class: "axis", x1: px(10 ** e), x2: px(10 ** e), y1: top, y2: height - bottom }), draw("text", { x: px(10 ** e), y: height - bottom + 12, "text-anchor": "middle" }, short(10 ** e)));
  for (let e = floor; e <= ceiling; e++) picture.append(draw("line", { class: "axis", x1: left, x2: width - 8, y1: py(10 ** e), y2: py(10 ** e) }), draw("text", { x: left - 4, y: py(10 ** e) + 3, "text-anchor": "end" }, short(10 ** e)));
  picture.append(draw("text", { x: width - 8, y: height - 2, "text-anchor": "end" }, "FLOPs per byte"), draw("text", { x: left + 6, y: top + 11 }, "GFLOP/s attainable"));
  picture.append(draw("polyline", { class: "roof", points: [10 ** low, ridge, 10 ** high].map((x) => `${px(x)},${py(roofAt(x))}`).join(" ") }));
  for (const p of points.sort((a, b) => b.flops - a.flops)) {
    const group = draw("g");
    group.append(draw("circle", { class: "dot", cx: px(p.x), cy: py(roofAt(p.x)), r: Math.max(2, 26 * Math.sqrt(p.flops / total)) }));
    follow(group, p.i);
    dots.set(p.i, group);
    picture.append(group);
  }
  roof.append(picture);
  if (page.chosen >= 0) show(page.chosen);
}
for (const id of ["page-peak", "page-bandwidth"]) at(id).addEventListener("input", roofline);
