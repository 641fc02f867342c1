"""Guards `architectures/`. torchvision's networks and ours: the same state dicts, and with equal weights the same
outputs.
"""

from __future__ import annotations

from typing import Any

import pytest

from cnndsl import pipeline
from cnndsl.analyses.summary import summarize
from cnndsl.disk import shelf
from cnndsl.ir.graph import Graph
from tests.oracle import outline, published, skeleton, torchvision_models

models = torchvision_models()
PUBLISHED: list[str] = models.list_models(module=models)
SHARED = [name for name in PUBLISHED if name in shelf.architectures()]
ALWAYS = {
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s", "googlenet", "inception_v3", "maxvit_t",
    "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small", "regnet_x_400mf", "regnet_y_400mf", "resnet18", "resnet50",
    "resnext50_32x4d", "shufflenet_v2_x0_5", "squeezenet1_0", "squeezenet1_1", "swin_t", "swin_v2_t", "vgg11", "vgg11_bn",
    "vit_b_32", "wide_resnet50_2",
}  # fmt: skip
"""The smallest of each kind; the others have more of the same blocks, or wider ones, and are slow tests."""
NAMES = [name if name in ALWAYS else pytest.param(name, marks=pytest.mark.slow) for name in SHARED]

OUTPUTS = [
    pytest.param("alexnet", 224, {}, marks=pytest.mark.slow),
    ("convnext_tiny", 64, {}),
    ("densenet121", 64, {}),
    ("efficientnet_b0", 64, {}),
    pytest.param("efficientnet_v2_s", 64, {}, marks=pytest.mark.slow),
    ("googlenet", 80, {"transform_input": True}),
    pytest.param("inception_v3", 107, {"transform_input": True, "aux_logits": False}, marks=pytest.mark.slow),
    pytest.param("maxvit_t", 224, {}, marks=pytest.mark.slow),
    ("mnasnet0_5", 64, {}),
    ("mobilenet_v2", 64, {}),
    pytest.param("mobilenet_v3_large", 64, {}, marks=pytest.mark.slow),
    ("mobilenet_v3_small", 64, {}),
    ("regnet_y_400mf", 64, {}),
    ("resnet18", 64, {}),
    pytest.param("resnet50", 64, {}, marks=pytest.mark.slow),
    pytest.param("resnext50_32x4d", 64, {}, marks=pytest.mark.slow),
    ("shufflenet_v2_x0_5", 64, {}),
    ("squeezenet1_0", 96, {}),
    ("swin_t", 64, {}),
    pytest.param("swin_t", 224, {}, marks=pytest.mark.slow),
    pytest.param("swin_v2_t", 64, {}, marks=pytest.mark.slow),
    pytest.param("vgg11", 64, {}, marks=pytest.mark.slow),
    pytest.param("vgg11_bn", 64, {}, marks=pytest.mark.slow),
    pytest.param("vit_b_32", 224, {}, marks=pytest.mark.slow),
    pytest.param("wide_resnet50_2", 64, {}, marks=pytest.mark.slow),
]
"""Name, size of the image, and torchvision's options. Large networks whose layers a smaller one has, too, are slow tests."""


@pytest.mark.parametrize("name", NAMES)
def test_same_state_dict(name: str) -> None:
    """Keys, order, shapes and dtypes, so that a checkpoint of theirs loads with `strict=True`."""
    assert state_of(pipeline.load(name).graph) == outline(name)


@pytest.mark.parametrize("name", NAMES)
def test_same_settings(name: str) -> None:
    """What no weight shows: what norms add to the variance, how fast they learn it, how much is dropped."""
    settings = ("eps", "momentum", "p")
    theirs = dict(skeleton(name).named_modules())
    ours = {node.weights_of: node.op for node in pipeline.load(name).graph.nodes}
    told = [(path, word) for path, op in ours.items() for word in settings if hasattr(op, word)]
    assert {(path, word): getattr(ours[path], word) for path, word in told} == pytest.approx(
        {(path, word): getattr(theirs[path], word) for path, word in told}
    )


@pytest.mark.parametrize("name", NAMES)
def test_published_figures(name: str) -> None:
    """Parameters, and operations at the size of image that the weights were made for."""
    # GoogLeNet's number of parameters was published without the heads that its checkpoint holds.
    parameters: dict[str, Any] = {"aux": False} if name == "googlenet" else {}
    for weights in models.get_model_weights(name):
        size, facts = weights.transforms.keywords["crop_size"], weights.meta
        totals = summarize(pipeline.load(name, parameters, {"": f"3x{size}x{size}"}).graph).totals
        assert (totals.params, round(totals.macs / 1e9, 3)) == (facts["num_params"], facts["_ops"])


def test_every_variant_of_a_family_is_there() -> None:
    family = {name: models.get_model_builder(name).__module__ for name in PUBLISHED}
    begun = {family[name] for name in SHARED}
    assert [name for name in PUBLISHED if family[name] in begun and name not in SHARED] == []


@pytest.mark.parametrize(("name", "size", "options"), OUTPUTS)
def test_same_weights_same_output(name: str, size: int, options: dict[str, Any]) -> None:
    import torch

    theirs, ours = pair(name, size, options)
    x = torch.randn(2, 3, size, size)
    with torch.no_grad():
        assert_close(ours(x), theirs(x))


@pytest.mark.parametrize(
    ("name", "size", "outputs"),
    [("googlenet", 80, ["logits", "aux2", "aux1"]), ("inception_v3", 299, ["logits", "aux_logits"])],
)
def test_training_only_heads(name: str, size: int, outputs: list[str]) -> None:
    import torch

    theirs, ours = pair(name, size, {})
    x = torch.randn(1, 3, size, size)
    # The network is in training and none of its layers are, so that nothing is drawn.
    theirs.training = ours.training = True
    with torch.no_grad():
        expected, found = theirs(x), ours(x)
    assert list(found) == outputs
    for value, reference in zip(found.values(), expected, strict=True):
        assert_close(value, reference)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_without_training_only_heads(name: str) -> None:
    graph = pipeline.load(name, {"aux": False}).graph
    assert state_of(graph) == outline(name, aux_logits=False)
    assert [(output.name, output.training) for output in graph.outputs] == [("logits", False)]


def state_of(graph: Graph) -> list[tuple[str, tuple[int, ...], str]]:
    """Key, shape and dtype of each entry of the state dict, in order."""
    return [(entry.key, entry.weight.shape, entry.weight.dtype) for entry in graph.weights]


def pair(name: str, size: int, options: dict[str, Any]) -> tuple[Any, Any]:
    """torchvision's network and ours, in evaluation mode and with the same weights."""
    import torch

    from cnndsl.backends.pytorch.live.module import to_torch

    torch.manual_seed(0)
    theirs = published(name, **options)
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # Statistics as training leaves them, not the zeros and ones of the start.
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    with torch.no_grad():
        for weight in theirs.parameters():
            if weight.min() == weight.max():
                # Norms, biases, a head of zeros: what begins as one number everywhere would hide what stands before it.
                weight += torch.rand_like(weight) - 0.5
    parameters = {"aux" if option == "aux_logits" else option: value for option, value in options.items()}
    ours = to_torch(pipeline.load(name, parameters, {"": f"3x{size}x{size}"}).graph).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours


def assert_close(found: Any, expected: Any) -> None:
    assert found.shape == expected.shape
    assert ((found - expected).abs().max() / expected.abs().max()).item() <= 1e-5
