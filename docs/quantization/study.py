"""What quantising costs trained networks, beside ONNX Runtime and NNCF: python study.py PHOTOGRAPHS [PAGE]

PHOTOGRAPHS is scikit-image's folder `data`; scikit-learn brings two more. Networks are calibrated with crops of some of them and
measured with crops of others. The table is printed, or takes the place of the one between the two marks of PAGE.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import cnndsl

CALIBRATION = ("coffee.png", "astronaut.png", "china.jpg", "camera.png", "hubble_deep_field.jpg")
TEST = (
    "chelsea.png",
    "flower.jpg",
    "rocket.jpg",
    "motorcycle_left.png",
    "ihc.png",
    "retina.jpg",
    "coins.png",
    "horse.png",
)
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
LENET = """input 1×28×28
Conv5x5(6) → Tanh → AvgPool → Conv5x5(16, pad=valid) → Tanh → AvgPool → Flatten → FC(120) → Tanh → FC(84) → Tanh → FC(10)"""
Run = Callable[[np.ndarray], np.ndarray]


def main(photographs: Path, page: Path | None = None) -> None:
    lines = [
        "| network | quantised by | dB | the same answer | right | in float32 | seconds |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for row in (*lite0(photographs), *digits()):
        lines.append(row)
        print(row, file=sys.stderr, flush=True)
    table = "\n".join(lines) + "\n"
    if page is None:
        print(table)
        return
    head, _, rest = page.read_text("utf-8").partition(BEGIN)
    page.write_text(f"{head}{BEGIN}{table}{END}{rest.partition(END)[2]}", "utf-8")


def lite0(folder: Path, calibration: int = 8, test: int = 20) -> Iterator[str]:
    """Rows for EfficientNet-Lite0 with ImageNet's weights."""
    net = cnndsl.load("efficientnet_lite0")
    known, others = crops(folder, CALIBRATION, calibration, 0), crops(folder, TEST, test, 1)
    yield from compared(
        "EfficientNet-Lite0", net, net.weights(), (known - 127 / 255) / (128 / 255), (others - 127 / 255) / (128 / 255)
    )


def digits() -> Iterator[str]:
    """Rows for LeNet-5 trained on scikit-learn's digits, as large as MNIST's; and what it recognises."""
    net = cnndsl.parse(LENET, "lenet5")
    with TemporaryDirectory() as folder:
        weights = net.train("digits", folder=Path(folder) / "run", epochs=15).run.weights()
    data = cnndsl.find_data("digits")
    x = data.read((1, 28, 28)).astype(np.float32) / 255
    learnt, held_out = data.parts(0.2, 0)
    yield from compared(
        "LeNet-5", net, weights, x[learnt[:: len(learnt) // 64][:64]], x[held_out], data.labels[held_out]
    )


def compared(
    called: str,
    net: cnndsl.Network,
    weights: dict[str, np.ndarray],
    known: np.ndarray,
    others: np.ndarray,
    labels: np.ndarray | None = None,
) -> Iterator[str]:
    import torch

    name = net.graph.inputs[0].name
    module = net.to_torch().eval()
    module.load_state_dict({key: torch.tensor(array) for key, array in weights.items()})
    with torch.inference_mode():
        truth = np.concatenate([module(torch.from_numpy(part)).numpy() for part in parts(others)])
    for by, quantise in (("cnndsl", ours), ("ONNX Runtime", onnx_runtime), ("NNCF", nncf)):
        try:
            run = quantise(net, weights, name, known)
        except ImportError as missing:
            print(f"{by} is left out: {missing}", file=sys.stderr)
            continue
        found = np.concatenate([run(part) for part in parts(others)])
        right = ["", ""] if labels is None else [f"{(y.argmax(1) == labels).mean():.2%}" for y in (found, truth)]
        same = f"{(found.argmax(1) == truth.argmax(1)).mean():.1%}"
        yield f"| {called} | {by} | {decibel(truth, found):.1f} | {same} | {' | '.join(right)} |"


def ours(net: cnndsl.Network, weights: dict[str, np.ndarray], name: str, known: np.ndarray) -> Run:
    import torch

    module = net.quantize(weights, {name: known}, images=len(known)).to_torch()
    return lambda x: module(torch.from_numpy(x)).numpy()


def onnx_runtime(net: cnndsl.Network, weights: dict[str, np.ndarray], name: str, known: np.ndarray) -> Run:
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.rest = iter([{name: x[None]} for x in known])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.rest, None)

    with TemporaryDirectory() as folder:
        plain, whole = Path(folder) / "f.onnx", Path(folder) / "q.onnx"
        net.to_onnx(plain, weights)
        quantize_static(
            plain,
            whole,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        session = onnxruntime.InferenceSession(str(whole), providers=["CPUExecutionProvider"])
    return lambda x: np.concatenate([session.run(None, {name: one[None]})[0] for one in x])


def nncf(net: cnndsl.Network, weights: dict[str, np.ndarray], name: str, known: np.ndarray) -> Run:
    import nncf
    import openvino

    with TemporaryDirectory() as folder:
        plain = Path(folder) / "f.onnx"
        net.to_onnx(plain, weights)
        model = nncf.quantize(openvino.Core().read_model(plain), nncf.Dataset([{name: x[None]} for x in known]))
    compiled = openvino.Core().compile_model(model, "CPU")
    return lambda x: np.concatenate([compiled(one[None])[0] for one in x])


def decibel(truth: np.ndarray, found: np.ndarray) -> float:
    """Signal to noise once the mean over classes is taken from each: what a classifier answers does not depend on it."""
    noise = (found - truth).astype(np.float64)
    signal = truth - truth.mean(1, keepdims=True, dtype=np.float64)
    noise -= noise.mean(1, keepdims=True)
    return float(10 * np.log10((signal**2).sum() / (noise**2).sum()))


def crops(folder: Path, names: tuple[str, ...], count: int, seed: int) -> np.ndarray:
    """Square windows of photographs at 224×224, from 0 to 1; N×3×224×224."""
    import sklearn.datasets
    from PIL import Image

    draw, found = np.random.default_rng(seed), []
    beside = Path(sklearn.datasets.__file__).parent / "images"
    for name in names:
        path = folder / name if (folder / name).exists() else beside / name
        picture = Image.open(path).convert("RGB")
        for _ in range(count):
            side = int(min(picture.size) * draw.uniform(0.35, 1.0))
            x, y = (int(draw.integers(0, size - side + 1)) for size in picture.size)
            window = picture.crop((x, y, x + side, y + side)).resize((224, 224), Image.Resampling.BILINEAR)
            found.append(np.asarray(window, np.float32) / 255)
    return np.ascontiguousarray(np.stack(found).transpose(0, 3, 1, 2))


def parts(examples: np.ndarray, size: int = 8) -> list[np.ndarray]:
    return [examples[start : start + size] for start in range(0, len(examples), size)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
