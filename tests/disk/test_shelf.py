"""Guards `disk/shelf.py`. What ships beside the code is found, in a checkout and in a zip."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cnndsl.diagnostics.source import Source
from cnndsl.disk import shelf

ROOT = Path(__file__).resolve().parents[2]


def test_a_name_finds_the_file_that_holds_the_model() -> None:
    found = [shelf.architecture(name) for name in ("resnet50", "resnet", "lenet5")]
    assert [source and source.name for source in found] == [
        "architectures/resnet.cnn",
        "architectures/resnet.cnn",
        "architectures/lenet5.cnn",
    ]


@pytest.mark.parametrize("name", ["resnet51", "../resnet", "resnet.cnn", "", "a/b", "resnet\n", "Basic"])
def test_other_names_find_nothing(name: str) -> None:
    assert shelf.architecture(name) is None


def test_models_that_need_arguments_are_not_listed() -> None:
    listed = shelf.architectures()
    assert {"lenet5", "alexnet", "vgg16_bn", "resnet18", "wide_resnet50_2"} <= set(listed)
    assert not {"ResNet", "VGG"} & set(listed)
    assert len(listed) == len(set(listed))


def test_parameters_with_defaults_need_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "model A(c=f(1, 2), d=[1, 2]) { }\nmodel B(c, d=1) { }\nmodel C() { }\n  model D = A(c=1)\nmodel E { }"
    monkeypatch.setattr(shelf, "sources", lambda: (Source("architectures/x.cnn", text),))
    assert shelf.architectures() == ["A", "C", "D", "E"]


def test_papers_come_from_the_comments() -> None:
    assert shelf.papers("resnet50").endswith("2015, arXiv:1512.03385")
    assert shelf.papers("resnext101_32x8d").endswith("2016, arXiv:1611.05431")
    assert all(shelf.papers(name) for name in shelf.architectures())


def test_everything_is_found_inside_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "cnndsl.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((ROOT / "cnndsl").rglob("*.py")):
            archive.write(file, file.relative_to(ROOT))
        for folder in ("grammars", "architectures"):
            for file in (ROOT / folder).iterdir():
                archive.write(file, f"cnndsl/{folder}/{file.name}")
    code = f"import sys; sys.path.insert(0, {str(path)!r}); from cnndsl.pipeline import load; import cnndsl; print(cnndsl.__file__, load('lenet5').graph.name)"
    # A folder of its own, away from the checkout.
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.stdout.split() == [str(path / "cnndsl" / "__init__.py"), "lenet5"], result.stderr
