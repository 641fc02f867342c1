#!/usr/bin/env bash
# The whole story: a text and its table; a trained network that knows what is in a photograph, from PyTorch and from a package
# that needs neither PyTorch nor us; things and faces in boxes; and a network that learns by itself, from first weights to a package.
# Every line works by itself: copy what you need. Results lie in demo-out/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rm -rf demo-out/digits
mkdir -p demo-out

show() {
  printf '\n$'
  printf ' %s' "$@"
  printf '\n'
  "$@"
}

show cnndsl summary docs/small.cnn

show cnndsl predict efficientnet_lite0 --weights published docs/images/coffee.jpg docs/images/cat.jpg
show cnndsl compile efficientnet_lite0 --to tvm --weights published -o demo-out/efficientnet_lite0
show cnndsl run demo-out/efficientnet_lite0 --input docs/images/coffee.jpg -o demo-out/coffee.png
show python demo-out/efficientnet_lite0/predict.py docs/images/cat.jpg
show cnndsl predict yolov3_tiny --weights published docs/images/coffee.jpg -o demo-out/boxes.png
show cnndsl predict mtcnn --weights published docs/images/astronaut.jpg -o demo-out/faces.png

show cnndsl train lenet5 --data digits -o demo-out/digits
show cnndsl evaluate demo-out/digits -o demo-out/confusion.svg
show cnndsl compile demo-out/digits --to tvm -o demo-out/lenet5
show python docs/demo/held_out.py demo-out/digits demo-out/digits.npy demo-out/labels.npy
show python demo-out/lenet5/predict.py demo-out/digits.npy demo-out/tvm.npy
show python docs/demo/same_digits.py demo-out/digits demo-out/digits.npy demo-out/labels.npy demo-out/tvm.npy
show cnndsl draw lenet5 -o demo-out/lenet5.svg
