"""Saves first weights of the compiled resnet18.py, in place of trained ones: python first_weights.py weights.pth"""

import sys

import torch

# The file that `cnndsl compile` wrote: it needs torch and nothing of cnndsl.
from resnet18 import Resnet18

torch.manual_seed(0)
network = Resnet18()
torch.save(network.state_dict(), sys.argv[1])
print(f"{sum(p.numel() for p in network.parameters()):,} parameters, saved as {sys.argv[1]}")
