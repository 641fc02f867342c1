"""The layers, one file each, named like its word: `GlobalAvgPool` is in `global_avg_pool.py`.
A merge whose word is also a layer's, like `mean`, is in a file named `mean_merge.py`.

Importing this package makes them known to `cnndsl.ir.op`. The file of a layer is imported when a program uses its word:
most programs use few of them.
"""

from importlib import import_module
from pkgutil import iter_modules

from cnndsl.ir.op import loaders

_FILES = [(module.name.removesuffix("_merge").replace("_", ""), module.name) for module in iter_modules(__path__)]


def _load(word: str | None) -> None:
    """Imports the file of a word, or all files."""
    for plain, file in _FILES:
        if word is None or plain == word.lower():
            import_module(f"{__name__}.{file}")


loaders.append(_load)
