"""The same page for a network that changes: it starts empty, listens, and mounts what comes."""

from __future__ import annotations

import re
from html import unescape

from cnndsl.webpage.inline import asset
from cnndsl.webpage.page import filled


def live_page(title: str) -> tuple[str, str]:
    """The page, and its content security policy as a server sends it: it may ask for nothing but what its own server has, and
    no other page may frame it."""
    html = filled(title, more=("live.js", "live.css"), fetches="'self'", live=asset("live.html"))
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', html)
    assert found is not None
    return html, f"{unescape(found[1])}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
