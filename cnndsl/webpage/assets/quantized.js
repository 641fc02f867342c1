// What quantising cost, layer by layer, where the page was made with it.
function mountQuantized() {
  const section = at("page-quantized");
  const cost = page.data.quantized;
  section.hidden = !cost;
  if (!cost) return;
  section.querySelector("p").textContent = `${cost.facts.join(". ")}. Last column: how the layer’s results lie over the numbers from 0 to 255.`;
  const heading = make("tr");
  for (const name of [...cost.head, "0 to 255"]) heading.append(make("th", {}, name));
  section.querySelector("thead").replaceChildren(heading);
  section.querySelector("tbody").replaceChildren(...cost.rows.map((row) => {
    const line = make("tr");
    for (const cell of row.cells) line.append(make("td", {}, cell));
    const last = make("td");
    if (row.histogram) {
      const most = Math.max(...row.histogram, 1);
      const plot = draw("svg", { class: "plot histogram", viewBox: "0 0 64 16", role: "img" });
      plot.append(draw("title", {}, row.histogram.map((count, bin) => `${16 * bin} to ${16 * bin + 15}: ${exact(count)}`).join("\n")));
      row.histogram.forEach((count, bin) => {
        const height = count ? Math.max(1, (16 * count) / most) : 0;
        plot.append(draw("rect", { class: "bar", x: 4 * bin, y: 16 - height, width: 3.4, height }));
      });
      last.append(plot);
    }
    line.append(last);
    follow(line, row.layer, () => centre(row.layer));
    return line;
  }));
}
