// What every part of the page uses: numbers as text, elements, and the one state that all parts share.
const page = { data: null, layers: [], marks: [], rows: [], lines: [], chosen: -1, kept: -1 };
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
