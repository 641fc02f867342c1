// What one position of a layer's map sees of a picture: of the layer that is pointed at, at the position that is pointed at.
const field = { svg: null, photo: null, index: -1, at: null };
function mountField() {
  const size = page.data.picture;
  at("page-field-section").hidden = !size;
  if (!size) return;
  const [height, width] = size;
  const margin = Math.max(height, width) / 4;
  const frame = { x: -margin, y: -margin, width: width + 2 * margin, height: height + 2 * margin };
  field.svg = draw("svg", { class: "plot", viewBox: `${frame.x} ${frame.y} ${frame.width} ${frame.height}` });
  field.svg.append(draw("rect", { class: "padding", ...frame }), draw("rect", { class: "sheet", x: 0, y: 0, width, height }));
  // Without a photograph the pixels are shown in squares of eight.
  for (let n = 8; n < Math.max(height, width); n += 8) {
    if (n < width) field.svg.append(draw("line", { class: "axis", x1: n, x2: n, y1: 0, y2: height }));
    if (n < height) field.svg.append(draw("line", { class: "axis", x1: 0, x2: width, y1: n, y2: n }));
  }
  if (field.photo) field.svg.append(draw("image", { href: field.photo, x: 0, y: 0, width, height, preserveAspectRatio: "none" }));
  field.svg.append(draw("rect", { class: "seen" }), draw("circle", { class: "centre", r: Math.max(height, width) / 90 }));
  at("page-field").replaceChildren(field.svg);
  showField(page.kept);
}
// Without a layer that is pointed at, the last one that does not see everything.
function shownLayer(index) {
  if (index >= 0 && page.layers[index].views) return index;
  if (index >= 0) return -1;
  return page.layers.findLastIndex((layer) => layer.views && layer.views.every((view) => view.state !== "global"));
}
function showField(index) {
  if (!page.data || !page.data.picture) return;
  field.index = shownLayer(index);
  const said = at("page-field-said");
  const box = field.svg.querySelector(".seen");
  const dot = field.svg.querySelector(".centre");
  const layer = page.layers[field.index];
  box.classList.toggle("gone", !layer);
  dot.classList.toggle("gone", !layer);
  if (!layer) {
    said.textContent = index >= 0 ? `${page.layers[index].name}: its positions lie in no picture` : "";
    return;
  }
  const [height, width] = page.data.picture;
  const [row, column] = position(layer);
  const sides = [row, column].map((n, axis) => {
    const view = layer.views[axis];
    if (view.state === "global") return [0, [height, width][axis]];
    return [view.stride * n + view.first, view.stride * n + view.last + 1];
  });
  const [[top, bottom], [left, right]] = sides;
  for (const [name, value] of Object.entries({ x: left, y: top, width: right - left, height: bottom - top })) box.setAttribute(name, value);
  dot.setAttribute("cx", (left + right) / 2);
  dot.setAttribute("cy", (top + bottom) / 2);
  const whole = layer.views.every((view) => view.state === "global");
  const loose = layer.views.some((view) => view.state === "unaligned");
  const outside = top < 0 || left < 0 || bottom > height || right > width;
  said.textContent = `${layer.name}, position ${row}, ${column} of ${layer.positions.join("×")}: ` + (whole ? "sees the whole picture" :
    `sees ${bottom - top}×${right - left} pixels, rows ${top} to ${bottom - 1}, columns ${left} to ${right - 1}${outside ? ", of which some are padding" : ""}${loose ? "; paths of several centres or strides: all of them lie within" : ""}`);
}
// The position of the map whose centre is nearest to the point of the picture that was pointed at; else the middle of the map.
function position(layer) {
  return layer.views.map((view, axis) => {
    const most = layer.positions[axis] - 1;
    if (!field.at || view.state === "global" || !view.stride) return Math.floor(most / 2);
    return Math.min(Math.max(Math.round((field.at[axis] - (view.first + view.last + 1) / 2) / view.stride), 0), most);
  });
}
at("page-field").addEventListener("pointermove", (event) => {
  const point = field.svg.createSVGPoint();
  point.x = event.clientX;
  point.y = event.clientY;
  const there = point.matrixTransform(field.svg.getScreenCTM().inverse());
  field.at = [there.y, there.x];
  showField(page.kept);
});
at("page-field").addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const layer = page.layers[field.index];
  if (!moves[event.key] || !layer) return;
  const now = position(layer);
  field.at = layer.views.map((view, axis) => {
    const next = Math.min(Math.max(now[axis] + moves[event.key][axis], 0), layer.positions[axis] - 1);
    return (view.stride || 0) * next + (view.first + view.last + 1) / 2;
  });
  showField(page.kept);
  event.preventDefault();
});
at("page-photo").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (field.photo && field.photo.startsWith("blob:")) URL.revokeObjectURL(field.photo);
  field.photo = file ? URL.createObjectURL(file) : null;
  if (page.data) mountField();
});
