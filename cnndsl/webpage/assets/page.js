"use strict";
// The page works from one JSON document; every text from the program enters it as text, never as markup.
const data = JSON.parse(document.getElementById("page-data").textContent);
const layers = data.layers;
const at = (id) => document.getElementById(id);
const grouped = new Intl.NumberFormat("en-GB");
const exact = (n) => grouped.format(n);
const short = (n) => {
  for (const [size, unit] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "K"]]) if (Math.abs(n) >= size) return `${+(n / size).toPrecision(3)}${unit}`;
  return `${+n.toPrecision(3)}`;
};
// Memory is counted as everywhere in the program: 1 KiB is 1024 bytes.
const memory = (n) => {
  let unit = 0;
  for (; n >= 1000 && unit < 4; unit++) n /= 1024;
  return `${+n.toPrecision(3)} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
};
const amount = (n, unit) => (unit === "B" ? memory(n) : `${short(n)}${unit}`);
const make = (name, attributes = {}, text) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const draw = (name, attributes = {}, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const seen = (layer) => {
  if (!layer.rf) return "–";
  if (layer.rf.state === "global") return "all";
  const one = (numbers) => (new Set(numbers).size === 1 ? numbers[0] : numbers.join("×"));
  return `${layer.rf.state === "unaligned" ? "~" : ""}${one(layer.rf.size)} /${one(layer.rf.stride)}`;
};

// ---- one selection, shown wherever the layer is

const marks = layers.map(() => []);
let chosen = -1;
let kept = -1;
function show(index) {
  if (chosen >= 0) for (const mark of marks[chosen]) mark.classList.remove("on");
  chosen = index;
  if (index < 0) {
    at("page-readout").textContent = "";
    return;
  }
  for (const mark of marks[index]) mark.classList.add("on");
  const layer = layers[index];
  const parts = [layer.name, layer.kind, layer.shape, `${exact(layer.params)} parameters`, `${exact(layer.macs)} MACs`, `receptive field ${seen(layer)}`];
  if (layer.live !== null) parts.push(`${amount(layer.live, "B")} alive`);
  at("page-readout").textContent = parts.join("  ·  ");
}
function follow(element, index, click) {
  marks[index].push(element);
  element.addEventListener("pointerenter", () => show(index));
  element.addEventListener("pointerleave", () => show(kept));
  element.addEventListener("click", () => {
    kept = kept === index ? -1 : index;
    show(index);
    if (click) click();
    else reveal(index);
  });
}
function reveal(index) {
  const row = rows[index];
  if (row) row.scrollIntoView({ block: "nearest" });
  centre(index);
}

// ---- the head

at("page-inputs").textContent = data.inputs.join(", ");
for (const [name, value] of data.totals) {
  const pair = make("div");
  pair.append(make("dt", {}, name), make("dd", {}, value));
  at("page-totals").append(pair);
}
for (const warning of data.warnings) at("page-warnings").append(make("li", {}, warning));

// ---- the diagram: its view box is what is seen of it

const canvas = at("page-canvas");
const svg = canvas.querySelector("svg");
let whole = null;
let view = null;
function look(box) {
  view = box;
  svg.setAttribute("viewBox", box.join(" "));
}
function zoom(factor, x, y) {
  const [left, top, width, height] = view;
  const px = x ?? left + width / 2;
  const py = y ?? top + height / 2;
  const scale = Math.min(Math.max((width * factor) / whole[2], 0.01), 3) * (whole[2] / width);
  look([px - (px - left) * scale, py - (py - top) * scale, width * scale, height * scale]);
}
function inside(event) {
  const point = svg.createSVGPoint();
  point.x = event.clientX;
  point.y = event.clientY;
  return point.matrixTransform(svg.getScreenCTM().inverse());
}
function centre(index) {
  const element = layers[index].element && at(layers[index].element);
  if (!element || !svg) return;
  const there = element.getBoundingClientRect();
  const frame = canvas.getBoundingClientRect();
  if (there.top >= frame.top && there.bottom <= frame.bottom && there.left >= frame.left && there.right <= frame.right) return;
  const point = inside({ clientX: there.left + there.width / 2, clientY: there.top + there.height / 2 });
  look([point.x - view[2] / 2, point.y - view[3] / 2, view[2], view[3]]);
}
if (svg) {
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  whole = svg.getAttribute("viewBox").split(/\s+/).map(Number);
  const fit = () => look([...whole]);
  fit();
  // A tall network begins at its top, at a size that can be read.
  const shape = canvas.clientHeight / Math.max(canvas.clientWidth, 1);
  if (whole[3] / whole[2] > 2 * shape) look([whole[0], whole[1], whole[2], whole[2] * shape]);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const point = inside(event);
    zoom(Math.exp(event.deltaY * 0.0015), point.x, point.y);
  }, { passive: false });
  let held = null;
  canvas.addEventListener("pointerdown", (event) => { held = inside(event); });
  window.addEventListener("pointermove", (event) => {
    if (!held) return;
    const now = inside(event);
    look([view[0] + held.x - now.x, view[1] + held.y - now.y, view[2], view[3]]);
  });
  window.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("keydown", (event) => {
    const step = view[2] / 10;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (moves[event.key]) look([view[0] + moves[event.key][0], view[1] + moves[event.key][1], view[2], view[3]]);
    else if (event.key === "+" || event.key === "=") zoom(0.8);
    else if (event.key === "-") zoom(1.25);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  });
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => ({ in: () => zoom(0.7), out: () => zoom(1.4), fit }[button.dataset.zoom]()));
  }
  const owners = new Map();
  layers.forEach((layer, index) => {
    if (!layer.element) return;
    const element = at(layer.element);
    if (!element) return;
    // Layers that share a box all light it up; pointing at it shows the first of them.
    if (owners.has(layer.element)) marks[index].push(element);
    else {
      owners.set(layer.element, index);
      follow(element, index, () => rows[index].scrollIntoView({ block: "center" }));
    }
  });
}

// ---- plots: a bar for each layer

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
const rows = [];
const plots = at("page-plots");
plots.append(
  plot("Multiply-adds", "", layers.map((l) => l.macs), colours[0]),
  plot("Parameters", "", layers.map((l) => l.params), colours[1]),
  plot("Receptive field, largest axis (pixels)", "", layers.map((l) => (l.rf && l.rf.state !== "global" ? Math.max(...l.rf.size) : null)), colours[2]),
  plot("Memory alive while it runs (without weights)", "B", layers.map((l) => l.live), colours[3]),
);

// ---- the roofline

const roof = at("page-roof");
const dots = new Map();
function roofline() {
  const peak = Number(at("page-peak").value), bandwidth = Number(at("page-bandwidth").value);
  if (!(peak > 0) || !(bandwidth > 0)) return;
  for (const [index, dot] of dots) marks[index].splice(marks[index].indexOf(dot), 1);
  dots.clear();
  roof.replaceChildren();
  const points = layers.map((l, i) => ({ i, x: l.flops / l.moved, flops: l.flops, moved: l.moved })).filter((p) => p.flops > 0 && p.moved > 0);
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
  if (chosen >= 0) show(chosen);
}
for (const id of ["page-peak", "page-bandwidth"]) at(id).addEventListener("input", roofline);
roofline();

// ---- the table

const columns = [
  ["layer", (l) => l.name, (l, i) => i],
  ["kind", (l) => l.kind, (l) => l.kind],
  ["output", (l) => l.shape, (l) => l.bytes],
  ["parameters", (l) => (l.params ? exact(l.params) : "–"), (l) => l.params],
  ["MACs", (l) => (l.macs ? exact(l.macs) : "–"), (l) => l.macs],
  ["FLOPs/byte", (l) => (l.flops && l.moved ? (l.flops / l.moved).toPrecision(3) : "–"), (l) => (l.moved ? l.flops / l.moved : 0)],
  ["receptive field", seen, (l) => (!l.rf ? -1 : l.rf.state === "global" ? Infinity : Math.max(...l.rf.size))],
];
const head = make("tr");
const body = at("page-layers").querySelector("tbody");
columns.forEach(([name, , key], column) => {
  const cell = make("th", { scope: "col", "aria-sort": column ? "none" : "ascending" });
  const button = make("button", { type: "button" }, name);
  button.addEventListener("click", () => {
    const down = cell.getAttribute("aria-sort") !== "descending" && !(column < 2 && cell.getAttribute("aria-sort") === "none");
    for (const other of head.children) other.setAttribute("aria-sort", "none");
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    const order = layers.map((layer, index) => [key(layer, index), index]);
    order.sort(([a, i], [b, j]) => (a < b ? -1 : a > b ? 1 : i - j) * (down ? -1 : 1));
    body.append(...order.map(([, index]) => rows[index]));
  });
  cell.append(button);
  head.append(cell);
});
at("page-layers").querySelector("thead").append(head);
const shares = { 3: ["params", layers.reduce((s, l) => s + l.params, 0)], 4: ["macs", layers.reduce((s, l) => s + l.macs, 0)] };
layers.forEach((layer, index) => {
  const row = make("tr", { tabindex: "0" });
  columns.forEach(([, text], column) => {
    const cell = make("td", { "data-name": columns[column][0] }, text(layer));
    if (shares[column] && shares[column][1]) {
      cell.className = "share";
      cell.style.backgroundSize = `${(100 * layer[shares[column][0]]) / shares[column][1]}% 3px`;
    }
    row.append(cell);
  });
  rows.push(row);
  follow(row, index, () => {
    centre(index);
    const line = lines[layer.source] && lines[layer.source][(layer.lines || [0])[0] - 1];
    if (line) line.scrollIntoView({ block: "nearest" });
  });
  row.addEventListener("focus", () => show(index));
  body.append(row);
});
at("page-filter").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  layers.forEach((layer, index) => {
    const text = `${layer.name} ${layer.kind} ${layer.shape}`.toLowerCase();
    rows[index].hidden = !wanted.every((word) => text.includes(word));
  });
});

// ---- the source: each line knows its layers

const lines = [];
data.sources.forEach((source, number) => {
  at("page-source").append(make("p", { class: "note" }, source.name));
  const block = make("div", { class: "code" });
  lines.push(source.lines.map((text) => {
    const line = make("div", {}, text || " ");
    block.append(line);
    return line;
  }));
  at("page-source").append(block);
});
layers.forEach((layer, index) => {
  if (layer.source === null || !layer.lines) return;
  for (let n = layer.lines[0]; n <= layer.lines[1]; n++) {
    const line = lines[layer.source][n - 1];
    if (!line) continue;
    marks[index].push(line);
    if (!line.classList.contains("link")) {
      line.classList.add("link");
      line.addEventListener("pointerenter", () => show(index));
      line.addEventListener("pointerleave", () => show(kept));
      line.addEventListener("click", () => { kept = index; show(index); reveal(index); });
    }
  }
});
document.documentElement.dataset.ready = "yes";
