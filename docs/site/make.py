"""Builds the site from the pages as they are: `python docs/site/make.py build/site`.

Pages keep their text. Three things are put in: links to what is no page of the site lead to a page of it or become plain text, behind
each program stands a link that opens it in the playground, and the built-in networks have a page each.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zlib
from base64 import urlsafe_b64encode
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

BLOCK = re.compile(r"^```cnn(?P<about>[^\n]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(
    r"(?<!\\)(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\]|!\[[^\]]*\]\([^)]*\))*)\]\((?P<target>[^)\s]+)\)"
)
SHAPE = re.compile(r"[0-9]+(?:[×x][0-9]+)*")
GROUPS = {
    "Begin": ("tour", "tutorial", "language", "idioms", "layers", "coming-from-pytorch", "why-convolutions"),
    "Tools": ("editors", "editors-compared", "preview", "playground", "diagrams", "compare", "python", "distribution"),
    "Networks": ("architectures/README", "trained-networks", "importing", "graphs", "residuals", "networks/index"),
    "Train and deploy": ("training", "quantization", "deploying", "tuning", "performance"),
    "Reference": ("errors/README", "guarantees", "architectures/checks", "changes"),
    "Contribute": ("contributing", "architecture", "adding-a-layer", "adding-a-kernel", "adding-an-architecture"),
}
"""The pages of the menu; all others are reached from these."""
PICTURES = (".svg", ".png", ".jpg", ".json", ".cnn", ".yml", ".csv")
"""What pages show or link to."""
ELSEWHERE = {"README.md": "index", "CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changes"}
"""Pages that lie outside of `docs/`, and their names on the site."""


def address(text: str) -> str:
    """The part of an address that makes the playground show a text: as `page/share.js` writes it."""
    squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeezed.compress(text.encode()) + squeezed.flush()
    return "#1:" + urlsafe_b64encode(packed).decode().rstrip("=")


def whole_program(about: str, body: str) -> str | None:
    """The program that a block of a page stands for, as `tests/pages.py` reads it; None for one that needs files beside it."""
    words = about.split()
    if re.search(r'^\s*use\b.*"[^"]*"', body, re.MULTILINE):
        return None
    if words[:1] == ["fragment"]:
        shape = next((word for word in words[1:] if SHAPE.fullmatch(word)), "3×32×32")
        return f"input {shape}\n{body}"
    return body


def page(text: str, name: str, known: set[str]) -> str:
    """One page as Sphinx gets it. `name` is its name on the site, `known` are those of all."""
    up = "../" * name.count("/")
    text = LINK.sub(lambda match: _link(match, name, known), text)
    text = re.sub(r'(<img src=")docs/', r"\1", text) if name in ELSEWHERE.values() else text
    return BLOCK.sub(lambda match: match[0] + _opener(match, up), text)


def _opener(match: re.Match[str], up: str) -> str:
    text = whole_program(match["about"], match["body"])
    if text is None:
        return ""
    link = f'<a href="{up}playground/index.html{escape(address(text))}">Open in the playground</a>'
    return f'\n\n```{{raw}} html\n<p class="open-cnn">{link}</p>\n```'


def _link(match: re.Match[str], name: str, known: set[str]) -> str:
    target, hash, anchor = match["target"].partition("#")
    if re.match(r"[a-z]+:", match["target"]) or not target:
        return match[0]
    # Where the link leads, seen from the root of the repository.
    own = next((file for file, there in ELSEWHERE.items() if there == name), f"docs/{name}.md")
    place = os.path.normpath(Path(own).parent / target)
    site = _on_site(place, known)
    text = LINK.sub(lambda inner: _link(inner, name, known), match["text"])
    if site is None:
        return (match["image"] and match["text"]) or text
    relative = os.path.relpath(site, Path(name).parent)
    return f"{match['image']}[{text}]({relative}{hash}{anchor})"


def _on_site(place: str, known: set[str]) -> str | None:
    """The file of the site that a file of the repository is, as its source is called; None for one that is not on it."""
    if place in ELSEWHERE:
        return f"{ELSEWHERE[place]}.md"
    if place.rstrip("/") == "architectures":
        return "networks/index.md"
    if place.startswith("architectures/") and place.endswith(".cnn"):
        return f"networks/{Path(place).stem}.md"
    if place.startswith("docs/"):
        inner = place.removeprefix("docs/").rstrip("/")
        if inner.endswith(".md"):
            return inner if inner.removesuffix(".md") in known else None
        if f"{inner}/README" in known:
            return f"{inner}/README.md"
        return inner if (DOCS / inner).is_file() and Path(inner).suffix in PICTURES else None
    return None


def lay_out(source: Path) -> None:
    """Writes Sphinx's folder."""
    shutil.rmtree(source, ignore_errors=True)
    own = sorted(
        file for file in DOCS.rglob("*.md") if not file.is_relative_to(HERE) and "node_modules" not in file.parts
    )
    pages = {file.relative_to(DOCS).as_posix().removesuffix(".md"): file for file in own}
    pages |= {name: ROOT / file for file, name in ELSEWHERE.items()}
    networks = sorted((ROOT / "architectures").rglob("*.cnn"))
    known = {*pages, "tour", "networks/index", *(f"networks/{file.stem}" for file in networks)}
    for name, file in pages.items():
        _write(source / f"{name}.md", page(file.read_text("utf-8"), name, known))
    for file in DOCS.rglob("*"):
        if file.suffix in PICTURES and file.is_file() and file.relative_to(DOCS).parts[0] not in ("site", "playground"):
            _copy(file, source / file.relative_to(DOCS))
    for file in networks:
        text = file.read_text("utf-8")
        _write(
            source / "networks" / f"{file.stem}.md",
            page(f"# {file.stem}\n\n```cnn\n{text.rstrip()}\n```\n", f"networks/{file.stem}", known),
        )
    names = "\n".join(file.stem for file in networks)
    _write(
        source / "networks" / "index.md",
        f"# The built-in networks\n\nEach is a program.\n\n```{{toctree}}\n{names}\n```\n",
    )
    _write(source / "tour.md", tour())
    _write(source / "index.md", (source / "index.md").read_text("utf-8") + menu(known))
    for file in (HERE / "static").iterdir():
        _copy(file, source / "_static" / file.name)
    _copy(DOCS / "playground" / "page" / "icon.svg", source / "_static" / "icon.svg")
    _copy(HERE / "conf.py", source / "conf.py")


def menu(known: set[str]) -> str:
    """The menu at the side, and behind it, in no menu, all pages that it does not name."""
    parts, named = [], set()
    for title, names in GROUPS.items():
        listed = [name for name in names if name in known]
        named |= set(listed)
        parts.append(f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(listed) + "\n```")
    rest = sorted(name for name in known - named - {"index"} if not name.startswith("networks/"))
    parts.append("```{toctree}\n:hidden:\n:caption: More\n\n" + "\n".join(rest) + "\n```")
    return "\n" + "\n\n".join(parts) + "\n"


def lessons() -> list[dict[str, str]]:
    """The steps of the tutorial: what is said before the first program of each, and that program."""
    text = (DOCS / "tutorial.md").read_text("utf-8")
    found = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        program = next((m for m in BLOCK.finditer(body) if "error" not in m["about"]), None)
        if program is None:
            continue
        source = whole_program(program["about"], program["body"])
        if source is not None:
            said = (
                _plain(body[: program.start()]),
                _plain(re.split(r"^```", body[program.end() :], flags=re.MULTILINE)[0]),
            )
            found.append({"title": title.strip(), "said": "\n".join(filter(None, said)), "text": source})
    return found


def _plain(markdown: str) -> str:
    """Markdown as text."""
    text = LINK.sub(lambda match: match["text"], markdown)
    return re.sub(r"\s*\n(?!\n)", " ", re.sub(r"[`*]", "", text)).strip()


def tour() -> str:
    """The page that leads into the tour."""
    steps = "\n".join(
        f'<a href="playground/index.html?tour={number}">{escape(lesson["title"])}</a>'
        for number, lesson in enumerate(lessons(), 1)
    )
    return f"""# A tour in the playground

The steps of the [tutorial](tutorial.md), each a program to change. They open in the [playground](playground.md), which runs in the browser and
sends nothing anywhere.

```{{raw}} html
<p class="tour">{steps}</p>
```
"""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, to)


def main(into: Path) -> None:
    """Builds the site; the playground goes into it where that has been built."""
    source = ROOT / "build" / "site-source"
    lay_out(source)
    shutil.rmtree(into, ignore_errors=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-d",
        ROOT / "build" / "site-doctrees",
        source,
        into,
    ]
    subprocess.run([str(part) for part in command], check=True, env=environment)
    for file in source.rglob("*"):
        if file.suffix in PICTURES and file.relative_to(source).parts[0] != "_static":
            _copy(file, into / file.relative_to(source))
    playground = ROOT / "build" / "playground"
    if playground.is_dir():
        shutil.copytree(playground, into / "playground")
    print(f"{into}: {len(list(into.rglob('*.html')))} pages")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site"))
