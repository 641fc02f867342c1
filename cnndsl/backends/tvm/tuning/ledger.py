"""What the store knows of one place: times by problem and setting, and the settings that networks have accepted."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

from cnndsl.backends.tvm.kernels.choices import Choices
from cnndsl.backends.tvm.kernels.kernel import Setting
from cnndsl.backends.tvm.tuning.problems import Problem, text_of
from cnndsl.backends.tvm.tuning.records import Measured, Place, Verdict
from cnndsl.backends.tvm.tuning.store import Store
from cnndsl.backends.tvm.tuning.timer import Timing


class Ledger:
    """The records of a store that hold for one place, and new ones."""

    def __init__(self, store: Store, place: Place) -> None:
        self.store, self.place = store, place
        self._times: dict[tuple[str, str], list[float | None]] = defaultdict(list)
        self._accepted: dict[str, Setting] = {}
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._seen = 0
        self.refresh()

    def refresh(self) -> None:
        """Takes in what has been appended to the store."""
        self.store.refresh()
        records = self.store.records
        if len(records) < self._seen:
            # Another file has taken the store's place.
            self._times.clear()
            self._accepted.clear()
            self._verdicts.clear()
            self._seen = 0
        for record in records[self._seen :]:
            if record.place == self.place:
                self._take(record)
        self._seen = len(records)

    def _take(self, record: Measured | Verdict) -> None:
        if isinstance(record, Measured):
            self._times[record.key, text_of(record.setting)].append(record.seconds)
            return
        self._verdicts[record.key, text_of(record.setting)] = record
        if record.accepted:
            self._accepted[record.key] = dict(record.setting)
        elif self._accepted.get(record.key) == record.setting:
            del self._accepted[record.key]

    def settings(self, key: str) -> list[Setting]:
        """Every setting of a problem that has been measured."""
        return [json.loads(text) for known, text in self._times if known == key]

    def measured(self, problem: Problem, text: str) -> int:
        """How often a candidate has been measured, failures included."""
        return len(self._times.get((problem.key, text), ()))

    def seconds(self, problem: Problem, text: str) -> float | None:
        """The candidate's time: the shortest of all measurements, as whatever else the machine does only adds to
        them; None where it failed or was not measured."""
        times = self._times.get((problem.key, text), [])
        fine = [time for time in times if time is not None]
        return min(fine) if fine and len(fine) == len(times) else None

    def best(self, problem: Problem) -> tuple[str, float] | None:
        """The fastest candidate and its time."""
        found = [(time, text) for text in problem.ways if (time := self.seconds(problem, text)) is not None]
        return min(found)[::-1] if found else None

    def note(self, problem: Problem, text: str, timing: Timing) -> None:
        """Keeps a measurement."""
        setting, _ = problem.ways[text]
        self.store.append(
            Measured(place=self.place, key=problem.key, setting=setting, seconds=timing.seconds, error=timing.error)
        )
        self.refresh()

    def judge(self, network: str, chosen: dict[str, Setting], before: float, after: float, accepted: bool) -> None:
        """Keeps a network's verdict on settings that were tried together."""
        self.store.append(
            *(
                Verdict(
                    place=self.place,
                    key=key,
                    setting=setting,
                    network=network,
                    accepted=accepted,
                    before=before,
                    after=after,
                )
                for key, setting in chosen.items()
            )
        )
        self.refresh()

    def judged(self, network: str, key: str, setting: Setting) -> bool:
        """Whether a setting need not be tried in a network: it was, or is in use."""
        verdict = self._verdicts.get((key, text_of(setting)))
        return self._accepted.get(key) == setting or (verdict is not None and verdict.network == network)

    def choices(self, keys: Sequence[str] | None = None) -> Choices:
        """The settings that were accepted last, of all problems or some."""
        return Choices({key: found for key, found in self._accepted.items() if keys is None or key in keys})
