"""Graphs with the structure of their program, built in Python, for the tests of drawing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import cnndsl.ops  # noqa: F401  (fills the registry)
from cnndsl.ir.graph import Frame, Graph, Input, Node, Output
from cnndsl.ir.op import Op
from cnndsl.ir.tensor import TensorType
from cnndsl.ops.adaptive_avg_pool import AdaptiveAvgPool
from cnndsl.ops.add import Add
from cnndsl.ops.bn import BN
from cnndsl.ops.cat import Cat
from cnndsl.ops.conv import Conv
from cnndsl.ops.fc import FC
from cnndsl.ops.flatten import Flatten
from cnndsl.ops.global_avg_pool import GlobalAvgPool
from cnndsl.ops.max_pool import MaxPool
from cnndsl.ops.relu import ReLU


class Net:
    """Grows a graph node by node; `frame` opens a piece of structure around what is added in it."""

    def __init__(self, *shape: int) -> None:
        self._input = Input(name="image", type=TensorType(shape=shape))
        self._types = {"image": self._input.type}
        self._nodes: list[Node] = []
        self._frames: list[Frame] = []
        self._open: int | None = None

    def add(self, name: str, op: Op, *inputs: str, weights_of: str | None = None) -> str:
        self._types[name] = op.infer(tuple(self._types[i] for i in inputs))
        self._nodes.append(
            Node(
                name=name, op=op, inputs=inputs, type=self._types[name], weights_of=weights_of or name, frame=self._open
            )
        )
        return name

    def conv(self, name: str, x: str, channels: int, window: int, stride: int = 1, *, act: bool = True) -> str:
        """A convolution, its normalisation and its activation: `name`, `name_bn`, `name_relu`."""
        x = self.add(name, Conv(channels=channels, window=(window, window), stride=stride, bias=False), x)
        x = self.add(f"{name}_bn", BN(), x)
        return self.add(f"{name}_relu", ReLU(), x) if act else x

    @contextmanager
    def frame(
        self,
        kind: Literal["block", "group", "repeat", "round"],
        title: str = "",
        name: str = "",
        round: int = 0,
        rounds: int = 1,
    ) -> Iterator[None]:
        before = self._open
        self._frames.append(Frame(parent=before, kind=kind, title=title, name=name, round=round, rounds=rounds))
        self._open = len(self._frames) - 1
        yield
        self._open = before

    def graph(self, *outputs: str, name: str = "net") -> Graph:
        leaving = outputs or (self._nodes[-1].name,)
        return Graph(
            name=name,
            inputs=(self._input,),
            nodes=tuple(self._nodes),
            outputs=tuple(Output(name=o, node=o) for o in leaving),
            modules=tuple(n.name for n in self._nodes if n.owns_weights and n.op.takes_position),
            frames=tuple(self._frames),
        )


def resnet(counts: tuple[int, ...] = (3, 4)) -> Graph:
    """Stages of residual blocks, the first of each with a projection: a stem, stages, a head."""
    net = Net(3, 64, 64)
    x = net.conv("stem", "image", 16, 7, 2)
    for number, count in enumerate(counts, start=1):
        stage = f"layer{number}"
        channels = 16 * 2**number
        with net.frame("block", "Stage", stage):
            x = _residual(net, x, f"{stage}.0", channels, 2)
            with net.frame("repeat", "unit", rounds=count - 1):
                for index in range(1, count):
                    with net.frame("round", round=index - 1, rounds=count - 1):
                        x = _residual(net, x, f"{stage}.{index}", channels, 1)
    x = net.add("pool", GlobalAvgPool(), x)
    x = net.add("flatten", Flatten(), x)
    net.add("fc", FC(units=10), x)
    return net.graph(name="resnet")


def _residual(net: Net, x: str, name: str, channels: int, stride: int) -> str:
    with net.frame("block", "Basic", name):
        y = net.conv(f"{name}.conv1", x, channels, 3, stride)
        y = net.conv(f"{name}.conv2", y, channels, 3, act=False)
        if stride != 1:
            with net.frame("group", "downsample", f"{name}.downsample"):
                x = net.conv(f"{name}.downsample.0", x, channels, 1, stride, act=False)
        y = net.add(f"{name}.add", Add(), y, x)
        return net.add(f"{name}.relu", ReLU(), y)


def unet(depth: int = 3) -> Graph:
    """Down and up again, with a skip across at every level."""
    net = Net(3, 64, 64)
    x = "image"
    skips = []
    for level in range(depth):
        x = _double(net, x, f"enc{level}", 8 * 2**level)
        skips.append(x)
        x = net.add(f"pool{level}", MaxPool(), x)
    x = _double(net, x, "middle", 8 * 2**depth)
    for level in reversed(range(depth)):
        x = net.add(f"up{level}", AdaptiveAvgPool(size=64 // 2**level), x)
        x = net.add(f"cat{level}", Cat(), skips[level], x)
        x = _double(net, x, f"dec{level}", 8 * 2**level)
    net.add("head", Conv(channels=2, window=(1, 1)), x)
    return net.graph(name="unet")


def _double(net: Net, x: str, name: str, channels: int) -> str:
    with net.frame("block", "Double", name), net.frame("repeat", rounds=2):
        for index in range(2):
            with net.frame("round", round=index, rounds=2):
                x = net.conv(f"{name}.{index}", x, channels, 3)
    return x


def dense(rounds: int = 4) -> Graph:
    """A dense block: every round lays new channels behind those it was given."""
    net = Net(8, 16, 16)
    x = "image"
    with net.frame("repeat", rounds=rounds):
        for index in range(rounds):
            with net.frame("round", round=index, rounds=rounds):
                y = net.add(f"{index}.bn", BN(), x)
                y = net.add(f"{index}.relu", ReLU(), y)
                y = net.add(f"{index}.conv", Conv(channels=4, window=(3, 3)), y)
                x = net.add(f"{index}.cat", Cat(), x, y)
    return net.graph(name="dense")


def shared(uses: int = 2) -> Graph:
    """One head with one set of weights, used on several tensors."""
    net = Net(4, 8, 8)
    outputs = []
    for use in range(uses):
        suffix = f"@{use + 1}" if use else ""
        x = net.conv(f"neck{use}", "image", 4, 1)
        with net.frame("block", "head", "head"):
            for index in (0, 1):
                owner = f"head.{index}"
                x = net.add(owner + suffix, Conv(channels=4 + index, window=(3, 3)), x, weights_of=owner)
        outputs.append(x)
    return net.graph(*outputs, name="shared")
