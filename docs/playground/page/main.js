// The playground: a text, what is known of it as it is typed, and the network in five forms.
import { Editor } from "./editor.js";
import { Python } from "./python.js";
import { packed, unpacked } from "./share.js";

const at = (id) => document.getElementById(id);
const make = (name, attributes = {}, text) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const say = (text) => { at("status").textContent = text; };
const START = `# Type here. Figures at the ends of lines are exact, and change as you type.
input 3×32×32
default Conv(bias=false)

Conv3x3(32) → BN → ReLU → MaxPool
→ [ add{ Conv3x3(32) → BN → ReLU → Conv3x3(32) → BN | id } → ReLU ]×3
→ MaxPool → Conv3x3(64) → BN → ReLU → GlobalAvgPool → FC(10)
`;
const VIEWS = { table: "Table", diagram: "Diagram", pytorch: "PyTorch", json: "JSON", mermaid: "Mermaid" };
const KEPT = "cnndsl-text";

// ---- what is asked while somebody types: of several states only the last one

let view = "diagram";
let model = null;
let busy = false;
let again = false;
let edited = 0;
async function ask(request) {
  try {
    return (await python.ask(request)).answer;
  } catch (error) {
    say(error.message);
    return null;
  }
}
function changed(text) {
  if (text) {
    edited = performance.now();
    try { localStorage.setItem(KEPT, editor.text); } catch { /* a browser that keeps nothing still has the text */ }
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  }
  refresh();
}
async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  do {
    again = false;
    const began = edited, text = editor.text;
    const state = await ask({ what: "edit", text, cursor: editor.cursor });
    if (!state || editor.text !== text) { again = again || editor.text !== text; continue; }
    editor.tell(state.problems, state.hints);
    model = state.model;
    showProblems(state.problems);
    showTotals(state);
    await showView();
    if (began) document.documentElement.dataset.took = String(Math.round(performance.now() - began));
    document.documentElement.dataset.shown = String(Number(document.documentElement.dataset.shown || 0) + 1);
  } while (again);
  busy = false;
}
async function showView() {
  const shown = view;
  const found = await ask({ what: "view", kind: shown, model });
  if (!found || shown !== view) return;
  const panel = at("view");
  panel.classList.toggle("stale", found.content === null);
  if (found.wrong) { panel.replaceChildren(make("p", {}, found.wrong)); return; }
  if (found.content === null) return;
  panel.dataset.content = shown;
  const [left, top] = [panel.scrollLeft, panel.scrollTop];
  if (shown === "table" || shown === "diagram") panel.replaceChildren(...parsed(found.content, shown));
  else panel.replaceChildren(make("pre", {}, found.content));
  panel.scrollTo(left, top);
}
// Markup that Python made of a program whose texts it has escaped; the page's policy lets nothing in it run.
function parsed(text, kind) {
  const document_ = new DOMParser().parseFromString(text, kind === "diagram" ? "image/svg+xml" : "text/html");
  if (kind === "diagram") {
    const svg = document.adoptNode(document_.documentElement);
    return [svg];
  }
  return [...document_.body.childNodes].map((node) => document.adoptNode(node));
}
function showTotals({ totals, models }) {
  at("totals").classList.toggle("stale", !totals);
  if (totals) at("totals").replaceChildren(...totals.map(([name, value]) => {
    const pair = make("div");
    pair.append(make("dt", {}, name), make("dd", {}, value));
    return pair;
  }));
  at("models").hidden = models.length < 2;
  at("model").replaceChildren(...models.map((name) => make("option", { value: name, ...(name === model ? { selected: "" } : {}) }, name)));
}
function showProblems(problems) {
  at("problems").replaceChildren(...problems.map((problem) => {
    const box = make("div", { class: `problem ${problem.severity}` });
    box.append(make("p", { class: "head" }, `${problem.severity}, line ${problem.line}: ${problem.message}`));
    if (problem.found) box.append(make("p", {}, problem.found));
    for (const note of problem.notes) box.append(make("p", { class: "quiet" }, note));
    if (problem.help) box.append(make("p", {}, problem.help));
    const actions = make("div", { class: "do" });
    if (problem.edits.length) actions.append(pressed("Mend it", () => editor.mend(problem)));
    actions.append(pressed("Go there", () => editor.go(problem.from)), pressed(`What is ${problem.id}?`, async () => {
      const page = await ask({ what: "explain", name: problem.id });
      box.querySelector("pre")?.remove();
      box.append(make("pre", { tabindex: "0" }, page || "nothing is written of it"));
    }));
    box.append(actions);
    return box;
  }));
  const errors = problems.filter((problem) => problem.severity === "error").length;
  say(errors ? `${errors} error${errors > 1 ? "s" : ""}: ${problems[0].message}` : problems.length ? `no errors, ${problems.length} warning${problems.length > 1 ? "s" : ""}` : editor.text.trim() ? "no errors" : "an empty text");
}
function pressed(text, act) {
  const button = make("button", { type: "button" }, text);
  button.addEventListener("click", act);
  return button;
}

// ---- tabs, by mouse and by arrow keys

const tabs = Object.entries(VIEWS).map(([name, title]) => {
  const tab = make("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "view" }, title);
  tab.addEventListener("click", () => choose(name));
  at("tabs").append(tab);
  return tab;
});
function choose(name) {
  view = name;
  for (const tab of tabs) {
    const own = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(own));
    tab.tabIndex = own ? 0 : -1;
  }
  at("view").setAttribute("aria-labelledby", `tab-${name}`);
  if (python.isReady) showView();
}
at("tabs").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const now = tabs.indexOf(document.activeElement);
  if (!step || now < 0) return;
  const next = tabs[(now + step + tabs.length) % tabs.length];
  next.focus();
  next.click();
});
at("model").addEventListener("change", () => {
  // The model that the cursor is in is the one that is shown, in every editor.
  const found = new RegExp(`^[ \\t]*model[ \\t]+(${at("model").value})\\b`, "m").exec(editor.text);
  if (found) editor.go(found.index + found[0].length - found[1].length);
});

// ---- out of the page

async function copied(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    say(`this browser lets nothing be copied; ${what} stands in the address bar`);
  }
}
at("share").addEventListener("click", async () => {
  history.replaceState(null, "", await packed(editor.text));
  await copied(location.href, "the address with the text");
});
at("markdown").addEventListener("click", async () => {
  const link = new URL(await packed(editor.text), location.href).href;
  const totals = [...at("totals").querySelectorAll("div")].map((pair) => `| ${pair.querySelector("dt").textContent} | ${pair.querySelector("dd").textContent} |`);
  const table = totals.length && !at("totals").classList.contains("stale") ? `| figure | |\n|---|---|\n${totals.join("\n")}\n\n` : "";
  await copied(`\`\`\`cnn\n${editor.text.trimEnd()}\n\`\`\`\n\n${table}[Open it in the playground](${link})\n`, "the text as Markdown");
});
async function format() {
  const text = await ask({ what: "formatted" });
  if (text === null) say("a text that cannot be parsed is not laid out");
  else editor.become(text);
}
at("format").addEventListener("click", format);

// ---- in: an address, a lesson of the tour, an example, what was typed last

async function texts(file) {
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
  return answer.json();
}
// A step of the tour: what is said of it above the editor, and ways to the one before and the next.
async function lesson(number) {
  const all = await texts("tour.json");
  const step = all[number - 1];
  if (!step) return null;
  const way = make("span", { class: "way" });
  for (const [other, word] of [[number - 1, "← back"], [number + 1, "next →"]]) if (all[other - 1]) way.append(make("a", { href: `?tour=${other}` }, word), " ");
  at("lesson").replaceChildren(make("strong", {}, `${number} of ${all.length}: ${step.title.replace(/^\d+\. /, "")}`), `\n${step.said}\n`, way);
  at("lesson").hidden = false;
  return step.text;
}
async function begin() {
  const query = new URLSearchParams(location.search);
  document.documentElement.classList.toggle("embed", query.has("embed"));
  try {
    const shared = await unpacked(location.hash);
    if (shared !== null) return shared;
  } catch (error) {
    say(`the address holds no text that can be read: ${error.message}`);
    return START;
  }
  if (query.has("tour")) {
    const text = await lesson(Number(query.get("tour")));
    if (text !== null) return text;
  }
  if (query.has("example")) {
    const found = (await texts("examples.json")).find((one) => one.name === query.get("example"));
    if (found) return found.text;
  }
  let kept = null;
  try { kept = localStorage.getItem(KEPT); } catch { /* nothing is kept here */ }
  return kept && kept.trim() ? kept : START;
}
at("examples").addEventListener("focus", async () => {
  if (at("examples").length > 1) return;
  const found = await texts("examples.json");
  at("examples").append(...found.map(({ name, about }) => make("option", { value: name }, about ? `${name}: ${about}` : name)));
}, { once: true });
at("examples").addEventListener("change", async () => {
  const found = (await texts("examples.json")).find((one) => one.name === at("examples").value);
  if (found) { editor.text = found.text; editor.view.focus(); }
});
window.addEventListener("hashchange", async () => {
  const shared = await unpacked(location.hash).catch(() => null);
  if (shared !== null && shared !== editor.text) { editor.text = shared; history.replaceState(null, "", await packed(shared)); }
});

const python = new Python(say);
const editor = new Editor(at("editor"), await begin(), { changed, ask, format });
document.documentElement.dataset.editor = String(Math.round(performance.now()));
choose("diagram");
refresh();
python.ready.then(() => { document.documentElement.dataset.python = String(Math.round(performance.now())); }, () => {});
if ("serviceWorker" in navigator && location.protocol !== "file:") navigator.serviceWorker.register("offline.js");
