#!/usr/bin/env bash
# The whole story: a text, a trained recogniser, a package that gives the same answers, a diagram; then ResNet-18 and a photograph.
# Every line works by itself: copy what you need. Results lie in demo-out/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rm -rf demo-out/digits
mkdir -p demo-out
export PYTHONPATH=demo-out

show() {
  printf '\n$'
  printf ' %s' "$@"
  printf '\n'
  "$@"
}

show cnndsl summary lenet5
show cnndsl train lenet5 --data digits -o demo-out/digits
show cnndsl evaluate demo-out/digits -o demo-out/confusion.svg
show cnndsl compile lenet5 --to tvm --weights demo-out/digits/best.safetensors -o demo-out/lenet5
show python docs/demo/held_out.py demo-out/digits demo-out/digits.npy demo-out/labels.npy
show python demo-out/lenet5/predict.py demo-out/digits.npy demo-out/tvm.npy
show python docs/demo/same_digits.py demo-out/digits demo-out/digits.npy demo-out/labels.npy demo-out/tvm.npy
show cnndsl draw lenet5 -o demo-out/lenet5.svg

show cnndsl compile resnet18 --to torch -o demo-out/resnet18.py
show python docs/demo/first_weights.py demo-out/weights.pth
show cnndsl compile resnet18 --to tvm --weights demo-out/weights.pth -o demo-out/resnet18
show cnndsl run demo-out/resnet18 --input docs/images/cat.jpg --normalize imagenet --top 5 -o demo-out/cat.npy
show python docs/demo/compare.py demo-out/weights.pth docs/images/cat.jpg demo-out/cat.npy
show cnndsl draw resnet18 -o demo-out/resnet18.svg
