"""`--pretrained`: a library's published weights come in with its program, by whatever the library fetches them with; or it is said
why they do not, and the program comes in without. The hubs are a folder, and a server, on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnndsl import pipeline
from cnndsl.arrays.weights import checked
from cnndsl.cli import run
from cnndsl.published.weights import given_weights
from cnndsl.training.trained.answering import Answering
from tests.oracle import torchvision_models
from tests.published.trained import entry_of, photograph, weighed

torch = pytest.importorskip("torch")
ROOT = Path(__file__).resolve().parents[2]
SQUEEZENET = "squeezenet1_1-b8a52dc0.pth"
"""What torchvision calls the file of SqueezeNet 1.1 on its server, and in the folder where it keeps what it has fetched."""
NOBODY = "http://127.0.0.1:9"
"""An address where no server is."""
_RUN = (
    "import sys; sys.path.append(sys.prefix + '/trained'); from tests.oracle import torchvision_models; torchvision_models();"
    "from cnndsl.cli import run; sys.exit(run(sys.argv[1:]))"
)


def in_its_own_process(arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The command line where the libraries see these variables when they are imported."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _RUN, *arguments],
        env=given,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def fetched_before(home: Path, state: Any) -> None:
    """Puts a file where PyTorch keeps those that it has fetched."""
    folder = home / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(state, folder / SQUEEZENET)


def named_in(program: Path, name: str) -> tuple[str, int]:
    """What a program with the weights beside it sees in a cup of coffee, read as these published weights want it, and its share in
    percent."""
    graph = pipeline.load(str(program)).graph
    given = given_weights(graph, str(program.with_suffix(".safetensors")))
    (found,) = Answering(graph, checked(graph, given.arrays, given.origin), entry_of(name).use).answers(
        [photograph("coffee.png")]
    )
    top = found[1]["top"][0]
    return top["label"], round(100 * top["share"])


class Evil:
    def __reduce__(self) -> Any:
        return (open, (os.environ["EVIL"], "w"))


def test_a_fetched_file_that_would_run_code_runs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torchvision_models()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("EVIL", str(tmp_path / "evil"))
    fetched_before(tmp_path, {"features.0.weight": Evil()})
    (tmp_path / "evil").unlink(missing_ok=True)
    assert run(["import", "torchvision:squeezenet1_1", "--pretrained", "-o", str(tmp_path / "s.cnn")]) == 1
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "s.cnn").exists()
    told = capsys.readouterr().err
    assert "the published weights of `torchvision:squeezenet1_1` cannot be had" in told
    assert "Traceback" not in told


def test_weights_that_cannot_be_fetched_leave_one_thing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torchvision_models()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", NOBODY)
    assert run(["import", "torchvision:squeezenet1_1", "--pretrained", "-o", str(tmp_path / "s.cnn")]) == 1
    told = capsys.readouterr().err
    assert "the published weights of `torchvision:squeezenet1_1` cannot be had: <urlopen error" in told
    assert told.count("leave `--pretrained` out") == 1
    assert not (tmp_path / "s.cnn").exists()


@pytest.mark.slow
def test_torchvisions_weights_are_written_beside_the_program(tmp_path: Path) -> None:
    _, weights, _ = weighed("squeezenet1_1:deepscale")
    fetched_before(tmp_path, {key: torch.from_numpy(np.array(array)) for key, array in weights.items()})
    program = tmp_path / "s.cnn"
    torchvision_models()
    done = in_its_own_process(
        ["import", "torchvision:squeezenet1_1", "--pretrained", "-o", str(program)], {"TORCH_HOME": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    assert "outputs" in done.stderr
    assert named_in(program, "squeezenet1_1:deepscale")[0] == "espresso"


@contextmanager
def hub(data: bytes) -> Iterator[str]:
    """A server that has one file under every name, told of as Hugging Face's does; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            told = {"Content-Length": str(len(data)), "ETag": '"0"', "X-Repo-Commit": "0" * 40}
            for name, value in told.items():
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.slow
def test_timms_weights_are_fetched_from_its_hub(tmp_path: Path) -> None:
    """EfficientNet-Lite0's of a package, whose keys become timm's one by one: they stand in one order."""
    torchvision_models()
    timm = pytest.importorskip("timm")
    pytest.importorskip("httpcore2")
    save = pytest.importorskip("safetensors.torch").save
    _, weights, _ = weighed("efficientnet_lite0:imagenet")
    theirs = timm.create_model("tf_efficientnet_lite0").state_dict()
    ours = [torch.from_numpy(np.array(array)) for array in weights.values()]
    assert [tuple(t.shape) for t in ours] == [tuple(t.shape) for t in theirs.values()]
    program = tmp_path / "lite.cnn"
    with hub(save(dict(zip(theirs, ours, strict=True)))) as address:
        done = in_its_own_process(
            ["import", "timm:tf_efficientnet_lite0", "--pretrained", "-o", str(program)],
            {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"},
        )
    assert done.returncode == 0, done.stderr
    assert named_in(program, "efficientnet_lite0:imagenet") == ("espresso", 96)


@pytest.mark.slow
def test_a_hub_that_is_away_leaves_one_thing_to_do(tmp_path: Path) -> None:
    torchvision_models()
    pytest.importorskip("timm")
    pytest.importorskip("httpcore2")
    done = in_its_own_process(
        ["import", "timm:tf_efficientnet_lite0", "--pretrained"], {"HF_ENDPOINT": NOBODY, "HF_HOME": str(tmp_path)}
    )
    assert done.returncode == 1
    assert "the published weights of `timm:tf_efficientnet_lite0` cannot be had" in done.stderr
    assert done.stderr.count("leave `--pretrained` out") == 1
    assert "Traceback" not in done.stderr
