"""Saves the first weights of a compiled PyTorch file: python first_weights.py resnet18.py weights.pth

They stand for your trained ones: nothing here is downloaded. The file needs torch and nothing of cnndsl.
"""

import runpy
import sys

import torch
from torch import nn

file, weights = sys.argv[1:]
torch.manual_seed(0)
names = runpy.run_path(file)
(network,) = (
    kind
    for kind in names.values()
    if isinstance(kind, type) and issubclass(kind, nn.Module) and kind.__name__ == names["__all__"][0]
)
module = network()
torch.save(module.state_dict(), weights)
print(f"{type(module).__name__}: {sum(p.numel() for p in module.parameters()):,} parameters, saved as {weights}")
