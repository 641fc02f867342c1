"""The digits that a run held out, as arrays: python held_out.py RUN digits.npy labels.npy"""

import sys
from pathlib import Path

import numpy as np

from cnndsl import find_data, open_run

folder, digits, labels = sys.argv[1:]
run = open_run(Path(folder))
data = find_data(run.options.data)
_, places = data.parts(run.options.validation, run.options.seed)
pictures = data.read(run.graph.inputs[0].type.shape)[places]
np.save(digits, pictures.astype(np.float32) / np.float32(255))
np.save(labels, data.labels[places])
print(f"{len(places)} digits that were never learnt from")
