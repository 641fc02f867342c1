"""How many photographs each network names, by PyTorch and by TVM packages: python study.py FOLDER

FOLDER has class folders called as ImageNet's classes, as `stamps.py … named` writes them. Prints a table: right at the first
try, and among five; for the packages how many of their answers are PyTorch's.
"""

import sys
from pathlib import Path

import numpy as np

import cnndsl

NETWORKS = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "squeezenet1_1:deepscale")


def main(folder: Path) -> None:
    pictures = sorted(folder.rglob("*.png"))
    truth = np.array([cnndsl.class_names("imagenet").index(path.parent.name) for path in pictures])
    print(f"{len(pictures)} photographs")
    for spoken in NETWORKS:
        name, _, which = spoken.partition(":")
        net = cnndsl.load(name)
        weights = f"published:{which}" if which else "published"
        inputs = np.stack([net.read_picture(path, weights) for path in pictures])
        torch_said = by_torch(net, weights, inputs)
        tell(f"{name} PyTorch", torch_said, truth, torch_said)
        for precision in ("f32", "bf16"):
            try:
                package = net.to_tvm(weights=weights, precision=precision)
            except cnndsl.CnnError as error:
                print(f"{name} TVM {precision}: {error}")
                continue
            tell(f"{name} TVM {precision}", package(inputs), truth, torch_said)


def by_torch(net: cnndsl.Network, weights: str, inputs: np.ndarray) -> np.ndarray:
    import torch

    module = net.to_torch().eval()
    module.load_state_dict({key: torch.tensor(array) for key, array in net.weights(weights).items()})
    with torch.inference_mode():
        return module(torch.from_numpy(inputs)).numpy()


def tell(what: str, scores: np.ndarray, truth: np.ndarray, expected: np.ndarray) -> None:
    order = np.argsort(-scores, 1)
    first, five = (order[:, 0] == truth).sum(), (order[:, :5] == truth[:, None]).any(1).sum()
    same = (order[:, 0] == np.argmax(expected, 1)).sum()
    print(
        f"{what:32} top-1 {first:3} {first / len(truth):4.0%}  top-5 {five:3} {five / len(truth):4.0%}  as PyTorch {same}"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
