"""Builds the playground into a folder that any static server can serve: `python docs/playground/make.py build/playground`.

What comes from registries is fetched once: Pyodide, CodeMirror and Graphviz from npm, pydantic and Lark from PyPI. Everything is
pinned, in `package-lock.json` and in `WHEELS`. Python files are compiled by the very interpreter that runs them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

PYTHON = (
    "--platform",
    "pyemscripten_2026_0_wasm32",
    "--python-version",
    "314",
    "--implementation",
    "cp",
    "--abi",
    "cp314",
)
CORE = "pydantic_core-2.50.5-cp314-cp314-pyemscripten_2026_0_wasm32.whl"
WHEELS = (
    "pydantic==2.14.4",
    "lark==1.3.1",
    "typing_extensions==4.16.0",
    "annotated_types==0.8.0",
    "typing_inspection==0.4.5",
)
LEFT_OUT = re.compile(
    r"cnndsl/(backends/(tvm|pytorch/live)|training|importing|cli|benchmarking|sweeping|calibration|lsp|preview|arrays/foreign)/"
    r"|cnndsl/latency/(?!__init__|figure)|cnndsl/(verification|foreign|notebook|network|pygments_lexer|__main__)\.py|cnndsl/(architectures/published|webpage|analyses/differences|published|quantization|arrays|backends/drawing/figures)/"
    r"|annotated_types/test_cases|lark/(reconstruct|tree_matcher|tree_templates|indenter)\.py"
    r"|pydantic/(v1|mypy|experimental/(?!__init__|missing|arguments))|lark/(__pyinstaller|grammars|tools|ast_utils)|pydantic/color\.py|\.dist-info/|\.pyi$|py\.typed"
)
"""Files that no question of the page reaches."""
DOCSTRINGS_KEPT = re.compile(r"cnndsl/ops/")
"""A layer's page begins with the docstring of its class."""
STDLIB_LEFT_OUT = re.compile(
    r"(_collections_abc|_sitebuiltins|abc|codecs|genericpath|io|ntpath|os|posixpath|site|stat|zipimport|importlib/(machinery|util))\.py"
    r"|(test|idlelib|lib2to3|ensurepip|venv|tkinter|turtledemo|pydoc_data|sqlite3|curses|dbm|xmlrpc|wsgiref|_pyrepl|multiprocessing|unittest)/"
    r"|encodings/(cp(?!437)|mac_|iso|big5|euc_|gb|hz|johab|koi8|kz|ptcp|shift_|tis|hp_|palmos|uu_|bz2|zlib|quopri|rot_13)"
    r"|(turtle|pydoc|doctest|pdb|imaplib|smtplib|ftplib|poplib|mailbox|_pydecimal|_pyio|pickletools|optparse|bdb|tarfile|configparser|statistics|plistlib|pstats|"
    r"trace|modulefinder|wave|stringprep|socketserver|profile|cProfile|fileinput|filecmp|cmd|compileall|shelve|zipapp|pyclbr|tabnanny|symtable|"
    r"rlcompleter|netrc|timeit|runpy|tracemalloc|logging/(handlers|config)|http/(server|client|cookiejar|cookies)|urllib/(request|response|robotparser)|"
    r"argparse|getopt|gettext|_strptime|_pydatetime|colorsys|graphlib|gzip|mimetypes|nturl2path|pty|py_compile|sched|this|tty|webbrowser|"
    r"_markupbase|html/parser|json/tool|sysconfig/__main__|pathlib/types|pyodide/console|"
    r"asyncio/(proactor_events|windows_events|windows_utils|tools|__main__)|ctypes/(util|wintypes|_aix)|xml/(dom|sax)/.*|"
    r"ctypes/macholib/.*|email/mime/.*|email/(_header_value_parser|contentmanager|headerregistry|generator)|concurrent/(interpreters/.*|futures/process))\.py$"
)
"""Modules that are in the interpreter itself (the first line), and modules that nothing of the page imports."""


def main(into: Path) -> None:
    """Builds everything anew, but for what has been fetched."""
    work = ROOT / "build" / "playground-parts"
    npm, wheels, python = work / "npm", work / "wheels", work / "python"
    fetch(npm, wheels)
    shutil.rmtree(into, ignore_errors=True)
    shutil.rmtree(python, ignore_errors=True)
    into.mkdir(parents=True)
    modules = npm / "node_modules"
    gather(python, wheels, modules / "pyodide" / "python_stdlib.zip")
    run("node", HERE / "compile.mjs", modules / "pyodide", python)
    pack(python, into)
    page(npm, into)
    run("node", HERE / "prove.mjs", into)
    report(into)


def fetch(npm: Path, wheels: Path) -> None:
    """What comes from registries, if it is not there."""
    npm.mkdir(parents=True, exist_ok=True)
    asked = (HERE / "package-lock.json").read_bytes()
    if not (npm / "done").exists() or (npm / "done").read_bytes() != asked:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, npm / name)
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=npm)
        (npm / "done").write_bytes(asked)
    wheels.mkdir(exist_ok=True)
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", wheels)
    if not (wheels / CORE).exists():
        # Without a wheel for this interpreter pip takes an old one that holds nothing, so the file is asked for by name.
        run(*pip, *PYTHON, "pydantic-core==2.50.5")
        if not (wheels / CORE).exists():
            raise SystemExit(f"{CORE} is not in the registry")
    if len(list(wheels.glob("*.whl"))) <= len(WHEELS):
        run(*pip, *WHEELS)


def run(*command: object, cwd: Path | None = None) -> None:
    """A program that must succeed."""
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


def gather(python: Path, wheels: Path, stdlib: Path) -> None:
    """Lays the sources out: `plain` keeps docstrings, `bare` does not, `data` is no Python."""
    import torch_table

    for name, text in torch_table.files().items():
        write(python / "bare" / "app" / name, text.encode())
    for path, content in ours():
        if not LEFT_OUT.search(path):
            part = "data" if not path.endswith(".py") else "plain" if DOCSTRINGS_KEPT.match(path) else "bare"
            write(python / part / "app" / path, content)
    for wheel in sorted(wheels.glob("*.whl")):
        for path, content in unpacked(wheel):
            if not LEFT_OUT.search(path):
                write(python / ("bare" if path.endswith(".py") else "data") / "app" / path, content)
    kept = {
        path: content for path, content in unpacked(stdlib) if path.endswith(".py") and not STDLIB_LEFT_OUT.match(path)
    }
    for path, content in kept.items():
        write(python / "bare" / "stdlib" / path, content)


def ours() -> Iterator[tuple[str, bytes]]:
    """cnndsl as its wheel lays it out."""
    for folder, below in (
        ("cnndsl", "cnndsl"),
        ("grammars", "cnndsl/grammars"),
        ("architectures", "cnndsl/architectures"),
        ("docs/errors", "cnndsl/docs/errors"),
    ):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield f"{below}/{file.relative_to(ROOT / folder).as_posix()}", file.read_bytes()


def unpacked(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a zip."""
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if not info.is_dir():
                yield info.filename, opened.read(info)


def write(path: Path, content: bytes) -> None:
    """A file with the folders it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def pack(python: Path, into: Path) -> None:
    """`app.zip` and `stdlib.zip`, whose parts are stored as they are: the server compresses the whole better."""
    sources = documented()
    for name in ("app", "stdlib"):
        files = {}
        for part in ("data", "bare", "plain"):
            root = python / part / name
            for file in sorted(root.rglob("*")):
                relative = file.relative_to(root).as_posix()
                if file.is_file() and (file.suffix != ".py" or relative in sources):
                    files[relative] = file.read_bytes()
        with zipfile.ZipFile(into / f"{name}.zip", "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(files, key=lambda p: (Path(p).suffix, p)):
                archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), files[path])


def documented() -> set[str]:
    """The files of the classes that layers are made of: what an argument is, is read from the source."""
    import cnndsl.ops  # noqa: F401  (fills the registry of layers)
    from cnndsl.ir.op import registry

    modules = {owner.__module__ for op in registry().values() for owner in op.__mro__}
    return {f"{module.replace('.', '/')}.py" for module in modules if module.startswith("cnndsl.")} - {
        "cnndsl/ir/op.py"
    }


def page(npm: Path, into: Path) -> None:
    """The page's own files, bundled."""
    modules = npm / "node_modules"
    shutil.copytree(HERE / "page", npm / "page", dirs_exist_ok=True)
    (npm / "page" / "words.json").write_text(json.dumps(words(), ensure_ascii=False), "utf-8")
    esbuild = next((modules / "@esbuild").glob("*/bin/esbuild"), None) or modules / "esbuild" / "bin" / "esbuild"
    run(
        esbuild,
        "page/main.js",
        "page/worker.js",
        "--bundle",
        "--format=esm",
        "--minify",
        "--target=es2022",
        "--legal-comments=linked",
        "--external:./pyodide/pyodide.mjs",
        f"--outdir={into.resolve()}",
        "--log-level=warning",
        cwd=npm,
    )
    for name in ("index.html", "style.css", "icon.svg"):
        shutil.copy(HERE / "page" / name, into / name)
    (into / "fonts").mkdir()
    for weight in (400, 700):
        shutil.copy(
            modules / "@fontsource" / "arimo" / "files" / f"arimo-latin-{weight}-normal.woff2",
            into / "fonts" / f"arimo-{weight}.woff2",
        )
    (into / "pyodide").mkdir()
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"):
        shutil.copy(modules / "pyodide" / name, into / "pyodide" / name)
    lock = json.loads((modules / "pyodide" / "pyodide-lock.json").read_text("utf-8"))
    # No package is loaded by name.
    (into / "pyodide" / "pyodide-lock.json").write_text(json.dumps({**lock, "packages": {}}), "utf-8")
    (into / "examples.json").write_text(json.dumps(examples(), ensure_ascii=False), "utf-8")
    (into / "tour.json").write_text(json.dumps(lessons(), ensure_ascii=False), "utf-8")
    files = sorted(file.relative_to(into).as_posix() for file in into.rglob("*") if file.is_file())
    digest = hashlib.sha256(b"".join((into / file).read_bytes() for file in files)).hexdigest()[:16]
    worker = (HERE / "page" / "offline.js").read_text("utf-8").replace("@VERSION@", f"cnndsl-{digest}")
    kept = ["./", *(file for file in files if not file.endswith(".txt"))]
    (into / "offline.js").write_text(worker.replace('["@FILES@"]', json.dumps(kept)), "utf-8")


def lessons() -> list[dict[str, str]]:
    """The steps of the tour, as the site takes them from the tutorial."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("site_make", HERE.parent / "site" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    site = module_from_spec(spec)
    spec.loader.exec_module(site)
    found: list[dict[str, str]] = site.lessons()
    return found


def words() -> dict[str, object]:
    """The words that the editor colours."""
    from cnndsl.pygments_lexer import WINDOW, functions, layers, merges, windowed
    from cnndsl.syntax.vocabulary import RESERVED, STATEMENTS

    return {
        "declarations": sorted({*STATEMENTS, "fn"}),
        "others": sorted(RESERVED - STATEMENTS),
        "constants": ["true", "false", "none", "id", "in"],
        "layers": sorted(layers()),
        "merges": sorted(merges()),
        "functions": sorted(functions()),
        "windowed": sorted(windowed()),
        "window": WINDOW,
    }


def examples() -> list[dict[str, str]]:
    """The built-in networks, each with the paper that its text names first."""
    found = []
    for file in sorted((ROOT / "architectures").rglob("*.cnn")):
        text = file.read_text("utf-8")
        about = re.search(r"^# (.*?)[.,]? *(?:(?:19|20)\d\d|$)", text, re.MULTILINE)
        found.append({"name": file.stem, "about": about[1][:70] if about else "", "text": text})
    return found


def report(into: Path) -> None:
    """What a first visit transfers."""
    raw = packed = 0
    for file in sorted(into.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            raw, packed = raw + len(content), packed + len(smallest(content))
    print(f"{into}: {raw / 1e6:.2f} MB, {packed / 1e6:.2f} MB transferred with {'brotli' if brotli() else 'gzip'}")


def brotli() -> object:
    """The compressor that servers have, if this environment has it."""
    try:
        import brotli as compressor
    except ImportError:
        return None
    return compressor


def smallest(content: bytes) -> bytes:
    """A file as a server sends it."""
    compressor = brotli()
    if compressor is None:
        return gzip.compress(content, 9)
    return compressor.compress(content, quality=11, lgwin=24)  # type: ignore[attr-defined,no-any-return]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "playground"))
