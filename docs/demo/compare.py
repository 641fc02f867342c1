"""Runs a compiled PyTorch file on a photograph and compares it with what TVM said of it.

python compare.py resnet18.py weights.pth cat.jpg tvm.npy
"""

import runpy
import sys

import numpy as np
import torch
from torch import nn

from cnndsl.images import IMAGENET_MEAN, IMAGENET_STD, read_image

file, weights, photograph, answer = sys.argv[1:]
names = runpy.run_path(file)
(network,) = (
    kind
    for kind in names.values()
    if isinstance(kind, type) and issubclass(kind, nn.Module) and kind.__name__ == names["__all__"][0]
)
module = network().eval()
module.load_state_dict(torch.load(weights, weights_only=True), strict=True)
image = torch.from_numpy(read_image(photograph, (3, 224, 224), IMAGENET_MEAN, IMAGENET_STD))[None]
with torch.inference_mode():
    expected = module(image).numpy()
found = np.load(answer)
error = float(np.abs(found - expected).max() / np.abs(expected).max())
same = list(np.argsort(-expected[0])[:5]) == list(np.argsort(-found[0])[:5])
print(
    f"PyTorch's five best classes: {', '.join(map(str, np.argsort(-expected[0])[:5]))}; TVM's are {'the same' if same else 'others'}"
)
print(f"largest relative difference over {expected.size} values: {error:.1e}")
sys.exit(0 if same and error <= 1e-5 else 1)
