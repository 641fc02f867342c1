"""What `docs/python.md` shows: the public names in order, with an example for each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A heading with what is said below it, and names with an example each: `load`, or `Network.params` for a member."""

    title: str
    about: str
    names: dict[str, str]


SECTIONS = (
    Section(
        "Reading a network",
        "From a file, from the name of a built-in network, or from a text.",
        {
            "load": 'net = cnndsl.load("resnet18", classes=10, input=(3, 64, 64))\nprint(net)',
            "parse": """text = \"\"\"
param channels: int = 16
input 3×32×32
Conv3x3(channels) → BN → ReLU → GlobalAvgPool → FC(10)
\"\"\"
net = cnndsl.parse(text, channels=8)
print(net.params)""",
            "check": """from pathlib import Path

Path("mine.cnn").write_text("input 3×32×32\\nConv3x3(16) → Conv3x3(16)\\n")
for diagnostic in cnndsl.check("mine.cnn"):
    print(diagnostic.severity, diagnostic.id)""",
            "Source": 'source = cnndsl.Source("mine.cnn", "input 3*32*32\\nConv3x3(16) -> ReLU\\n")\n'
            "print(source.line_and_column(20))",
            "format_text": 'source = cnndsl.Source("mine.cnn", "input 3*32*32\\nConv3x3(16)->ReLU")\n'
            "print(cnndsl.format_text(source))",
            "explain": 'print(cnndsl.explain("GELU"))',
        },
    ),
    Section(
        "A network",
        "What `load` and `parse` return.",
        {
            "Network": 'net = cnndsl.load("lenet5")\nassert isinstance(net, cnndsl.Network)',
            "Network.name": 'print(cnndsl.load("lenet5").name)',
            "Network.graph": 'print(cnndsl.load("lenet5").graph.nodes[0].name)',
            "Network.warnings": 'net = cnndsl.parse("default Conv(bias=false)\\ninput 8\\nFC(2)")\n'
            "print([warning.id for warning in net.warnings])",
            "Network.summary": 'summary = cnndsl.load("lenet5").summary()\n'
            "print(summary.totals.params, summary.totals.peak_memory_bytes.inference)",
            "Network.params": 'print(cnndsl.load("resnet50").params)',
            "Network.macs": 'print(cnndsl.load("resnet50").macs)',
            "Network.receptive_field": 'field = cnndsl.load("vgg16").receptive_field\n'
            "print(field.node, field.size, field.stride)",
            "Network.__getitem__": 'layer = cnndsl.load("resnet18")["layer1.0.conv1"]\n'
            "print(layer.op, layer.shape, layer.params, layer.macs)",
            "Network.diff": """change = cnndsl.load("resnet18").diff(cnndsl.load("resnet18", classes=10))
print(change)""",
            "Network.latency": """found = cnndsl.load("resnet18").latency("docs/machines/xeon.json")
print(found.words, "in", found.calls, "calls")""",
            "Network.draw": 'net = cnndsl.load("lenet5")\nnet.draw("lenet5.svg", depth=1, color="macs", theme="dark")',
            "Network.to_graphviz": 'print(cnndsl.load("lenet5").to_graphviz(depth=1).source.splitlines()[0])',
            "Network.to_networkx": """import networkx as nx

net = cnndsl.load("resnet18").to_networkx()
print(nx.dag_longest_path_length(net), net.nodes["conv1"]["shape"])""",
            "Network.to_torch": """import torch

module = cnndsl.load("lenet5").to_torch()
print(module(torch.zeros(2, 1, 32, 32)).shape)""",
            "Network.to_source": 'print(cnndsl.load("lenet5").to_source().splitlines()[0])',
            "Network.weights": """net = cnndsl.load("lenet5")
cnndsl.write_weights("lenet5.safetensors", cnndsl.initial_weights(net.graph, seed=0))
print(len(net.weights("lenet5.safetensors")))""",
            "Network.read_picture": """x = cnndsl.load("resnet18").read_picture("docs/images/cat.jpg", "published")
print(x.shape, x.dtype)""",
            "Network.to_tvm": """import numpy as np

package = cnndsl.load("lenet5").to_tvm(seed=1)
print(package(np.zeros((1, 1, 32, 32), "float32")).shape)""",
            "Network.tune": """net = cnndsl.load("lenet5")
for found in net.tune(trials=64, store="tuning"):
    print(found.before_s, found.after_s)
package = net.to_tvm(tuned=True, store="tuning")""",
            "Network.quantize": """import numpy as np

net = cnndsl.load("lenet5")
images = np.random.default_rng(0).random((12, 1, 32, 32), "float32")
quantized = net.quantize(net.to_torch().state_dict(), {"image": images})
print(quantized.report.pictures, quantized.report.measured)
quantized.save("lenet5-8.safetensors")""",
            "Network.to_onnx": 'cnndsl.load("lenet5").to_onnx("lenet5.onnx", seed=1)',
            "Network.to_pt2": 'cnndsl.load("lenet5").to_pt2("lenet5.pt2", seed=1)',
            "Network.to_json": """from pathlib import Path

Path("lenet5.json").write_text(cnndsl.load("lenet5").to_json())
print(cnndsl.load("lenet5.json").params)""",
            "Network.train": """trained = cnndsl.parse("input 1×8×8\\nFlatten → FC(10)").train("digits", epochs=1, folder="runs/first")
weights = trained.run.weights()""",
            "Network.verify": 'net = cnndsl.parse("input 3×8×8\\nConv3x3(4) → ReLU")\n'
            "print(all(finding.agrees for finding in net.verify()))",
            "Network.bench": """report = cnndsl.load("lenet5").bench(peers=("torch",), rounds=3)
for row in report.rows:
    print(row.engine, row.p50_ms)""",
        },
    ),
    Section(
        "Figures",
        "All that is counted without running anything.",
        {
            "Summary": """summary = cnndsl.load("lenet5").summary()
assert isinstance(summary, cnndsl.Summary)
print(summary.totals.macs, summary.nodes[0].shape, summary.weights[0].name)
document = summary.to_json()""",
            "summarize": 'graph = cnndsl.load("mobilenet_v3_small").graph\n'
            "print(cnndsl.summarize(graph, strict=True).totals.depth)",
            "receptive_fields": 'fields = cnndsl.receptive_fields(cnndsl.load("vgg16").graph)\n'
            'print(fields["features.28"].size, fields["features.28"].stride)',
            "Difference": """change = cnndsl.load("resnet18").diff(cnndsl.load("resnet34"))
assert isinstance(change, cnndsl.Difference)
print(change.weights.loads, change.weights.carried, change.layers[0].new, change.layers[0].kinds)
document = change.to_json()""",
            "sweep": """rows = cnndsl.sweep("resnet18", classes=[10, 100], input=["3x64x64", "3x96x96"], where="macs < 300M")
for row in rows:
    print(row)""",
            "Graph": """graph = cnndsl.load("lenet5").graph
assert isinstance(graph, cnndsl.Graph)
print(graph.inputs[0].type, graph.nodes[0].op.word, graph.weights[0].key)""",
        },
    ),
    Section(
        "Pictures",
        "`Network.draw` writes diagrams; these are for the rest. [Pictures](diagrams.md) shows what each looks like.",
        {
            "to_svg": 'svg = cnndsl.to_svg(cnndsl.load("lenet5").graph, depth=1)\nprint("<svg" in svg)',
            "element_ids": 'ids = cnndsl.element_ids(cnndsl.load("lenet5").graph)\nprint(next(iter(ids.items())))',
            "to_dot": 'dot = cnndsl.to_dot(cnndsl.load("lenet5").graph, direction="LR")\nprint(dot.splitlines()[0])',
            "render_dot": """dot = cnndsl.to_dot(cnndsl.load("lenet5").graph)
picture = cnndsl.render_dot(dot, "png", timeout=60)
print(picture[1:4])""",
            "volumes_figure": """graph = cnndsl.load("vgg16").graph
cnndsl.draw_figure(lambda: cnndsl.volumes_figure(graph, theme="dark"), "vgg16.svg", "dark")""",
            "receptive_field_figure": """graph = cnndsl.load("vgg16").graph
picture = cnndsl.read_image("docs/images/cat.jpg", (3, 224, 224))
pixels = (picture.transpose(1, 2, 0) * 255).round().astype("uint8")
cnndsl.draw_figure(lambda: cnndsl.receptive_field_figure(graph, pixels), "fields.svg")""",
            "draw_figure": """graph = cnndsl.load("lenet5").graph
cnndsl.draw_figure(lambda: cnndsl.volumes_figure(graph), "lenet5.pdf")""",
        },
    ),
    Section(
        "Weights",
        "NumPy arrays by state-dict key. Nothing is ever unpickled but by PyTorch's own reader of plain tensors.",
        {
            "initial_weights": """weights = cnndsl.initial_weights(cnndsl.load("lenet5").graph, seed=0)
print(len(weights), next(iter(weights)))""",
            "write_weights": """from pathlib import Path

weights = cnndsl.initial_weights(cnndsl.load("lenet5").graph, seed=0)
cnndsl.write_weights(Path("lenet5.safetensors"), weights)
print(sorted(cnndsl.read_weights("lenet5.safetensors")) == sorted(weights))""",
            "read_weights": """import torch

module = cnndsl.load("lenet5").to_torch()
torch.save(module.state_dict(), "lenet5.pth")
print(len(cnndsl.read_weights("lenet5.pth")))""",
            "published_weights": """for entry in cnndsl.published_weights("resnet50"):
    print(entry.name, entry.url)""",
            "class_names": """print(cnndsl.class_names("imagenet")[967])""",
            "check_weights": """graph = cnndsl.load("lenet5").graph
weights = cnndsl.initial_weights(graph, seed=0)
del weights["features.conv1.bias"]
try:
    cnndsl.check_weights(graph, weights, "my weights")
except cnndsl.CnnError as error:
    print(error)""",
        },
    ),
    Section(
        "Inputs",
        "What a network is fed, from files.",
        {
            "read_image": """image = cnndsl.read_image("docs/images/cat.jpg", (3, 224, 224))
print(image.shape, image.dtype, image.min() >= 0, image.max() <= 1)""",
            "IMAGENET_MEAN": """image = cnndsl.read_image("docs/images/cat.jpg", (3, 224, 224), cnndsl.IMAGENET_MEAN, cnndsl.IMAGENET_STD)
print(image.min() < 0)""",
            "IMAGENET_STD": "print(cnndsl.IMAGENET_STD)",
            "read_arrays": """import numpy as np

np.savez("two.npz", left=np.zeros((3, 8, 8), "float32"), right=np.ones((3, 8, 8), "float32"))
print(sorted(cnndsl.read_arrays("two.npz")))""",
        },
    ),
    Section(
        "Training",
        "`Network.train` trains; these read what it learns from and what it leaves. [Training](training.md) tells all of it.",
        {
            "find_data": """data = cnndsl.find_data("digits")
learnt, held_out = data.parts(validation=0.2, seed=0)
print(data.classes[:3], len(learnt), len(held_out))
print(data.read((1, 32, 32)).shape)""",
            "open_run": """from pathlib import Path

run = cnndsl.open_run(Path("runs/first"))  # which the example of Network.train made
print(run.classes[:3], len(run.weights()))""",
        },
    ),
    Section(
        "Packages",
        "Networks compiled by TVM. [Deploying](deploying.md) tells what a package is and where it runs.",
        {
            "Package": """import numpy as np

package = cnndsl.parse("input 3×8×8\\nConv3x3(4) → ReLU").to_tvm(batch=[1, 4])
assert isinstance(package, cnndsl.Package)
print(package(np.zeros((4, 3, 8, 8), "float32")).shape)""",
            "BuiltPackage": """package = cnndsl.parse("input 3×8×8\\nConv3x3(4) → ReLU").to_tvm()
assert isinstance(package, cnndsl.BuiltPackage)
package.export("package")
package.dump("stages")""",
            "QuantizedModel": """import numpy as np

net = cnndsl.parse("input image: 3×8×8\\nConv3x3(4) → ReLU")
images = np.random.default_rng(0).random((8, 3, 8, 8), "float32")
quantized = net.quantize(net.to_torch().state_dict(), {"image": images})
assert isinstance(quantized, cnndsl.QuantizedModel)
package, module = net.to_tvm(weights=quantized), quantized.to_torch()
print(package(images[:1]).shape)""",
            "load_package": """cnndsl.parse("input 3×8×8\\nConv3x3(4) → ReLU").to_tvm().export("package")
package = cnndsl.load_package("package", threads=1)
print(package.self_test() < 1e-4)""",
        },
    ),
    Section(
        "Networks from elsewhere",
        "A network that exists already becomes a program, proved to be the same: [importing.md](importing.md).",
        {
            "from_torch": """from torch import nn

import cnndsl

net = cnndsl.from_torch(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()).eval(), (3, 8, 8))
print(net.text)""",
            "from_onnx": """cnndsl.parse("input 3×8×8\\nConv3x3(4) → ReLU").to_onnx("small.onnx")
print(cnndsl.from_onnx("small.onnx").params)""",
            "from_pt2": """cnndsl.parse("input 3×8×8\\nConv3x3(4) → ReLU").to_pt2("small.pt2")
print(cnndsl.from_pt2("small.pt2").report.keys)""",
            "ImportedNetwork": """net = cnndsl.from_onnx("small.onnx")
assert isinstance(net, cnndsl.ImportedNetwork)
net.save("small.cnn")
print(net.report.lines)""",
        },
    ),
    Section(
        "When something is wrong",
        "A wrong program, file or argument is a `CnnError`; what this machine lacks is a `MissingPart`.",
        {
            "CnnError": """try:
    cnndsl.parse("input 3×32×32\\nConv3x3(16) → Relu")
except cnndsl.CnnError as error:
    print(error)
    print(error.diagnostics[0].help)""",
            "Diagnostic": """try:
    cnndsl.parse("input 3×32×32\\nConv3x3(16) → Relu", name="mine.cnn")
except cnndsl.CnnError as error:
    wrong = error.diagnostics[0]
    assert isinstance(wrong, cnndsl.Diagnostic)
    print(wrong.id, wrong.span.source.line_and_column(wrong.span.start))""",
            "render_diagnostics": """try:
    cnndsl.parse("input 3×32×32\\nConv3x3(16) → Relu", name="mine.cnn")
except cnndsl.CnnError as error:
    print(cnndsl.render_diagnostics(error.diagnostics))""",
            "MissingPart": """import numpy as np

package = cnndsl.parse("input 3×8×8\\nConv3x3(4)").to_tvm(target="aarch64:cortex-a76", seed=1)
try:
    package(np.zeros((1, 3, 8, 8), "float32"))
except cnndsl.MissingPart as missing:
    print(missing.help)""",
        },
    ),
)

NOT_RUN = {"Network.tune", "Network.bench"}
"""Examples that the page tests leave out: what they print is another thing each time, and they measure for minutes."""
