"""Guards `cnndsl/webpage/bundle.py`: what a notebook shows of a network."""

from __future__ import annotations

from html.parser import HTMLParser

from cnndsl import load
from cnndsl.analyses.outline import rows
from cnndsl.webpage.bundle import mimebundle


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}
        self.text: list[str] = []
        self.events: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.events += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_holds_every_row_and_nothing_that_runs() -> None:
    network = load("resnet18")
    tags = Tags()
    tags.feed(mimebundle(network.graph, network.summary(), repr(network))["text/html"])
    # Eight residual blocks, of which each row of a stage stands for itself, and a header.
    assert tags.seen["tr"] == len(rows(network.graph, summary=network.summary()).rows) + 1
    assert not {"script", "iframe", "object", "embed", "form", "link"} & set(tags.seen)
    assert tags.events == []
    text = "".join(tags.text)
    assert "11,689,512" in text
    assert "1,814,073,344" in text
