"""Files beside the libraries of a package that build tools of C read: CMake's and pkg-config's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

_CMAKE = """\
# include(PACKAGE/network.cmake), then target_link_libraries(TARGET PRIVATE {first})
"""

_LIBRARY = """\
if(NOT TARGET {target})
  add_library({target} SHARED IMPORTED)
  set_target_properties({target} PROPERTIES
    IMPORTED_LOCATION "${{CMAKE_CURRENT_LIST_DIR}}/{library}"
    INTERFACE_INCLUDE_DIRECTORIES "${{CMAKE_CURRENT_LIST_DIR}}"
    INTERFACE_LINK_OPTIONS "-Wl,-rpath,${{CMAKE_CURRENT_LIST_DIR}}")
endif()
"""

_PKG_CONFIG = """\
# PKG_CONFIG_PATH=PACKAGE pkg-config --cflags --libs {name}
Name: {name}
Description: the compiled network {model}
Version: 1
Cflags: -I${{pcfiledir}}
Libs: ${{pcfiledir}}/{library} -Wl,-rpath,${{pcfiledir}}
"""


def build_files(model: str, libraries: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names and texts of the files for libraries by their names, each of which is a target: `network` for `lib.so`, and
    `network-batch8` for `lib-batch8.so`."""
    names = {library: f"network{Path(library).stem.removeprefix('lib')}" for library in libraries}
    targets = {library: f"network::{name}" for library, name in names.items()}
    blocks = (_LIBRARY.format(target=targets[library], library=library) for library in libraries)
    yield "network.cmake", "".join([_CMAKE.format(first=targets[libraries[0]]), *blocks])
    for library, name in names.items():
        # The text is one line in that format.
        yield f"{name}.pc", _PKG_CONFIG.format(name=name, model=" ".join(model.split()), library=library)
