"""What the compiled resnet18.py says of a photograph, against TVM: python compare.py weights.pth cat.jpg tvm.npy"""

import sys

import numpy as np
import torch
from resnet18 import Resnet18

from cnndsl import IMAGENET_MEAN, IMAGENET_STD, read_image

weights, photograph, answer = sys.argv[1:]
network = Resnet18().eval()
network.load_state_dict(torch.load(weights, weights_only=True), strict=True)
image = torch.from_numpy(read_image(photograph, (3, 224, 224), IMAGENET_MEAN, IMAGENET_STD))
with torch.inference_mode():
    expected = network(image[None]).numpy()[0]
found = np.load(answer)[0]

error = float(np.abs(found - expected).max() / np.abs(expected).max())
best, best_of_tvm = (list(map(int, np.argsort(-values)[:5])) for values in (expected, found))
print(f"PyTorch's best classes: {best}")
print(f"TVM's best classes:     {best_of_tvm}")
print(f"largest difference of {expected.size} values, relative to the largest: {error:.1e}")
sys.exit(0 if best == best_of_tvm and error <= 1e-5 else "PyTorch and TVM do not agree")
