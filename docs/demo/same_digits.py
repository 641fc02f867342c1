"""What PyTorch and a package say of the same digits: python same_digits.py RUN digits.npy labels.npy tvm.npy"""

import sys

import numpy as np
import torch

import cnndsl

folder, digits, labels, answer = sys.argv[1:]
module = cnndsl.load("lenet5").to_torch().eval()
weights = cnndsl.read_weights(f"{folder}/best.safetensors")
module.load_state_dict({key: torch.tensor(array) for key, array in weights.items()})
with torch.inference_mode():
    expected = module(torch.from_numpy(np.load(digits))).numpy()
found, truth = np.load(answer), np.load(labels)

same = int((found.argmax(1) == expected.argmax(1)).sum())
right = float((found.argmax(1) == truth).mean())
error = float(np.abs(found - expected).max() / np.abs(expected).max())
print(
    f"the package recognises {right:.2%}; {same} of {len(truth)} answers are PyTorch's, relative difference {error:.1e}"
)
sys.exit(0 if same == len(truth) and right >= 0.97 else "not what the demonstration is to show")
