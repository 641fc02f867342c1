"""An ONNX graph as a trace, in PyTorch's words: each operation is translated, sizes are worked out, constants are folded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from cnndsl.importing.readers.onnx.arrays import DTYPES
from cnndsl.importing.readers.onnx.constants import MOST_FILLED, fold
from cnndsl.importing.readers.onnx.model import Entering, Model, Operation
from cnndsl.importing.readers.onnx.numbers import short
from cnndsl.importing.readers.onnx.scopes import LABEL, scopes_of
from cnndsl.importing.refuse import Lack, Unread
from cnndsl.importing.trace import ModuleCall, Node, Ref, Tensor, Trace

BATCH = 7
"""What stands for a batch that the file leaves open."""
_LONGESTLABEL = 46

Shape = tuple[int, ...]
Translator = Callable[["Reader", Operation], None]


class Untranslated(Exception):
    """An operation, or a form of one, that has no translation; with what it is."""


class Reader:
    """Translates one model. `lacks` has the operations that could not be."""

    def __init__(self, model: Model, sizes: Mapping[str, Shape], translators: Mapping[str, Translator]) -> None:
        self.model = model
        self.translators = translators
        self.arrays: dict[str, Any] = dict(model.arrays)
        self.shapes: dict[str, Shape] = {}
        self.dtypes: dict[str, str] = {}
        self.nodes: dict[str, Node] = {}
        self.weights: dict[str, Tensor] = {}
        self.values: dict[str, Any] = {}
        self.constants: dict[str, Tensor] = {}
        self.renamed: dict[str, str] = {}
        """Outputs that are the same tensor as another."""
        self.lacks: list[Lack] = []
        self.before: list[str] = []
        """What those take that could be translated: where a part without them may end."""
        self.lost: set[str] = set()
        self.conditions: dict[str, Operation] = {}
        """Comparisons by what they make, which only a choice between two tensors takes."""
        self.filled = 0
        self.labels: set[str] = set()
        self.reads: dict[str, int] = {}
        for operation in model.operations:
            for name in operation.inputs:
                self.reads[name] = self.reads.get(name, 0) + 1
        if not model.inputs:
            raise Unread(
                "it takes no input",
                "export the network with the tensors that it is run on as its inputs",
                "expected: at least one input; found: constants alone",
            )
        self.inputs = tuple(entered(model.inputs, sizes))
        for tensor in self.inputs:
            self.shapes[tensor.name] = tensor.shape
            self.dtypes[tensor.name] = tensor.dtype
        self.batch = self.inputs[0].shape[0]
        self.scope: tuple[ModuleCall, ...] = ()

    def trace(self) -> Trace:
        """The whole trace. Raises `Unread`; `lacks` are to be looked at first."""
        for operation, scope in zip(self.model.operations, scopes_of(self.model.operations), strict=True):
            self.scope = scope
            self.operation(operation)
        outputs = []
        for name in self.model.outputs:
            if name in self.lost:
                continue
            if name in self.conditions:
                self.lacks.append(Lack(self.conditions[name].kind, ""))
                continue
            if self.ref(name).name not in self.shapes:
                raise Unread(
                    f"its output `{name[:60]}` does not depend on its input",
                    "import the outputs that do, each with `--to TENSOR`",
                    "found: an output that is a constant",
                )
            outputs.append((name, self.ref(name).name))
        state = {tensor.name: tensor for tensor in self.weights.values()}
        return Trace(
            name=self.model.name,
            batch=self.batch,
            inputs=self.inputs,
            nodes=tuple(self.nodes.values()),
            outputs=tuple(outputs),
            weights=self.weights,
            constants=self.constants,
            state=state,
            array=self.values.__getitem__,
        )

    def operation(self, operation: Operation) -> None:
        if any(name in self.lost for name in operation.inputs):
            self.lost.update(operation.outputs)
            return
        given = [self.arrays.get(name) if name else None for name in operation.inputs]
        if operation.kind in ("Shape", "Size") and self.ref(operation.inputs[0]).name in self.shapes:
            self.arrays[operation.outputs[0]] = self.sized(operation)
            return
        if operation.kind == "CastLike":
            operation = self.cast(operation)
            given = given[:1]
        if all(not name or array is not None for name, array in zip(operation.inputs, given, strict=True)):
            made = fold(operation.kind, given, operation.attributes)
            if made is not None:
                self.filled += made.size if operation.kind == "ConstantOfShape" else 0
                if self.filled > MOST_FILLED:
                    raise Unread(
                        f"its operations make more than {MOST_FILLED:,} numbers of one value",
                        "import the network for a smaller input",
                    )
                self.arrays[operation.outputs[0]] = made
                return
        try:
            translator = self.translators.get(operation.kind)
            if translator is None:
                raise Untranslated(operation.kind)
            if given and all(array is not None for array in given):
                raise Untranslated(f"{operation.kind} of constants")
            if operation.kind != "Where" and (asked := [n for n in operation.inputs if n in self.conditions]):
                raise Untranslated(f"{operation.kind} of what {self.conditions[asked[0]].kind} says")
            self.check_numbers(operation)
            translator(self, operation)
        except Untranslated as what:
            self.lacks.append(Lack(str(what), self.scope[-1].path if self.scope else operation.name))
            self.before += [name for name in operation.inputs if self.ref(name).name in self.nodes]
            self.lost.update(operation.outputs)

    def check_numbers(self, operation: Operation) -> None:
        """Refuses what does not compute with float32, as layers do; indices of a table aside."""
        for name in operation.inputs:
            dtype = "float32" if name in self.conditions else self.dtypes.get(self.ref(name).name, "float32")
            if dtype != "float32" and operation.kind != "Gather":
                raise Untranslated(f"{operation.kind} of {dtype}")

    def sized(self, operation: Operation) -> Any:
        import numpy as np

        shape = self.shapes[self.ref(operation.inputs[0]).name]
        if operation.kind == "Size":
            return np.asarray(prod(shape), "int64")
        start, end = operation.attributes.get("start", 0), operation.attributes.get("end")
        return np.asarray(shape[start:end], "int64")

    def cast(self, operation: Operation) -> Operation:
        """A cast to another tensor's kind of number as one that says the kind."""
        first, like = operation.inputs
        known = str(self.arrays[like].dtype) if like in self.arrays else self.dtypes.get(self.ref(like).name, "float32")
        kind = "bfloat16" if like in self.model.brain else known
        code = next(code for code, name in DTYPES.items() if name == kind)
        return replace(operation, kind="Cast", inputs=(first,), attributes={"to": code})

    # -- what translators ask

    def ref(self, name: str) -> Ref:
        while name in self.renamed:
            name = self.renamed[name]
        return Ref(name)

    def shape(self, name: str) -> Shape:
        name = self.ref(name).name
        if name in self.shapes:
            return self.shapes[name]
        return tuple(self.arrays[name].shape)

    def array(self, operation: Operation, index: int) -> Any:
        """A constant input; None where it is left out. Raises `Untranslated` for one that depends on the network's input."""
        if index >= len(operation.inputs) or not operation.inputs[index]:
            return None
        name = operation.inputs[index]
        if name not in self.arrays:
            raise Untranslated(f"{operation.kind} with an argument that is computed")
        return self.arrays[name]

    def argument(self, name: str) -> Any:
        """An input as an argument: a tensor, or a number or constant."""
        if name not in self.arrays:
            return self.ref(name)
        array = self.arrays[name]
        if array.size == 1:
            number = array.reshape(-1)[0]
            return short(number) if array.dtype == "float32" else number.item()
        key = f"{name}.constant"
        self.constants[key] = Tensor(key, tuple(array.shape), str(array.dtype))
        self.values[key] = array
        return Ref(key)

    def emit(
        self, operation: Operation, target: str, arguments: Mapping[str, Any], shape: Shape, name: str = ""
    ) -> None:
        name = name or operation.outputs[0]
        self.nodes[name] = Node(name, target, arguments, shape, "float32", self.scope)
        self.shapes[name] = shape

    def same(self, operation: Operation, index: int = 0) -> None:
        """An output that is an input."""
        name = operation.inputs[index]
        if name in self.arrays:
            self.arrays[operation.outputs[0]] = self.arrays[name]
            return
        self.renamed[operation.outputs[0]] = self.ref(name).name

    def weight(self, label: str, slot: str, array: Any) -> Ref:
        """A weight of a layer, by its key there."""
        import numpy as np

        key = f"{label}.{slot}" if slot else label
        array = np.asarray(array, dtype=array.dtype if array.dtype == np.int64 else "float32")
        self.weights[key] = Tensor(key, tuple(array.shape), str(array.dtype))
        self.values[key] = array
        return Ref(key)

    def label(self, name: str, slot: str = ".weight") -> str:
        """Where a layer's weights are: as the weight is named, or the module it stands in; else a number, which is no
        name."""
        found = name.removesuffix(slot) if name.endswith(slot) else ""
        path = self.scope[-1].path if self.scope else ""
        if not slot and path:
            # A tensor of its own lies in the module beside others, and is none of its layers.
            path = f"{path}.{name.rpartition('.')[2]}"
        for label in (found, path):
            fits = LABEL.fullmatch(label) and len(label) <= _LONGESTLABEL
            if fits and label not in self.labels:
                self.labels.add(label)
                return label
        return f"#{len(self.weights) + 1}"


def entered(inputs: Iterable[Entering], sizes: Mapping[str, Shape]) -> Iterator[Tensor]:
    """The inputs, with a size for each axis: what the file says, and `sizes` behind the batch by name, "" for the first.
    Raises `Unread`."""
    for index, (name, dtype, found) in enumerate(inputs):
        given = sizes.get(name, sizes.get("") if index == 0 else None)
        shown = "×".join("?" if n is None else str(n) for n in found[1:])
        if len(found) < 2:
            raise Unread(
                f"its input `{name}` is {'one axis' if found else 'one number'}, and no batch of tensors",
                "import the part behind it with `--from TENSOR --to TENSOR`, or export the network without it",
                "expected: a batch, and at least one axis behind it",
            )
        if given is not None and len(given) != len(found) - 1:
            raise Unread(
                f"its input `{name}` has other axes than are given",
                f"give `--input {name}=` and {len(found) - 1} sizes joined by x, without the batch",
                f"expected: {len(found) - 1} behind the batch, {shown}; found: {'×'.join(map(str, given))}",
            )
        size: Sequence[int | None] = found[1:] if given is None else given
        if None in size:
            raise Unread(
                f"it leaves sizes of its input `{name}` open",
                f"say them with `--input {name}=` and {len(found) - 1} sizes joined by x, as 3x224x224",
                f"expected: whole numbers; found: {shown}",
            )
        yield Tensor(name, (found[0] or BATCH, *(n for n in size if n is not None)), dtype)
