// Where parameters, MACs and time go, and changes of the text that were tried, where the page was made with them.
function mountAdvice() {
  const section = at("page-advice");
  const advice = page.data.advice;
  section.hidden = !advice;
  if (!advice) return;
  at("page-shares").replaceChildren(...advice.shares.map(([figure, parts]) => {
    const pair = make("div");
    const list = make("dd");
    for (const [layer, share] of parts) {
      const button = make("button", { type: "button", class: "share", style: `background-size:${share.replace(" ", "")} 3px` });
      const { name, kind } = page.layers[layer];
      button.append(make("code", {}, name), ` ${kind} `, make("b", {}, share));
      follow(button, layer, () => { reveal(layer); revealLine(layer); });
      list.append(button);
    }
    pair.append(make("dt", {}, figure), list);
    return pair;
  }));
  const told = section.querySelectorAll("h2")[1];
  const note = section.querySelector(".note");
  told.hidden = note.hidden = !advice.changes;
  const changes = advice.changes ?? [];
  if (advice.changes && !changes.length) note.textContent = `${advice.nothing[0].toUpperCase()}${advice.nothing.slice(1)}.`;
  at("page-changes").replaceChildren(...changes.map((change) => {
    const part = make("div", { class: "change" });
    const words = make("p");
    words.append(`${change.kind}, at ${change.at}: write `, make("code", {}, change.new), " for ", make("code", {}, change.old));
    const figures = make("table");
    const body = make("tbody");
    for (const [name, before, after] of change.figures) {
      const line = make("tr");
      line.append(make("th", { scope: "row" }, name), make("td", {}, before), make("td", {}, `→ ${after}`));
      body.append(line);
    }
    figures.append(body);
    part.append(words, figures);
    if (change.layer !== null) follow(part, change.layer, () => { centre(change.layer); revealLine(change.layer); });
    return part;
  }));
}
