"""Sphinx's settings; `docs/site/make.py` lays the pages out and calls it."""

from __future__ import annotations

from cnndsl import __version__

project = "cnndsl"
author = "the cnndsl authors"
release = version = __version__
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"cnndsl {__version__}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_favicon = "_static/icon.svg"
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
highlight_language = "none"
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]
suppress_warnings = ["misc.highlighting_failure", "myst.header"]
nitpicky = True
