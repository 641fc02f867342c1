// One selection, shown wherever the layer is; and the page put together from its data, also again and again.
function show(index) {
  if (page.chosen >= 0) for (const mark of page.marks[page.chosen] || []) mark.classList.remove("on");
  page.chosen = index;
  if (index < 0) {
    at("page-readout").textContent = "";
    showField(-1);
    return;
  }
  for (const mark of page.marks[index]) mark.classList.add("on");
  const layer = page.layers[index];
  const parts = [layer.name, layer.kind, layer.shape, `${exact(layer.params)} parameters`, `${exact(layer.macs)} MACs`, `receptive field ${seen(layer)}`];
  if (layer.live !== null) parts.push(`${amount(layer.live, "B")} alive`);
  at("page-readout").textContent = parts.join("  ·  ");
  showField(index);
}
function keep(index) {
  page.kept = page.kept === index ? -1 : index;
  show(index);
  if (page.kept >= 0) document.dispatchEvent(new CustomEvent("layer", { detail: page.layers[index] }));
}
function follow(element, index, click) {
  page.marks[index].push(element);
  element.addEventListener("pointerenter", () => show(index));
  element.addEventListener("pointerleave", () => show(page.kept));
  element.addEventListener("click", () => {
    keep(index);
    if (click) click();
    else reveal(index);
  });
}
function reveal(index) {
  const row = page.rows[index];
  if (row) row.scrollIntoView({ block: "nearest" });
  centre(index);
}
function revealLine(index) {
  const layer = page.layers[index];
  const line = (page.lines[layer.source] || [])[(layer.lines || [0])[0] - 1];
  if (line) line.scrollIntoView({ block: "nearest" });
}

function mountHead() {
  at("page-inputs").textContent = page.data.inputs.join(", ");
  at("page-totals").replaceChildren(...page.data.totals.map(([name, value]) => {
    const pair = make("div");
    pair.append(make("dt", {}, name), make("dd", {}, value));
    return pair;
  }));
  at("page-warnings").replaceChildren(...page.data.warnings.map((warning) => make("li", {}, warning)));
}

// Each line of the source knows its layers.
function mountSource() {
  const parts = [];
  page.lines = page.data.sources.map((source) => {
    parts.push(make("p", { class: "note" }, source.name));
    const block = make("div", { class: "code" });
    parts.push(block);
    return source.lines.map((text) => {
      const line = make("div", {}, text || " ");
      block.append(line);
      return line;
    });
  });
  at("page-source").replaceChildren(...parts);
  page.layers.forEach((layer, index) => {
    if (layer.source === null || !layer.lines) return;
    for (let n = layer.lines[0]; n <= layer.lines[1]; n++) {
      const line = page.lines[layer.source][n - 1];
      if (!line) continue;
      page.marks[index].push(line);
      if (!line.classList.contains("link")) {
        line.classList.add("link");
        line.addEventListener("pointerenter", () => show(index));
        line.addEventListener("pointerleave", () => show(page.kept));
        line.addEventListener("click", () => { page.kept = -1; keep(index); reveal(index); });
      }
    }
  });
}

// Puts a network on the page; the next one takes its place, and what the reader had chosen stays chosen.
function mount(data) {
  const chosen = page.kept >= 0 ? page.layers[page.kept].name : null;
  Object.assign(page, { data, layers: data.layers, marks: data.layers.map(() => []), rows: [], chosen: -1, kept: -1 });
  mountHead();
  mountTable();
  mountDiagram();
  mountPlots();
  mountQuantized();
  mountAdvice();
  mountSource();
  mountField();
  const again = chosen === null ? -1 : page.layers.findIndex((layer) => layer.name === chosen);
  page.kept = again;
  show(again);
  document.documentElement.dataset.ready = "yes";
}
const given = JSON.parse(at("page-data").textContent);
if (given) mount(given);
