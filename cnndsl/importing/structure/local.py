"""Names of tensors that count from 1, so that chains can be compared."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.importing.structure.elements import Chain, Group, Line, Output, Tensors, Use, with_inner


def local_names(group: Group) -> Group:
    """The same with names of tensors counted from 1 in each instance, so that they can be compared."""
    names = {name: f"a{n + 1}" for n, name in enumerate(group.takes)}

    def own(name: str) -> str:
        return names.setdefault(name, f"a{len(names) + 1}")

    def change(here: Chain) -> Chain:
        done = []
        for element in here:
            element = with_inner(element, change)
            if isinstance(element, Use) and element.name in names:
                element = replace(element, name=names[element.name])
            if isinstance(element, Tensors | Output):
                element = replace(element, names=tuple(names.get(name, name) for name in element.names))
            if isinstance(element, Line) and not element.share:
                element = replace(element, names=tuple(own(name) for name in element.names))
            if element.tap:
                element = replace(element, tap=own(element.tap))
            done.append(element)
        return tuple(done)

    takes = tuple(names[name] for name in group.takes)
    return replace(group, body=change(group.body), takes=takes)
