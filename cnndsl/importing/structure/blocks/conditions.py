"""What is there only if: which condition says in which instances of a block a part stands."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cnndsl.importing.structure.blocks.solve import Solver
from cnndsl.importing.structure.blocks.vectors import Slot, Values, agree, fill, name_of_part, with_word, words_in
from cnndsl.importing.structure.elements import Chain, Choice, Element, Expression, Layer, Vector, Word, with_inner


@dataclass(frozen=True)
class _Idiom:
    """A condition on a step, on whether as many channels leave as arrive, or on either."""

    text: str
    step: Slot | None
    wide: Values | None = None
    """Whether another number of channels leaves, in each instance."""
    opposite: bool = False

    def holds(self, step: int, instance: int) -> bool:
        """Whether it is so in an instance with such a step."""
        either = (self.step is not None and step != 1) or (self.wide is not None and self.wide[instance])
        return either != self.opposite


class Conditions:
    """The conditions of one block, whose values are solved already."""

    def __init__(self, solver: Solver) -> None:
        self.solver = solver

    def chosen(self, chain: Chain) -> Chain:
        """The chain with an expression for each condition."""
        done: list[Element] = []
        for element in chain:
            element = with_inner(element, self.chosen)
            if isinstance(element, Choice) and isinstance(element.condition, Vector):
                element = self._chosen(list(element.condition.values), element)
            done.append(element)
        return tuple(done)

    def _silenced(self, there: Values, element: Choice) -> Element | None:
        """A `DropPath` that some instances lack: there, the share is 0."""
        first = element.body[0]
        if len(element.body) > 1 or element.otherwise or not isinstance(first, Layer) or not first.label:
            return None
        if not isinstance(first.word, Word) or first.word.name != "DropPath":
            return None
        p = first.word.get("p")
        slot = self.solver.slot(p) if isinstance(p, Expression) else None
        if slot is None:
            mark = self.solver.new("p", [None if t is None else p if t else 0 for t in there], "")
            return replace(first, word=first.word.with_arguments({"p": mark}))
        if any(v is not None for v, t in zip(slot.values, there, strict=True) if not t):
            return None
        slot.values[:] = [0 if t is False else v for v, t in zip(slot.values, there, strict=True)]
        return first

    def _chosen(self, there: Values, element: Choice) -> Element:
        """The element with an expression for its condition; a widening that is left out may become a parameter."""
        for idiom in self._idioms():
            if self._holds(idiom, there):
                return replace(element, condition=Expression(idiom.text))
        silenced = self._silenced(there, element)
        if silenced is not None:
            return silenced
        widened = self._expansion(there, element)
        return widened if widened is not None else replace(element, condition=self._condition(there, element))

    def _condition(self, there: Values, element: Choice) -> Expression:
        for index, slot in enumerate(self.solver.slots):
            if slot.role == "bool":
                if agree(slot.values, there):
                    fill(slot.values, there)
                    return Expression(f"\0{index}\0")
                if agree([None if v is None else not v for v in slot.values], there):
                    fill(slot.values, [None if v is None else not v for v in there])
                    return Expression(f"not \0{index}\0")
        return self.solver.new("bool", there, name_of_part(element))

    def _idioms(self) -> list[_Idiom]:
        """Conditions of shortcuts and projections, and their opposites."""
        out = self._out()
        steps = [(f"\0{n}\0", slot) for n, slot in enumerate(self.solver.slots) if slot.role == "stride"]
        found: list[_Idiom] = []
        if out is not None:
            wide = [a != b for a, b in zip(self.solver.entering, self.solver.leaving, strict=True)]
            unlike, alike = f"in.channels ≠ {out}", f"in.channels == {out}"
            found += [_Idiom(f"{text} ≠ 1 or {unlike}", slot, wide) for text, slot in steps]
            found += [_Idiom(f"{text} == 1 and {alike}", slot, wide, opposite=True) for text, slot in steps]
            found += [_Idiom(unlike, None, wide), _Idiom(alike, None, wide, opposite=True)]
        found += [_Idiom(f"{text} ≠ 1", slot) for text, slot in steps]
        return [*found, *(_Idiom(f"{text} == 1", slot, opposite=True) for text, slot in steps)]

    def _holds(self, idiom: _Idiom, there: Values) -> bool:
        """Whether a condition is so in every instance where it matters. A step that does not matter there otherwise becomes one for
        which it is."""
        slot = idiom.step
        steps = list(slot.values) if slot is not None else [1] * self.solver.count
        for n, wanted in enumerate(there):
            if wanted is None:
                continue
            fitting = [step for step in ((1, 2) if steps[n] is None else (steps[n],)) if idiom.holds(step, n) == wanted]
            if not fitting:
                return False
            if len(fitting) == 1:
                steps[n] = fitting[0]
        if slot is not None:
            slot.values[:] = steps
        return True

    def _out(self) -> str | None:
        """The block's output channels as an expression; None where nothing says them."""
        known = self.solver.known("channels", list(self.solver.leaving))
        if isinstance(known, int):
            return str(known)
        return known.text if isinstance(known, Expression) and known.text != "in.channels" else None

    def _expansion(self, there: Values, element: Choice) -> Choice | None:
        """A widening that some instances leave out: by `expansion` 1, or to as many channels as arrive."""
        for word in words_in(element.body):
            text = word.get("channels")
            if not isinstance(text, Expression):
                continue
            factor, _, base = text.text.partition(" × ")
            if base == "in.channels" and factor.isdigit():
                mark = self.solver.new("expansion", [None if t is None else int(factor) if t else 1 for t in there], "")
                wider = Expression(f"{mark.text} × in.channels", loose=True)
                body = with_word(element.body, word, word.with_arguments({**dict(word.arguments), "channels": wider}))
                return replace(element, body=body, condition=Expression(f"{mark.text} ≠ 1"))
            slot = self.solver.slot(text)
            if slot is not None and all(v is None for v, t in zip(slot.values, there, strict=True) if not t):
                widths = zip(slot.values, self.solver.entering, there, strict=True)
                if all(v != e for v, e, t in widths if t):
                    slot.values[:] = [
                        v if t else e for v, e, t in zip(slot.values, self.solver.entering, there, strict=True)
                    ]
                    return replace(element, condition=Expression(f"{text.text} ≠ in.channels"))
        return None
