// Starts a built playground's Python in node and asks it everything that the page asks: `node prove.mjs FOLDER`. What was left out of the
// bundle and is needed ends the build.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

process.on("uncaughtException", (error) => {
  console.error(error.message);
  process.exit(1);
});

const folder = resolve(process.argv[2]);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide/pyodide.mjs`).href);
const python = await loadPyodide({ indexURL: `${folder}/pyodide/`, stdLibURL: `${folder}/stdlib.zip` });
python.unpackArchive(new Uint8Array(readFileSync(`${folder}/app.zip`)), "zip", { extractDir: "/lib/app" });
python.runPython("import sys; sys.path.insert(0, '/lib/app')");
const module = python.pyimport("cnndsl.playground");
const play = module.Playground();
const ask = (request) => JSON.parse(play.ask(JSON.stringify(request)));
const texts = JSON.parse(readFileSync(`${folder}/examples.json`, "utf-8"));
const wrong = ask({ what: "edit", text: "input 3×8×8\nConv3x3(8, , 2) → Relu\nadd{ id | Conv3x3(4) }" });
if (!wrong.problems.length) throw new Error("nothing is wrong with a wrong text");
for (const name of ["lenet5", "resnet", "unet", "vit", "mobilenet_v3"]) {
  const example = texts.find((one) => one.name === name);
  if (!example) continue;
  const state = ask({ what: "edit", text: example.text, cursor: 0 });
  if (!state.totals) throw new Error(`${name}: ${JSON.stringify(state.problems)}`);
  for (const kind of ["table", "diagram", "pytorch", "json", "mermaid"]) {
    const found = ask({ what: "view", kind, model: state.model });
    if (!found.content) throw new Error(`${name}, ${kind}: ${found.wrong}`);
  }
}
const timed = ask({ what: "edit", text: "input 3×8×8\nConv3x3(8)\nassert latency < 5ms" });
if (timed.problems[0]?.id !== "not-measured") throw new Error("a time is told that is not known");
ask({ what: "edit", text: "input 3×8×8\nConv3x3(8) → Re" });
if (!ask({ what: "complete", at: 27 }).some((one) => one.label === "ReLU")) throw new Error("no completion");
if (!ask({ what: "hover", at: 14 }).text.includes("Conv")) throw new Error("no page about Conv");
if (!ask({ what: "explain", name: "shape-mismatch" })) throw new Error("no page about an error");
ask({ what: "edit", text: "input 3x8x8\nReLU" });
if (!ask({ what: "formatted" }).includes("3×8×8")) throw new Error("not laid out");
module.tidy_svg('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><g class="graph"><title>a</title></g></svg>', "a");
if (process.argv[3]) {
  const loaded = python.runPython("import sys; [getattr(m, '__file__', None) or '' for m in list(sys.modules.values())]").toJs();
  console.log(loaded.join("\n"));
}
console.log(`the bundle answers with Python ${python.version}`);
