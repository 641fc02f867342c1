#!/usr/bin/env bash
# ResNet-18 from one name to a table, a diagram, a PyTorch file and a TVM package; one photograph through both.
# Every line works by itself: copy what you need. Results lie in demo-out/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p demo-out
export PYTHONPATH=demo-out

show() {
  printf '\n$'
  printf ' %s' "$@"
  printf '\n'
  "$@"
}

show cnndsl summary resnet18 --depth 1
show cnndsl draw resnet18 -o demo-out/resnet18.svg
show cnndsl compile resnet18 --to torch -o demo-out/resnet18.py
show python docs/demo/first_weights.py demo-out/weights.pth
show cnndsl compile resnet18 --to tvm --weights demo-out/weights.pth -o demo-out/resnet18
show cnndsl run demo-out/resnet18 --input docs/images/cat.jpg --normalize imagenet --top 5 -o demo-out/tvm.npy
show python docs/demo/compare.py demo-out/weights.pth docs/images/cat.jpg demo-out/tvm.npy
