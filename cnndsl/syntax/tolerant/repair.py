"""Tokens of no width where the grammar lacks something: found on the parser's own tables, before any node is made.

Only numbers of states are pushed and popped, so that trying something costs microseconds and nothing has to be undone.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import Any

from lark import Token
from lark.parsers.lalr_analysis import Shift

from cnndsl.syntax.tolerant.brackets import Bracketed
from cnndsl.syntax.tolerant.tokens import made

_SIGNS = {
    "NAME": "", "EQUAL": "=", "COMMA": ",", "ARROW": "→", "FROM": "from", "IN": "in", "ELSE": "else", "LBRACE": "{", "RBRACE": "}",
}  # fmt: skip
_INSERTED = (*((type,) for type in _SIGNS if "BRACE" not in type), ("LBRACE", "RBRACE"))
"""What is put in where something is missing: a token, or an empty body."""
_MOST_INSERTED = 5
_MOST_TRIED = 400
_MOST_REPAIRS = 300
"""From here on a statement that needs another repair is left out: so no text takes long."""
_LEFT_OUT = 1.5
"""What it costs to leave a token out, when inserting one costs 1; to be stuck at the next token costs 1, too."""

Stack = list[int]


class Repair:
    """Goes along the tokens with the states of the parser."""

    def __init__(self, states: dict[int, dict[str, Any]], start: int, end: int) -> None:
        self.states, self.end = states, end
        self.stack: Stack = [start]
        self.made: list[Token] = []
        self.last = 0
        """Where the token before ends: what is inserted stands there."""
        self.repairs = 0

    def run(self, given: Bracketed) -> list[Token]:
        """Tokens that the grammar takes, all of them."""
        tokens, index = given.tokens, 0
        checkpoints: list[tuple[int, Stack]] = [(0, self.stack)]
        gone: set[int] = set()
        while index < len(tokens):
            token = tokens[index]
            if index in gone:
                index += 1
                continue
            fits = True
            if index in given.starts:
                fits = self._reach("LET", None)
                if fits:
                    checkpoints.append((len(self.made), self.stack))
            following = tokens[index + 1].type if index + 1 < len(tokens) else "$END"
            closes = index in given.partners and given.partners[index] < index
            # A closing bracket stays where its partner does.
            fits = fits and self._take(token, following, may_go=not closes)
            if not fits:
                self._back(checkpoints[-1])
                after = _end_of_statement(index, given, gone)
                # What is as it was before would come here again.
                index = after if after > index else index + 1
                continue
            if self.made and self.made[-1] is not token and index in given.partners and not closes:
                gone.add(given.partners[index])
            self.last = token.end_pos or self.last
            index += 1
        while not self._reach("$END", None):
            self._back(checkpoints.pop())
        return self.made

    def _back(self, checkpoint: tuple[int, Stack]) -> None:
        """Leaves out what was taken since a statement began."""
        del self.made[checkpoint[0] :]
        self.stack = checkpoint[1]

    def _take(self, token: Token, following: str, *, may_go: bool) -> bool:
        """Takes a token, after what it needs before it; or leaves it out. Says whether either could be done."""
        taken = self.shifted(self.stack, token.type)
        if taken is not None:
            self.stack = taken
            self.made.append(token)
            return True
        if self.repairs >= _MOST_REPAIRS:
            return False
        self.repairs += 1
        found = self._search(token.type, following)
        stuck = self.shifted(self.stack, following) is None and following != "$END"
        if may_go and (found is None or found[0] > _LEFT_OUT + stuck):
            return True
        if found is None:
            return False
        self._insert(found[1])
        self.stack = self.shifted(self.stack, token.type) or self.stack
        self.made.append(token)
        return True

    def _reach(self, type: str, following: str | None) -> bool:
        """Inserts what is needed for a token of this type to be taken, without taking it."""
        if self.shifted(self.stack, type) is not None:
            return True
        if self.repairs >= _MOST_REPAIRS:
            return False
        self.repairs += 1
        found = self._search(type, following)
        if found is not None:
            self._insert(found[1])
        return found is not None

    def _insert(self, types: tuple[str, ...]) -> None:
        for type in types:
            after = self.shifted(self.stack, type)
            assert after is not None
            self.stack = after
            self.made.append(made(type, _SIGNS[type], self.last, self.last))

    def _search(self, type: str, following: str | None) -> tuple[float, tuple[str, ...]] | None:
        """The cheapest tokens after which one of this type is taken, and what they cost."""
        order = count()
        pending: list[tuple[float, int, tuple[str, ...], Stack]] = [(0.0, next(order), (), self.stack)]
        best: tuple[float, tuple[str, ...]] | None = None
        seen: set[tuple[int, int]] = set()
        while pending and next(order) < _MOST_TRIED:
            cost, _, types, stack = heappop(pending)
            if best is not None and cost >= best[0]:
                break
            after = self.shifted(stack, type)
            if after is not None:
                stuck = following not in (None, "$END") and self.shifted(after, following or "") is None
                if best is None or cost + stuck < best[0]:
                    best = cost + stuck, types
            if len(types) >= _MOST_INSERTED:
                continue
            for inserted in _INSERTED:
                reached: Stack | None = stack
                for one in inserted:
                    reached = self.shifted(reached, one) if reached is not None else None
                if reached is not None and (reached[-1], len(reached)) not in seen:
                    seen.add((reached[-1], len(reached)))
                    heappush(pending, (cost + len(inserted), next(order), (*types, *inserted), reached))
        return best

    def shifted(self, stack: Stack, type: str) -> Stack | None:
        """The states once a token of this type has been taken; None where it cannot be."""
        states = self.states
        entry = states[stack[-1]].get(type)
        if entry is None:
            return None
        stack = stack[:]
        while True:
            action, target = entry
            if action is Shift:
                stack.append(target)
                return stack
            size = len(target.expansion)
            if size:
                del stack[-size:]
            stack.append(states[stack[-1]][target.origin.name][1])
            if type == "$END" and stack[-1] == self.end:
                return stack
            entry = states[stack[-1]].get(type)
            if entry is None:
                return None


def _end_of_statement(index: int, given: Bracketed, gone: set[int]) -> int:
    """Where the next statement begins, or the body ends that holds the one at `index`."""
    index += index in given.starts and given.partners.get(index, index) >= index
    while index < len(given.tokens):
        if index in given.starts and index not in gone:
            return index
        partner = given.partners.get(index, -1)
        index = partner + 1 if partner > index and partner not in gone else index + 1
    return index
