"""Measures packages of `--target wasm32` beside ONNX Runtime Web in one tab of Chromium, both on one thread, in turns:

    npm install onnxruntime-web@1.30.0
    python -m tests.benchmarks.browser node_modules/onnxruntime-web/dist PACKAGE NETWORK.onnx [PACKAGE NETWORK.onnx …]

A turn runs one of the two for as many inferences as take it 20 ms; the medians are those of single inferences' means over a turn. The
tab is isolated from other origins, so that its clock shows 5 µs. Also printed: the largest difference of the outputs, as a share of the
largest value, and what each engine transfers besides the weights.
"""

from __future__ import annotations

import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

CHROMIUM = "/usr/bin/chromium"
TURNS = 41
MEASURE = """
async (turns) => {
  const { Network } = await import("/package/network.mjs");
  const ort = await import("/ort/ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = "/ort/";
  const own = await Network.open(await fetch("/package/lib.wasm"), await fetch("/package/weights.safetensors"));
  const theirs = await ort.InferenceSession.create("/network.onnx", { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
  const [{ name, shape }] = own.inputs, pixels = new Float32Array(shape.reduce((a, b) => a * b));
  let state = 1;
  for (let i = 0; i < pixels.length; ++i) pixels[i] = (state = (state * 48271) % 2147483647) / 2147483647;
  const given = { [theirs.inputNames[0]]: new ort.Tensor("float32", pixels, shape) };
  const engines = [() => own.run({ [name]: pixels })[own.outputs[0].name], async () => (await theirs.run(given))[theirs.outputNames[0]].data];
  const [found, expected] = [engines[0](), await engines[1]()];
  let most = 0, off = 0;
  for (let i = 0; i < found.length; ++i) [most, off] = [Math.max(most, Math.abs(expected[i])), Math.max(off, Math.abs(found[i] - expected[i]))];
  const timed = [
    (times) => { const from = performance.now(); for (let i = 0; i < times; ++i) engines[0](); return (performance.now() - from) / times; },
    async (times) => { const from = performance.now(); for (let i = 0; i < times; ++i) await engines[1](); return (performance.now() - from) / times; },
  ];
  const times = [];
  for (const time of timed) { await time(10); times.push(Math.max(1, Math.ceil(20 / (await time(5))))); }
  const took = [[], []];
  for (let turn = 0; turn < turns; ++turn) for (const which of turn % 2 ? [1, 0] : [0, 1]) took[which].push(await timed[which](times[which]));
  return { took, off: off / most, isolated: crossOriginIsolated };
}
"""


class _Isolated(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}  # noqa: RUF012

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


def measured(runtime: Path, package: Path, onnx: Path) -> None:
    """Prints one network's figures."""
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as name, sync_playwright() as p:
        folder = Path(name)
        for link, to in (("ort", runtime), ("package", package), ("network.onnx", onnx)):
            (folder / link).symlink_to(to.resolve())
        (folder / "index.html").write_text("<!doctype html><title>Two engines</title>")
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Isolated, directory=name))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            tab = chromium.new_page()
            tab.goto(f"http://127.0.0.1:{server.server_address[1]}/")
            found = tab.evaluate(MEASURE, TURNS)
        finally:
            chromium.close()
            server.shutdown()
            server.server_close()
    if not found["isolated"]:
        raise SystemExit("the tab is not isolated, and its clock too coarse")
    own, theirs = (median(took) for took in found["took"])
    ratios = sorted(a / b for a, b in zip(*found["took"], strict=True))
    code = [sum((folder / name).stat().st_size for name in names) for folder, names in (
        (package, ("lib.wasm", "network.mjs")),
        (runtime, ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")),
    )]  # fmt: skip
    print(
        f"{package.name}: package {own:.3f} ms, ONNX Runtime Web {theirs:.3f} ms, ratio of the medians {own / theirs:.2f} "
        f"(half of the turns from {ratios[len(ratios) // 4]:.2f} to {ratios[3 * len(ratios) // 4]:.2f}), "
        f"difference {found['off']:.1e}, code {code[0] / 1e6:.2f} and {code[1] / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    runtime, *pairs = map(Path, sys.argv[1:])
    for package, onnx in zip(pairs[::2], pairs[1::2], strict=True):
        measured(runtime, package, onnx)
