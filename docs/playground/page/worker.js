// Python and Graphviz, apart from the page so that typing never waits for them.
import { loadPyodide } from "./pyodide/pyodide.mjs";
import { instance } from "@viz-js/viz";

let play = null;
let tidy = null;
let viz = null;

async function begin() {
  const bundle = fetch("app.zip").then(whole);
  const graphviz = instance();
  const python = await loadPyodide({ indexURL: new URL("pyodide/", self.location.href).href, stdLibURL: new URL("stdlib.zip", self.location.href).href });
  const site = "/lib/app";
  python.unpackArchive(await bundle, "zip", { extractDir: site });
  python.runPython(`import sys, gc; sys.path.insert(0, ${JSON.stringify(site)}); gc.set_threshold(50_000, 20, 20)`);
  const module = python.pyimport("cnndsl.playground");
  play = module.Playground();
  tidy = module.tidy_svg;
  viz = await graphviz;
}
async function whole(answer) {
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  return answer.arrayBuffer();
}

const started = begin().then(() => postMessage({ ready: true }), (error) => postMessage({ failed: String(error) }));
onmessage = async ({ data: { number, request } }) => {
  await started;
  if (!play) return;
  const began = performance.now();
  try {
    let answer = JSON.parse(play.ask(JSON.stringify(request)));
    if (request.what === "view" && request.kind === "diagram" && answer.content) {
      const painted = viz.renderString(answer.content.dot, { format: "svg", engine: "dot" });
      answer = { ...answer, content: tidy(painted, answer.content.description) };
    }
    postMessage({ number, answer, milliseconds: performance.now() - began });
  } catch (error) {
    postMessage({ number, failed: String(error), milliseconds: performance.now() - began });
  }
};
