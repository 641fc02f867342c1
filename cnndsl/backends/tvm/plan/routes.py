"""Channels that only move: concatenation, shuffles and slices of channels, composed into one table for each result."""

from __future__ import annotations

from dataclasses import dataclass

from cnndsl.backends.tvm.program.steps import Program, Step

Channel = tuple[int, int]
"""The number of a source, and of one of its channels."""


@dataclass(frozen=True)
class Route:
    """Where each channel of a result comes from."""

    sources: tuple[str, ...]
    widths: tuple[int, ...]
    """The channels of each source."""
    channels: tuple[Channel, ...]

    def parts(self, grain: int) -> tuple[int, ...] | None:
        """The sources, in order, that laid one behind the other are the result; None where the result is something
        else, or a source but the last has no multiple of `grain` channels."""
        parts: list[int] = []
        at = 0
        while at < len(self.channels):
            source = self.channels[at][0]
            end = at + self.widths[source]
            whole = tuple((source, channel) for channel in range(self.widths[source]))
            if at % grain or self.channels[at:end] != whole:
                return None
            parts.append(source)
            at = end
        return tuple(parts)

    def first_chunk(self, lanes: int) -> int | None:
        """The chunk of the only source at which the result begins, where the result is whole neighbouring chunks of
        that source; else None."""
        start, width = self.channels[0][1], len(self.channels)
        follow = tuple((0, start + channel) for channel in range(width))
        ends = (start + width) % lanes == 0 or start + width == self.widths[0]
        return start // lanes if start % lanes == 0 and ends and self.channels == follow else None


@dataclass(frozen=True)
class Routing:
    """The route of every step that only moves channels and whose result something else reads; and by route the steps
    that became part of it."""

    routes: dict[str, Route]
    through: dict[str, tuple[Step, ...]]
    """For each route the other steps that it stands for, in order."""

    @property
    def dissolved(self) -> set[str]:
        return {step.name for steps in self.through.values() for step in steps}


def find_routes(program: Program) -> Routing:
    """The routes of a program. A step that only moves channels, and that only steps of this kind read, becomes part
    of their routes."""
    moves = {step.name: channels for step in program.steps if (channels := _moved(step)) is not None}
    kept = set(program.outputs.values()) | {
        name for step in program.steps if step.name not in moves for name in step.inputs
    }
    routes: dict[str, Route] = {}
    through: dict[str, tuple[Step, ...]] = {}
    for step in program.steps:
        if step.name not in moves:
            continue
        inner = [name for name in dict.fromkeys(step.inputs) if name in routes and name not in kept]
        steps = {s.name: s for name in inner for s in through[name]} | {
            s.name: s for s in program.steps if s.name in inner
        }
        through[step.name] = tuple(steps.values())
        routes[step.name] = _composed(step, moves[step.name], {name: routes[name] for name in inner})
    # A result that nobody reads is kept, too: there is no other route that it could be part of.
    read = {name for step in program.steps for name in step.inputs}
    needed = [name for name in routes if name in kept or name not in read]
    return Routing({name: routes[name] for name in needed}, {name: through[name] for name in needed})


def _moved(step: Step) -> tuple[Channel, ...] | None:
    """For each channel of the result the number of an input and its channel; None where the step does more than move
    channels."""
    x = step.xs[0] if step.xs else None
    return step.op.channel_sources(step.xs) if x is not None and step.is_image and x.size == step.type.size else None


def _composed(step: Step, channels: tuple[Channel, ...], inner: dict[str, Route]) -> Route:
    """The route of a step, with the sources of its `inner` routes in place of the inputs that have these routes."""
    widths: dict[str, int] = {}
    found: list[tuple[str, int]] = []
    for i, channel in channels:
        name, width = step.inputs[i], step.xs[i].channels
        if name in inner:
            route = inner[name]
            source, channel = route.channels[channel]
            name, width = route.sources[source], route.widths[source]
        widths[name] = width
        found.append((name, channel))
    sources = tuple(widths)
    places = {name: i for i, name in enumerate(sources)}
    return Route(sources, tuple(widths.values()), tuple((places[name], channel) for name, channel in found))
