"""Guards `pytorch/live/module.py`: a plain PyTorch module in all that one does with modules."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch

from cnndsl.backends.pytorch.live.module import to_torch
from cnndsl.pipeline import load, parse_text
from tests.backends.pytorch.programs import PROGRAMS

TEXT = """input image: 3×16×16
stem: Conv3x3(8, stride=2, pad=same_tf) → bn: BN → ReLU → body.0: [add{ conv: Conv3x3(8) | id }] → GlobalAvgPool → fc: FC(5)"""


def test_state_survives_a_file() -> None:
    network = parse_text(TEXT).graph
    first, second = to_torch(network).eval(), to_torch(network).eval()
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second.load_state_dict(torch.load(file, weights_only=True))
    image = torch.randn(2, 3, 16, 16)
    assert torch.equal(first(image), second(image))


def test_copies_moves_and_names() -> None:
    module = to_torch(parse_text(TEXT).graph).eval()
    image = torch.randn(2, 3, 16, 16)
    expected = module(image)
    assert torch.equal(copy.deepcopy(module)(image), expected)
    assert torch.equal(pickle.loads(pickle.dumps(module))(image), expected)
    assert torch.equal(module(image=image), expected)
    assert module.to(torch.float64)(image.double()).dtype == torch.float64
    assert "(stem): Conv2d(3, 8, kernel_size=(3, 3), stride=(2, 2))" in str(module)


def test_a_layer_can_be_replaced() -> None:
    module = to_torch(parse_text(TEXT).graph).eval()
    module.fc = torch.nn.Linear(8, 2)
    assert module(torch.randn(1, 3, 16, 16)).shape == (1, 2)


@pytest.mark.parametrize("label", ["_find", "steps", "plan", "_bind"])
def test_a_layer_may_have_any_name_that_torch_leaves_free(label: str) -> None:
    module = to_torch(parse_text(f"input 3\n{label}: FC(2)").graph)
    assert module(torch.randn(1, 3)).shape == (1, 2)
    assert list(module.state_dict()) == [f"{label}.weight", f"{label}.bias"]


@pytest.mark.parametrize("arguments", [(), (1, 2)])
def test_number_of_inputs(arguments: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match=r"takes 1 tensors \(image\), found"):
        to_torch(parse_text(TEXT).graph)(*arguments)
    with pytest.raises(TypeError, match="cannot take 'img'"):
        to_torch(parse_text(TEXT).graph)(img=torch.zeros(1))


def test_compile_has_no_graph_break() -> None:
    module = to_torch(parse_text(TEXT).graph).eval()
    image = torch.randn(2, 3, 16, 16)
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    assert torch.equal(compiled(image), module(image))


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_export_with_any_batch() -> None:
    module = to_torch(parse_text(TEXT).graph).eval()
    image = torch.randn(2, 3, 16, 16)
    exported = torch.export.export(module, (image,), dynamic_shapes={"tensors": ({0: torch.export.Dim("batch")},)})
    five = torch.randn(5, 3, 16, 16)
    assert torch.allclose(exported.module()(five), module(five), atol=1e-6)


def test_training_outputs() -> None:
    module = to_torch(parse_text(PROGRAMS["aux"]).graph)
    image = torch.randn(2, 3, 16, 16)
    assert list(module.train()(image)) == ["logits", "aux"]
    # Inference does not even look at the layers that only training needs.
    module.aux1 = None
    assert module.eval()(image).shape == (2, 3)


def test_shared_weights_are_one() -> None:
    module = to_torch(parse_text(PROGRAMS["share"]).graph)
    outputs = module(torch.randn(2, 8, 16, 16))
    sum(value.sum() for value in outputs.values()).backward()
    assert len([key for key in module.state_dict() if key.startswith("head.")]) == 4
    assert module.head.get_submodule("0").weight.grad is not None


def test_resnet18_has_the_published_keys() -> None:
    network = load("resnet18").graph
    with torch.device("meta"):
        state = to_torch(network).state_dict()
    assert list(state) == [entry.key for entry in network.weights]
    assert (
        sum(value.numel() for key, value in state.items() if "running" not in key and "num_" not in key) == 11_689_512
    )
