// The diagram: its view box is what is seen of it.
const canvas = at("page-canvas");
let svg = null;
let whole = null;
let view = null;
function look(box) {
  view = box;
  svg.setAttribute("viewBox", box.join(" "));
}
function fit() {
  look([...whole]);
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
function middle(element) {
  const there = element.getBoundingClientRect();
  return inside({ clientX: there.left + there.width / 2, clientY: there.top + there.height / 2 });
}
function centre(index) {
  const element = svg && page.layers[index].element && at(page.layers[index].element);
  if (!element) return;
  const there = element.getBoundingClientRect();
  const frame = canvas.getBoundingClientRect();
  if (there.top >= frame.top && there.bottom <= frame.bottom && there.left >= frame.left && there.right <= frame.right) return;
  const point = middle(element);
  look([point.x - view[2] / 2, point.y - view[3] / 2, view[2], view[3]]);
}
// A tall network begins at its top, at a size that can be read.
function begin() {
  fit();
  const shape = canvas.clientHeight / Math.max(canvas.clientWidth, 1);
  if (whole[3] / whole[2] > 2 * shape) look([whole[0], whole[1], whole[2], whole[2] * shape]);
}
// What is to stay where it is when another picture comes: the layer that was chosen, or the one nearest to the middle.
function held() {
  if (!svg) return null;
  const chosen = page.kept >= 0 && page.layers[page.kept].element && at(page.layers[page.kept].element);
  if (chosen) return { id: chosen.id, at: middle(chosen) };
  const frame = canvas.getBoundingClientRect();
  const x = frame.left + frame.width / 2, y = frame.top + frame.height / 2;
  let best = null;
  for (const element of svg.querySelectorAll("[id^='op:'],[id^='op%3A']")) {
    const box = element.getBoundingClientRect();
    const far = Math.hypot((box.left + box.right) / 2 - x, (box.top + box.bottom) / 2 - y);
    if (!best || far < best.far) best = { id: element.id, far, at: middle(element) };
  }
  return best;
}
// Another drawing takes the place of the one that is shown, at the same zoom, and what was in the middle stays there.
function swap(drawing) {
  const anchor = held();
  const before = view && { view, whole };
  canvas.replaceChildren(drawing);
  prepare();
  if (!before || String(before.view) === String(before.whole)) return;
  look(before.view);
  const now = anchor && at(anchor.id);
  if (!now) return;
  const point = middle(now);
  look([before.view[0] + point.x - anchor.at.x, before.view[1] + point.y - anchor.at.y, before.view[2], before.view[3]]);
}
function prepare() {
  svg = canvas.querySelector("svg");
  if (!svg) return;
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  whole = svg.getAttribute("viewBox").split(/\s+/).map(Number);
  begin();
}
let grip = null;
canvas.addEventListener("wheel", (event) => {
  if (!svg) return;
  event.preventDefault();
  const point = inside(event);
  zoom(Math.exp(event.deltaY * 0.0015), point.x, point.y);
}, { passive: false });
canvas.addEventListener("pointerdown", (event) => { grip = svg && inside(event); });
window.addEventListener("pointermove", (event) => {
  if (!grip || !svg) return;
  const now = inside(event);
  look([view[0] + grip.x - now.x, view[1] + grip.y - now.y, view[2], view[3]]);
});
window.addEventListener("pointerup", () => { grip = null; });
canvas.addEventListener("keydown", (event) => {
  if (!svg || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = view[2] / 10;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step], h: [-step, 0], l: [step, 0], k: [0, -step], j: [0, step] };
  if (moves[event.key]) look([view[0] + moves[event.key][0], view[1] + moves[event.key][1], view[2], view[3]]);
  else if (event.key === "+" || event.key === "=") zoom(0.8);
  else if (event.key === "-") zoom(1.25);
  else if (event.key === "0") fit();
  else return;
  event.preventDefault();
});
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => svg && ({ in: () => zoom(0.7), out: () => zoom(1.4), fit }[button.dataset.zoom]()));
}
function mountDiagram() {
  if (!svg) prepare();
  if (!svg) return;
  const owners = new Map();
  page.layers.forEach((layer, index) => {
    if (!layer.element) return;
    const element = at(layer.element);
    if (!element) return;
    // Layers that share a box all light it up; pointing at it shows the first of them.
    if (owners.has(layer.element)) page.marks[index].push(element);
    else {
      owners.set(layer.element, index);
      follow(element, index, () => { page.rows[index].scrollIntoView({ block: "center" }); });
    }
  });
}
