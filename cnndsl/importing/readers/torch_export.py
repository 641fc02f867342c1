"""A PyTorch module as a trace, by `torch.export`: nothing is computed, and no weight takes memory twice."""

from __future__ import annotations

import copy
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cnndsl.backends.pytorch.library import nn, torch
from cnndsl.importing.refuse import Unread
from cnndsl.importing.trace import ModuleCall, Node, Ref, Tensor, Trace

BATCH = 53
"""The length of the batch while tracing: a number that no other axis has, so that a batch that is mixed with other axes
is seen."""

_SHARES = ("drop_prob", "p", "rate")
"""What modules that silence a whole branch call the share of examples they silence."""


def trace_module(
    module: Any, inputs: Sequence[tuple[tuple[int, ...], str]], name: str, *, heads: bool = False
) -> Trace:
    """The trace of a module in evaluation for inputs of these shapes (without batch) and dtypes. With `heads` the module
    believes that it is trained, so that it gives what only training has; norms and dropout are as in evaluation.

    Raises `Unread` where PyTorch cannot follow the module, as where control flow depends on numbers.
    """
    empty = any(tensor.device.type == "meta" for tensor in (*module.parameters(), *module.buffers()))
    copied = _pretending(module).train().eval() if empty else fresh(module)
    if heads:
        _believing(copied)
    tensors = (*module.parameters(), *module.buffers())
    device = "cpu" if empty else next((tensor.device for tensor in tensors), "cpu")
    examples = tuple(
        torch.empty((BATCH, *shape), dtype=getattr(torch, dtype), device=device) for shape, dtype in inputs
    )
    with _kept_paths(copied) as shares, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exported = torch.export.export(copied, examples, strict=False)
        except Exception as error:
            # torch.export ends in errors of many kinds, the module's own among them.
            raise Unread(
                "torch.export cannot follow its forward",
                "give sizes that its forward takes; steps that depend on numbers, as `if x.sum() > 0`, have to go",
                f"found: {type(error).__name__}: {_first_line(error)}",
            ) from error
    return _read(exported, module, shares, name)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _believing(module: Any) -> None:
    """Sets the mode of training for all modules but those that compute otherwise in it."""
    for child in module.modules():
        kind = type(child).__name__.lower()
        if not any(word in kind for word in ("norm", "drop", "bn", "depth")):
            child.training = True


def fresh(module: Any) -> Any:
    """A copy of the modules in evaluation, which has the same tensors, and nothing that they keep of earlier runs. What code
    computes once for all runs in evaluation, such as biases picked from a table, it drops when it is to be trained."""
    own = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    return copy.deepcopy(module, _results(module) | own).train().eval()


def _results(module: Any) -> dict[int, Any]:
    """What modules keep of earlier runs and PyTorch does not copy, results that gradients go through, without that."""
    found: dict[int, Any] = {}
    pending = [vars(child) for child in module.modules()]
    seen: set[int] = set()
    while pending:
        values = pending.pop()
        seen.add(id(values))
        for value in values.values():
            items = value if isinstance(value, list | tuple) else [value]
            found.update((id(t), t.detach()) for t in items if isinstance(t, torch.Tensor) and not t.is_leaf)
            if isinstance(value, dict) and id(value) not in seen:
                pending.append(value)
    return found


def _pretending(module: Any) -> Any:
    """A copy of a module without numbers whose tensors pretend to have some: what its code makes anew has them really, which
    on the meta device it would not."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    memo: dict[int, Any] = {}
    with FakeTensorMode(allow_non_fake_inputs=True):
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.device.type == "meta":
                made = torch.empty(tensor.shape, dtype=tensor.dtype)
                trained = isinstance(tensor, nn.Parameter)
                memo[id(tensor)] = nn.Parameter(made, requires_grad=tensor.requires_grad) if trained else made
            else:
                memo[id(tensor)] = tensor
        return copy.deepcopy(module, memo)


def outline(module: Any) -> Any:
    """A copy in evaluation whose parameters and buffers have shapes and no numbers; the module stays as it is."""
    memo = _results(module)
    for tensor in (*module.parameters(), *module.buffers()):
        empty = torch.empty_like(tensor, device="meta")
        memo[id(tensor)] = (
            nn.Parameter(empty, requires_grad=tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty
        )
    return copy.deepcopy(module, memo).train().eval()


@contextmanager
def _kept_paths(module: Any) -> Iterator[dict[str, float]]:
    """While this is open, modules that silence a branch in training and do nothing in use leave a trace: the share of
    examples by module path."""
    shares: dict[str, float] = {}
    for path, child in module.named_modules():
        if type(child).__name__ in ("DropPath", "StochasticDepth"):
            share = next((float(v) for n in _SHARES if isinstance(v := getattr(child, n, None), int | float)), 0.0)
            if share > 0:
                shares[path] = share
                child.forward = torch.ops.aten.alias
    yield shares


def _read(exported: Any, module: Any, shares: Mapping[str, float], name: str) -> Trace:
    signature = exported.graph_signature
    kinds = {spec.arg.name: spec for spec in signature.input_specs}
    state = {key: _tensor(key, value) for key, value in module.state_dict().items()}
    trained = {key for key, _ in module.named_parameters()}
    state = {k: Tensor(t.name, t.shape, t.dtype, k in trained) for k, t in state.items()}
    inputs: list[Tensor] = []
    weights: dict[str, Tensor] = {}
    constants: dict[str, Tensor] = {}
    values: dict[str, Any] = {}
    nodes: list[Node] = []
    graph, renamed = _inlined(exported.graph_module)
    for node in graph:
        if node.op == "placeholder":
            spec = kinds[node.name]
            made = _tensor(node.name, node.meta["val"])
            if spec.kind.name == "USER_INPUT":
                inputs.append(made)
            elif spec.target in state:
                weights[node.name] = state[spec.target]
            else:
                constants[node.name] = made
                values[node.name] = spec.target
        elif node.op == "get_attr" and "val" in node.meta:
            # One without a value is the body of an operation such as autocast's, which is refused by its own name.
            constants[node.name] = _tensor(node.name, node.meta["val"])
            values[node.name] = node.target
        elif node.op == "call_function":
            nodes.append(_node(node, shares))
    leaving = [spec.arg.name for spec in signature.output_specs if spec.kind.name == "USER_OUTPUT"]
    labels = _output_names(exported, leaving)
    leaving = [renamed.get(name, name) for name in leaving]

    def array(wanted: str) -> Any:
        if wanted in state:
            return module.state_dict()[wanted].detach().cpu().numpy()
        found = _attribute(exported, module, values[wanted])
        return None if found.device.type == "meta" else found.detach().cpu().numpy()

    return Trace(
        name=name,
        batch=BATCH,
        inputs=tuple(inputs),
        nodes=tuple(nodes),
        outputs=tuple(zip(labels, leaving, strict=True)),
        weights=weights,
        constants=constants,
        state=state,
        array=array,
    )


_AROUND = {"wrap_with_autocast": 4, "wrap_with_set_grad_enabled": 1}
"""Operations that run a graph of their own in another mode, and how many arguments come before it."""


def _inlined(module: Any) -> tuple[list[Any], dict[str, str]]:
    """The nodes of a program in order, those of graphs that run as all others do in the place of the call; and the new names
    of results. A graph under autocast that changes types stays a call, which is refused by its name."""
    graph = torch.fx.Graph()
    known: dict[Any, Any] = {}

    def copy(inner: Any, values: dict[Any, Any]) -> Any:
        for node in inner.graph.nodes:
            around = _AROUND.get(getattr(node.target, "__name__", str(node.target)))
            if node.op == "output":
                return torch.fx.node.map_arg(node.args[0], lambda n: values[n])
            if node.op == "placeholder" and node in values:
                continue
            if node.op == "get_attr" and "val" not in node.meta:
                values[node] = node
            elif node.op == "call_function" and around is not None and not (around == 4 and node.args[2]):
                body = getattr(inner, node.args[around].target)
                given = [values[n] if isinstance(n, torch.fx.Node) else n for n in node.args[around + 1 :]]
                places = [n for n in body.graph.nodes if n.op == "placeholder"]
                values[node] = copy(body, dict(zip(places, given, strict=True)))
            elif (
                node.op == "call_function"
                and getattr(node.target, "__name__", "") == "getitem"
                and isinstance(values.get(node.args[0]), list | tuple)
            ):
                values[node] = values[node.args[0]][node.args[1]]
            else:
                values[node] = graph.node_copy(node, lambda n: values[n])
        return None

    if not any(getattr(n.target, "__name__", "") in _AROUND for n in module.graph.nodes):
        return list(module.graph.nodes), {}
    copy(module, known)
    return list(graph.nodes), {old.name: new.name for old, new in known.items() if isinstance(new, torch.fx.Node)}


def _attribute(exported: Any, module: Any, path: str) -> Any:
    """A buffer that is not saved, from the module; a tensor that its code made, from the exported program."""
    made = exported.constants.get(path)
    if made is not None and made.device.type != "meta":
        return made
    found = module
    for part in path.split("."):
        found = getattr(found, part, None)
    return made if found is None else found


def _output_names(exported: Any, leaving: list[str]) -> list[str]:
    """The names of the outputs: the keys of the dictionary that the module gives, else what PyTorch calls them."""
    spec = exported.call_spec.out_spec
    if spec is None:
        return leaving
    keys = spec.context if spec.type in (dict, OrderedDict) else getattr(spec.context, "_fields", None)
    if keys and len(keys) == len(leaving):
        return [str(key) for key in keys]
    return leaving


def _tensor(name: str, value: Any) -> Tensor:
    return Tensor(name, tuple(value.shape), str(value.dtype).removeprefix("torch."))


def _node(node: Any, shares: Mapping[str, float]) -> Node:
    scope = tuple(_scope(node.meta.get("nn_module_stack") or {}))
    target, arguments = _called(node)
    if target == "alias" and scope and scope[-1].path in shares:
        target, arguments = "drop_path", {**arguments, "p": shares[scope[-1].path]}
    value = node.meta.get("val")
    several = isinstance(value, list | tuple)
    parts = tuple(tuple(v.shape) for v in value if v is not None) if several else ()
    shape = () if several or not hasattr(value, "shape") else tuple(value.shape)
    dtype = str(getattr(value, "dtype", "float32")).removeprefix("torch.")
    return Node(node.name, target, arguments, shape, dtype, scope, parts)


def _called(node: Any) -> tuple[str, dict[str, Any]]:
    """The operation's name, and its arguments by the names of its schema, defaults filled in."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        name = getattr(node.target, "__name__", str(node.target))
        return name, {f"{index}": _argument(value) for index, value in enumerate(node.args)}
    arguments: dict[str, Any] = {}
    for index, argument in enumerate(schema.arguments):
        if index < len(node.args):
            arguments[argument.name] = _argument(node.args[index])
        elif argument.name in node.kwargs:
            arguments[argument.name] = _argument(node.kwargs[argument.name])
        elif argument.has_default_value():
            arguments[argument.name] = _argument(argument.default_value)
    return schema.name.rpartition("::")[2], arguments


def _argument(value: Any) -> Any:
    if isinstance(value, torch.fx.Node):
        return Ref(value.name)
    if isinstance(value, list | tuple):
        return [_argument(item) for item in value]
    return str(value) if isinstance(value, torch.dtype | torch.device | torch.layout) else value


def _scope(stack: Mapping[str, Any]) -> Iterator[ModuleCall]:
    """The module calls around an operation, from the outermost; `@1` behind a path marks its second call."""
    for key, entry in stack.items():
        path, kind = entry
        times = key.rpartition("@")[2] if "@" in key else ""
        kind = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
        if path:
            yield ModuleCall(path.partition("@")[0], kind.rpartition(".")[2], int(times) if times.isdigit() else 0)
