"""A program that `torch.export.save` wrote, read by ourselves: a zip of JSON and raw numbers. Nothing in it is run.

PyTorch's own loader unpickles what the file tells it to, and evaluates text of the file. Here a pickled weight, a size that
does not fit, and all that is not plain data is refused.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any, BinaryIO

from cnndsl.importing.readers.archive import entries_of, json_in, no_archive
from cnndsl.importing.refuse import EXPORT_AGAIN, Unread
from cnndsl.importing.trace import ModuleCall, Node, Ref, Tensor, Trace

BATCH = 7
"""What stands for a batch that the file leaves open."""
MOST_NODES = 100_000
MOST_BYTES = 16_000_000_000
_MAJORS = (8,)
_DTYPES = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64", 12: "bool",
    13: "bfloat16",
}  # fmt: skip
_BYTES = {"uint8": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "float16": 2, "float32": 4, "float64": 8, "bool": 1, "bfloat16": 2}  # fmt: skip
_SIZES: Mapping[str, Callable[[int, int], int]] = {
    "_operator.mul": lambda a, b: a * b,
    "_operator.add": lambda a, b: a + b,
    "_operator.sub": lambda a, b: a - b,
    "_operator.floordiv": lambda a, b: a // b if b else 0,
}


_SYMBOL = re.compile(r"(?:Mul\(Integer\((\d{1,6})\), )?Symbol\('(\w{1,40})'(?:, \w+=\w+)*\)\)?")
"""How a size is written that is the batch's, or so many times it."""


_OPEN = (
    "it leaves sizes open that are not the batch's",
    "export it for inputs of one size: only the batch may be `torch.export.Dim`",
)


def read_pt2(file: BinaryIO, name: str) -> Trace:
    """The trace of an exported program. Raises `Unread` for a file that is none, or that asks for more than plain data."""
    try:
        with zipfile.ZipFile(file) as archive:
            return _Reader(archive, name).trace()
    except RecursionError as error:
        raise Unread("its brackets are nested too deep", EXPORT_AGAIN) from error
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise Unread("it is no archive that can be read", *no_archive(file, str(error))) from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, StopIteration, OverflowError) as error:
        raise Unread(
            "it is not as PyTorch writes exported programs",
            "write the file again with `torch.export.save`",
            f"expected: JSON of version {_MAJORS[-1]}, and raw numbers",
        ) from error


class _Reader:
    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.archive = archive
        self.entries = entries_of(archive)
        self.name = name
        self.numbers: dict[str, int] = {}

    def trace(self) -> Trace:
        program = json_in(self.archive, "models/model.json")
        major = program["schema_version"]["major"]
        if major not in _MAJORS:
            raise Unread(
                f"it is of version {major}",
                "write the file again with the PyTorch of today: `torch.export.save`",
                f"expected: version {_MAJORS[-1]}",
            )
        graph, signature = program["graph_module"]["graph"], program["graph_module"]["signature"]
        if len(graph["nodes"]) > MOST_NODES:
            raise Unread(f"it has more than {MOST_NODES:,} operations", "give a smaller network")
        configs: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for folder, file in (("weights", "model_weights_config.json"), ("constants", "model_constants_config.json")):
            if f"data/{folder}/{file}" in self.entries:
                found = json_in(self.archive, f"data/{folder}/{file}")["config"]
                configs |= {key: (folder, entry) for key, entry in found.items()}
        shapes = {key: self.meta(key, value) for key, value in graph["tensor_values"].items()}
        weights, constants, inputs, stored = {}, {}, [], {}
        for spec in signature["input_specs"]:
            ((kind, given),) = spec.items()
            if kind == "user_input":
                argument = given["arg"]
                if "as_tensor" not in argument:
                    raise Unread(
                        "it takes inputs that are no tensors",
                        "export a module whose forward takes tensors alone",
                        f"found: {', '.join(argument)[:60]}",
                    )
                inputs.append(shapes[argument["as_tensor"]["name"]])
                continue
            argument = given["arg"]["name"]
            key = given.get("parameter_name", given.get("buffer_name", given.get("tensor_constant_name")))
            tensor = shapes[argument]
            if kind == "parameter" or (kind == "buffer" and given["persistent"]):
                weights[argument] = Tensor(key, tensor.shape, tensor.dtype, kind == "parameter")
            elif kind in ("buffer", "tensor_constant"):
                constants[argument] = tensor
            else:
                raise Unread(
                    f"it takes an input of the kind {kind}",
                    "export the module without it: `torch.export.export(module.eval(), (x,))`",
                    "expected: parameters, buffers, constants and tensors",
                )
            stored[key if argument in weights else argument] = key
        nodes = tuple(node for given in graph["nodes"] for node in self.nodes(given, shapes))
        leaving = [
            spec["user_output"]["arg"]["as_tensor"]["name"]
            for spec in signature["output_specs"]
            if "user_output" in spec
        ]
        state = {tensor.name: tensor for tensor in weights.values()}
        for key in stored.values():
            if key not in configs:
                raise Unread(f"it has no numbers for `{key}`", EXPORT_AGAIN)
            self.check(key, *configs[key])

        arrays = {wanted: self.array(*configs[key]) for wanted, key in stored.items()}

        return Trace(
            name=self.name,
            batch=self.batch(inputs),
            inputs=tuple(inputs),
            nodes=nodes,
            outputs=tuple((name, name) for name in leaving),
            weights=weights,
            constants=constants,
            state=state,
            array=arrays.__getitem__,
        )

    def batch(self, inputs: list[Tensor]) -> int:
        batches = {tensor.shape[0] for tensor in inputs if tensor.shape}
        if len(batches) != 1:
            raise Unread(
                "its inputs have no common batch",
                "export the module with inputs whose first axis is the batch",
                f"found: {', '.join(map(str, sorted(batches))) or 'no inputs'}",
            )
        return batches.pop()

    def meta(self, name: str, value: Mapping[str, Any]) -> Tensor:
        dtype = _DTYPES.get(value["dtype"])
        if dtype is None:
            raise Unread(f"`{name}` is of an unknown type", "export the module with float32")
        return Tensor(name, tuple(self.size(n) for n in value["sizes"]), dtype)

    def size(self, value: Mapping[str, Any]) -> int:
        """A size; one symbol, times a number at most, stands for the batch."""
        if "as_int" in value:
            number = value["as_int"]
            if type(number) is not int or not 0 <= number <= 2**31:
                raise Unread("a size is out of range", EXPORT_AGAIN, f"found: {number!r}")
            return int(number)
        text = value["as_expr"]["expr_str"]
        match = _SYMBOL.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise Unread(*_OPEN)
        self.numbers.setdefault(match[2], BATCH)
        if len(set(self.numbers)) > 1 and any(not name.startswith("sym_") for name in list(self.numbers)[1:]):
            raise Unread(*_OPEN)
        return int(match[1] or 1) * BATCH

    def nodes(self, given: Mapping[str, Any], shapes: Mapping[str, Tensor]) -> Iterator[Node]:
        target = given["target"]
        arguments = {item["name"]: self.argument(item["arg"]) for item in given["inputs"]}
        outputs = given["outputs"]
        if target in _SIZES or target.endswith("sym_size.int"):
            values = list(arguments.values())
            number = (
                shapes[values[0].name].shape[values[1]] if target.endswith("sym_size.int") else _SIZES[target](*values)
            )
            self.numbers[f"sym_{outputs[0]['as_sym_int']['as_name']}"] = int(number)
            return
        if target.endswith(
            ("_assert_scalar.default", "_assert_tensor_metadata.default", "sym_constrain_range_for_size.default")
        ):
            return
        match = re.fullmatch(r"torch\.ops\.aten\.(\w+)\.(\w+)", target)
        name = match[1] if match else target
        scope = tuple(_scope(given.get("metadata", {}).get("nn_module_stack", "")))
        (first, *more) = outputs
        if "as_tensors" in first:
            parts = [shapes[item["name"]] for item in first["as_tensors"]]
        elif more:
            parts = [shapes[item["as_tensor"]["name"]] for item in outputs if "as_tensor" in item]
        else:
            made = shapes[first["as_tensor"]["name"]]
            yield Node(made.name, name, arguments, made.shape, made.dtype, scope)
            return
        whole = f"{parts[0].name}.all"
        yield Node(whole, name, arguments, (), parts[0].dtype, scope, tuple(part.shape for part in parts))
        for index, part in enumerate(parts):
            yield Node(part.name, "getitem", {"0": Ref(whole), "1": index}, part.shape, part.dtype, scope)

    def argument(self, given: Mapping[str, Any]) -> Any:
        ((kind, value),) = given.items()
        if kind == "as_tensor":
            return Ref(value["name"])
        if kind in ("as_tensors", "as_optional_tensors"):
            return [self.argument(i) if set(i) & {"as_tensor", "as_none"} else Ref(i["name"]) for i in value]
        if kind == "as_none":
            return None
        if kind == "as_sym_int":
            return self.number(value)
        if kind == "as_sym_ints":
            return [self.number(item) for item in value]
        if kind in ("as_int", "as_ints", "as_float", "as_floats", "as_bool", "as_bools", "as_string"):
            return value
        return f"{kind} {value}"

    def number(self, value: Mapping[str, Any]) -> int:
        return value["as_int"] if "as_int" in value else self.numbers[f"sym_{value['as_name']}"]

    def check(self, key: str, folder: str, entry: Mapping[str, Any]) -> None:
        """Refuses what is no plain array that lies in the file as a whole."""
        if entry.get("use_pickle") is not False:
            raise Unread(
                f"`{key}` is pickled: reading it could run anything",
                "write the file again with `torch.export.save`, which saves plain tensors as they are",
            )
        if "/" in entry["path_name"] or ".." in entry["path_name"]:
            raise Unread(f"`{key}` lies outside of the archive", "write the file again with `torch.export.save`")
        info = self.entries.get(f"data/{folder}/{entry['path_name']}")
        tensor = self.meta(key, entry["tensor_meta"])
        if info is None or info.file_size > MOST_BYTES or info.compress_type != zipfile.ZIP_STORED:
            raise Unread(f"the numbers of `{key}` are missing or packed", EXPORT_AGAIN)
        if info.file_size < prod(tensor.shape) * _BYTES[tensor.dtype]:
            raise Unread(f"`{key}` has fewer numbers than its shape says", EXPORT_AGAIN)

    def array(self, folder: str, entry: Mapping[str, Any]) -> Any:
        import numpy as np

        tensor = self.meta("", entry["tensor_meta"])
        strides = [self.size(n) for n in entry["tensor_meta"]["strides"]]
        offset = self.size(entry["tensor_meta"]["storage_offset"])
        with self.archive.open(self.entries[f"data/{folder}/{entry['path_name']}"]) as file:
            data = file.read()
        dtype = np.dtype(np.uint16 if tensor.dtype == "bfloat16" else tensor.dtype).newbyteorder("<")
        flat = np.frombuffer(data, dtype, count=len(data) // dtype.itemsize)
        last = offset + sum((n - 1) * s for n, s in zip(tensor.shape, strides, strict=True) if n)
        count = prod(tensor.shape)
        if count and last >= flat.size:
            raise Unread("an array reaches beyond its numbers", EXPORT_AGAIN)
        view = np.lib.stride_tricks.as_strided(
            flat[offset:], tensor.shape, [s * dtype.itemsize for s in strides], writeable=False
        )
        made = np.array(view).reshape(tensor.shape)
        if tensor.dtype == "bfloat16":
            return (made.astype(np.uint32) << 16).view(np.float32)
        return made.astype(tensor.dtype, copy=False)


def _scope(text: str) -> Iterator[ModuleCall]:
    """`L__self__0,0,torch.nn.modules.conv.Conv2d`, from the outermost module, with semicolons between."""
    for part in text.split(";"):
        pieces = part.split(",")
        if len(pieces) == 3 and pieces[1]:
            times = pieces[0].rpartition("@")[2] if "@" in pieces[0] else "0"
            path = pieces[1].partition("@")[0]
            yield ModuleCall(path, pieces[2].rpartition(".")[2], int(times) if times.isdigit() else 0)
