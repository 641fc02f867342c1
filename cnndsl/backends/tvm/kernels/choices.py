"""What tuning chose: for the key of a kernel the setting to take in place of the rule's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cnndsl.backends.tvm.kernels.kernel import Setting, Tunable, key, settings
from cnndsl.backends.tvm.kernels.traces import function_key, with_trace

K = TypeVar("K")


@dataclass(frozen=True)
class Choices:
    """Settings by the key of the kernel. A setting that none of the kernel's candidates has is passed over."""

    settings: Mapping[str, Setting] = field(default_factory=dict)

    def apply(self, kernel: K) -> K:
        """The chosen candidate; the kernel itself where there is none."""
        if not self.settings or not isinstance(kernel, Tunable):
            return kernel
        wanted = self.settings.get(key(kernel))
        found: Any = next((c for setting, c in settings(kernel) if setting == wanted), kernel)
        return found  # type: ignore[no-any-return]

    def schedule(self, function: Any) -> Any | None:
        """A function without a kernel, scheduled by the trace that was found for it; None where there is none."""
        if not self.settings:
            return None
        name = function_key(function)
        found = with_trace(function, self.settings.get(name, {}).get("trace"))
        return None if found is None else found.with_attr(TUNED, name)


UNTUNED = Choices()

TUNED = "cnndsl.tuned"
"""The attribute of a function whose schedule was chosen: the key of its problem."""


def tuned_functions(module: Any) -> tuple[str, ...]:
    """The keys of a module's functions that tuning has chosen, in order."""
    attributes = [function.attrs or {} for function in module.functions.values()]
    return tuple(sorted({str(found[TUNED]) for found in attributes if TUNED in found}))
