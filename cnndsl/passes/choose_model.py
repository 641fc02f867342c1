"""Which model of a file is meant: the one asked for, the one called as the file is, or the last that needs nothing."""

from __future__ import annotations

from cnndsl.diagnostics.errors import fault
from cnndsl.diagnostics.nearest import nearest
from cnndsl.diagnostics.source import Source, Span
from cnndsl.passes.library.library import Unit
from cnndsl.passes.values.scope import BlockValue


def refuse_other_name(unit: Unit, model: str | None, stem: str) -> None:
    """Raises `unknown-model` if a model is asked of a file that is itself one, by another name than the file's."""
    if model is not None and model != stem:
        raise fault(
            "unknown-model",
            f"no model is called `{model}`",
            _asked(unit, model),
            notes=(f"the file is one model, `{stem}`",),
            help="leave the name out",
        )


def chosen(unit: Unit, model: str | None, stem: str) -> tuple[str, BlockValue]:
    """The model's name and itself. Raises `unknown-model`."""
    if model is not None:
        if model not in unit.models:
            near = nearest(model, unit.models)
            raise fault(
                "unknown-model",
                f"no model is called `{model}`",
                _asked(unit, model),
                notes=(f"the file has {', '.join(unit.models)}",),
                help=f"did you mean `{near}`?" if near else "take one of these",
            )
        return model, unit.models[model]
    if stem in unit.models:
        return stem, unit.models[stem]
    complete = complete_models(unit)
    name = complete[-1] if complete else list(unit.models)[-1]
    return name, unit.models[name]


def _asked(unit: Unit, model: str) -> Span:
    """The model's name in `FILE:NAME`, which is where it was asked for."""
    text = Source("the command line", f"{unit.source.name}:{model}")
    return Span(text, len(text.text) - len(model), len(text.text))


def complete_models(unit: Unit) -> list[str]:
    """The file's models that need no argument, in order."""
    return [name for name, value in unit.models.items() if not _lacking(value)]


def _lacking(value: BlockValue) -> list[str]:
    """Parameters that neither an argument nor a default gives."""
    parameters = value.definition.node.parameters or ()
    positional = sum(1 for g in value.given if g.name is None)
    named = {g.name for g in value.given}
    return [p.name for i, p in enumerate(parameters) if i >= positional and p.name not in named and p.default is None]
