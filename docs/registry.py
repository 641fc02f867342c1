"""The README as a package registry shows it, and the links beside it, told to hatchling while it builds.

A registry shows the page alone. Links into the repository become links to the address in `$CNNDSL_REPOSITORY`, which the release
workflow sets, such as `https://github.com/OWNER/NAME`; without it they become plain text, and pictures their description.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
PICTURE = re.compile(r'<img src="(?P<source>[^"]*)" alt="(?P<text>[^"]*)"[^>]*>')


def registry_page(readme: str, repository: str) -> str:
    """The README with absolute links, or with none where the repository has no address."""

    def link(match: re.Match[str]) -> str:
        if re.match(r"[a-z]+:|#", match["target"]):
            return match[0]
        if not repository:
            return match["text"]
        where = "raw" if match["image"] else "blob"
        return f"{match['image']}[{match['text']}]({repository}/{where}/HEAD/{match['target']})"

    def picture(match: re.Match[str]) -> str:
        if not repository:
            return f"*{match['text']}*"
        return match[0].replace(match["source"], f"{repository}/raw/HEAD/{match['source']}")

    return PICTURE.sub(picture, LINK.sub(link, readme))


class RegistryPage(MetadataHookInterface):
    """What hatchling asks."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Puts the page and the links in."""
        repository = os.environ.get("CNNDSL_REPOSITORY", "").rstrip("/")
        readme = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": registry_page(readme, repository)}
        if repository:
            metadata["urls"] = {
                "Source": repository,
                "Documentation": f"{repository}/tree/HEAD/docs",
                "Changes": f"{repository}/blob/HEAD/CHANGELOG.md",
                "Issues": f"{repository}/issues",
            }
