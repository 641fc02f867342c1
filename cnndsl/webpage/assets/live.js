// The page of a network that changes: what the server tells is mounted, and settings are sent to it.
const live = { controls: "", sending: false, waiting: null, settings: { model: null, parameters: {}, inputs: {} }, editor: false, known: false };

async function post(path, content) {
  return fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });
}
// One request at a time: of what a slider passes only its last place is asked for.
async function send() {
  if (live.sending) { live.waiting = true; return; }
  live.sending = true;
  try {
    await post("settings", live.settings);
  } catch {
    gone();
  }
  live.sending = false;
  if (live.waiting) { live.waiting = null; send(); }
}
function gone() {
  at("live-state").textContent = "the preview has ended: this is its last picture";
}

function arrive(state) {
  const top = window.scrollY;
  live.editor = state.editor;
  live.settings = state.settings;
  document.title = `${state.wrong ? "✗ " : ""}${state.title}`;
  document.documentElement.classList.toggle("wrong", Boolean(state.wrong));
  at("live-wrong").hidden = !state.wrong;
  if (state.network) {
    document.querySelector("h1").textContent = state.title;
    if (state.photo && !live.known) field.photo = "photo";
    live.known = true;
    const drawing = new DOMParser().parseFromString(state.network.svg || "<p/>", "image/svg+xml").documentElement;
    swap(document.adoptNode(drawing));
    if (state.network.unpainted) canvas.textContent = state.network.unpainted;
    mount(state.network.data);
    at("live-state").textContent = `drawn in ${state.milliseconds} ms`;
  } else {
    at("live-stale").textContent = page.data ? "The program is wrong. The page shows it as it last held." : "The program is wrong, and there is no picture yet.";
    at("live-said").textContent = state.wrong.text;
    at("live-place").hidden = !(state.editor && state.wrong.place);
    at("live-place").onclick = () => post("open", state.wrong.place);
    at("live-state").textContent = page.data ? "✗ not what is written: the last picture that held" : "✗ waiting for the next save";
  }
  controls(state);
  document.documentElement.style.setProperty("--live", `${at("live").offsetHeight}px`);
  window.scrollTo(window.scrollX, top);
  document.documentElement.dataset.state = String(Number(document.documentElement.dataset.state || 0) + 1);
}

// ---- what can be set

function controls({ controls: { models, knobs, inputs }, settings }) {
  const kinds = JSON.stringify([models, knobs, inputs.map((input) => [input.name, input.shape.length])]);
  const form = at("live-controls");
  if (kinds !== live.controls) {
    live.controls = kinds;
    const focused = document.activeElement?.id;
    form.replaceChildren();
    if (models.length > 1) form.append(choice(models));
    for (const knob of knobs) form.append(knobControl(knob));
    for (const input of inputs) form.append(inputControl(input));
    const reset = make("button", { type: "button", id: "live-reset" }, "as written");
    reset.addEventListener("click", () => { live.settings = { model: live.settings.model, parameters: {}, inputs: {} }; send(); });
    form.append(reset);
    if (focused) at(focused)?.focus();
  }
  for (const control of form.querySelectorAll("[data-value]")) {
    const value = valueOf(control.dataset.value, { models, knobs, inputs }, settings);
    control.closest("label").classList.toggle("moved", value.moved);
    if (control === document.activeElement && control.type !== "checkbox") continue;
    if (control.type === "checkbox") control.checked = value.text === "true";
    else {
      // A slider reaches as far as its value.
      if (control.type === "range" && Number(value.text) > Number(control.max)) control.max = value.text;
      control.value = value.text;
    }
  }
  at("live-reset").hidden = !Object.keys(settings.parameters).length && !Object.keys(settings.inputs).length;
}
function valueOf(path, { models, knobs, inputs }, settings) {
  const [kind, name] = path.split(":");
  if (kind === "model") return { text: settings.model ?? models[models.length - 1], moved: settings.model !== null };
  if (kind === "knob") {
    const moved = name in settings.parameters;
    return { text: moved ? settings.parameters[name] : knobs.find((knob) => knob.name === name).text, moved };
  }
  const input = inputs.find((one) => one.name === name);
  const moved = name in settings.inputs || "" in settings.inputs;
  return { text: kind === "shape" ? input.shape.join("×") : String(input.shape[input.shape.length - 1]), moved };
}
function choice(models) {
  const label = make("label", {}, "model");
  const select = make("select", { id: "live-model", "data-value": "model:" });
  select.append(...models.map((name) => make("option", { value: name }, name)));
  select.addEventListener("change", () => { live.settings = { model: select.value, parameters: {}, inputs: {} }; send(); });
  label.append(select);
  return label;
}
function knobControl(knob) {
  const label = make("label", {}, knob.name);
  const set = (text) => { live.settings.parameters[knob.name] = text; send(); };
  const path = `knob:${knob.name}`;
  if (knob.kind === "bool") {
    const box = make("input", { type: "checkbox", id: `live-${path}`, "data-value": path });
    box.addEventListener("change", () => set(String(box.checked)));
    label.append(box);
    return label;
  }
  const text = make("input", { type: "text", id: `live-${path}`, "data-value": path, "aria-label": knob.name });
  text.addEventListener("change", () => set(text.value));
  if (knob.kind === "int" || knob.kind === "float") {
    const start = Number(knob.text);
    const range = make("input", { type: "range", id: `live-${path}-range`, "data-value": path, min: Math.min(knob.kind === "int" ? 1 : 0, start), max: Math.max(start * 3, knob.kind === "int" ? 10 : 1), step: knob.kind === "int" ? 1 : "any", "aria-label": `${knob.name}, slider` });
    range.addEventListener("input", () => { text.value = knob.kind === "int" ? range.value : String(+Number(range.value).toPrecision(3)); set(text.value.includes(".") || knob.kind === "int" ? text.value : `${text.value}.0`); });
    label.append(range);
  }
  label.append(text);
  return label;
}
function inputControl(input) {
  const label = make("label", {}, input.name);
  const set = (shape) => { delete live.settings.inputs[""]; live.settings.inputs[input.name] = shape.join("x"); send(); };
  const text = make("input", { type: "text", id: `live-shape:${input.name}`, "data-value": `shape:${input.name}`, "aria-label": `${input.name}, shape` });
  text.addEventListener("change", () => set(text.value.split(/[x×*]/).map((n) => n.trim())));
  if (input.shape.length === 3) {
    // One slider for height and width, which keeps the picture's sides in proportion.
    const [, height, width] = input.shape;
    const range = make("input", { type: "range", id: `live-side:${input.name}`, "data-value": `side:${input.name}`, min: 1, max: width * 3, step: 1, "aria-label": `${input.name}, width in pixels` });
    range.addEventListener("input", () => {
      const shape = [text.value.split(/[x×*]/)[0].trim(), Math.max(Math.round((height / width) * range.value), 1), range.value];
      text.value = shape.join("×");
      set(shape);
    });
    label.append(range);
  }
  label.append(text);
  return label;
}
at("live-controls").addEventListener("submit", (event) => event.preventDefault());

// ---- the editor and the page follow each other

document.addEventListener("layer", ({ detail: layer }) => {
  if (live.editor && layer.source !== null && layer.lines) post("open", { file: page.data.sources[layer.source].name, line: layer.lines[0], column: layer.column });
});
function cursor({ file, line, column }) {
  if (!page.data) return;
  const source = page.data.sources.findIndex((one) => one.name === file);
  const there = page.layers.map((layer, index) => index).filter((index) => {
    const { source: own, lines } = page.layers[index];
    return own === source && lines && lines[0] <= line && line <= lines[1];
  });
  for (const near of document.querySelectorAll(".near")) near.classList.remove("near");
  if (!there.length) return;
  // The layer whose text begins last before the cursor; of one that is called often, the first call.
  const before = there.filter((index) => page.layers[index].lines[0] < line || page.layers[index].column <= column);
  const best = (before.length ? before : there).reduce((a, b) => (page.layers[b].column > page.layers[a].column ? b : a));
  page.kept = best;
  show(best);
  reveal(best);
  revealLine(best);
  for (const index of there) for (const mark of page.marks[index]) mark.classList.add("near");
}

const stream = new EventSource("events");
stream.addEventListener("state", (event) => arrive(JSON.parse(event.data)));
stream.addEventListener("cursor", (event) => cursor(JSON.parse(event.data)));
stream.addEventListener("error", gone);
