// The table of layers: sorted by any column, filtered by words.
const columns = [
  ["layer", (l) => l.name, (l, i) => i],
  ["kind", (l) => l.kind, (l) => l.kind],
  ["output", (l) => l.shape, (l) => l.bytes],
  ["parameters", (l) => (l.params ? exact(l.params) : "–"), (l) => l.params],
  ["MACs", (l) => (l.macs ? exact(l.macs) : "–"), (l) => l.macs],
  ["FLOPs/byte", (l) => (l.flops && l.moved ? (l.flops / l.moved).toPrecision(3) : "–"), (l) => (l.moved ? l.flops / l.moved : 0)],
  ["receptive field", seen, (l) => (!l.rf ? -1 : l.rf.state === "global" ? Infinity : Math.max(...l.rf.size))],
];
// Times are there where they were asked for.
const timed = JSON.parse(at("page-data").textContent)?.layers?.some((l) => l.seconds !== null);
if (timed) columns.splice(5, 0, ["latency", (l) => l.time ?? "–", (l) => l.seconds ?? 0]);
const table = { column: 0, down: false, cells: [] };
function sorted() {
  const [, , key] = columns[table.column];
  table.cells.forEach((cell, column) => cell.setAttribute("aria-sort", column !== table.column ? "none" : table.down ? "descending" : "ascending"));
  const order = page.layers.map((layer, index) => [key(layer, index), index]);
  order.sort(([a, i], [b, j]) => (a < b ? -1 : a > b ? 1 : i - j) * (table.down ? -1 : 1));
  at("page-layers").querySelector("tbody").append(...order.map(([, index]) => page.rows[index]));
}
function filtered() {
  const wanted = at("page-filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  page.layers.forEach((layer, index) => {
    const text = `${layer.name} ${layer.kind} ${layer.shape}`.toLowerCase();
    page.rows[index].hidden = !wanted.every((word) => text.includes(word));
  });
}
const head = make("tr");
columns.forEach(([name], column) => {
  const cell = make("th", { scope: "col", "aria-sort": column ? "none" : "ascending" });
  const button = make("button", { type: "button" }, name);
  button.addEventListener("click", () => {
    // A column of figures is sorted from the largest at first, one of words from the letter A.
    table.down = table.column === column ? !table.down : column > 1;
    table.column = column;
    sorted();
  });
  cell.append(button);
  table.cells.push(cell);
  head.append(cell);
});
at("page-layers").querySelector("thead").append(head);
at("page-filter").addEventListener("input", filtered);
function mountTable() {
  const sum = (name) => page.layers.reduce((s, l) => s + l[name], 0);
  const shares = { 3: ["params", sum("params")], 4: ["macs", sum("macs")] };
  const focused = document.activeElement?.closest?.("#page-layers tbody tr")?.dataset.layer;
  at("page-layers").querySelector("tbody").replaceChildren();
  page.layers.forEach((layer, index) => {
    const row = make("tr", { tabindex: "0", "data-layer": layer.name });
    columns.forEach(([, text], column) => {
      const cell = make("td", { "data-name": columns[column][0] }, text(layer));
      if (shares[column] && shares[column][1]) {
        cell.className = "share";
        cell.style.backgroundSize = `${(100 * layer[shares[column][0]]) / shares[column][1]}% 3px`;
      }
      row.append(cell);
    });
    page.rows.push(row);
    follow(row, index, () => { centre(index); revealLine(index); });
    row.addEventListener("focus", () => show(index));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") row.click(); });
  });
  sorted();
  filtered();
  if (focused !== undefined) page.rows[page.layers.findIndex((layer) => layer.name === focused)]?.focus({ preventScroll: true });
}
