"""Habits of inputs: colons and brackets, batches, sizes that are not fixed, channels that come last."""

from __future__ import annotations

import re

from cnndsl.habits.habit import MEANING, Habit, Written, habit

_SIZES = r"\d+ (?: (?:\s*[xX×*,]\s*|\s+) \d+ )*"
_FIRST = "sizes are joined by `×`, channels first and without the batch"


def joined(text: str) -> str:
    """Numbers however they are joined, with `×` between."""
    return "×".join(re.findall(r"\d+", text))


def _input(match: re.Match[str]) -> str | None:
    name = match["name"] or ""
    written = f"input {name}: {joined(match['sizes'])}" if name else f"input {joined(match['sizes'])}"
    return None if written == " ".join(match[0].split()) else match["indent"] + written


def _named(match: re.Match[str]) -> str | None:
    if match["name"] in ("tokens", "of"):
        return None
    return _input(match)


def _keras(match: re.Match[str]) -> str:
    numbers = re.findall(r"\d+", match["sizes"])
    if len(numbers) == 3 and numbers[-1] in ("1", "3", "4"):
        numbers = [numbers[-1], *numbers[:-1]]
    name = f" {match['name']}:" if match["name"] and match["name"] not in ("inputs", "input", "x") else ""
    return f"{match['indent']}input{name} {'×'.join(numbers)}"


_NUMBERS = {
    "float": "float32", "double": "float64", "half": "float16", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16",
    "f32": "float32", "f16": "float16", "int": "int64", "long": "int64", "int16": "int32", "byte": "uint8", "u8": "uint8",
    "boolean": "bool", "float8": "float16",
}  # fmt: skip

INPUTS: tuple[Habit, ...] = (
    habit(
        rf"^ \s* input \b .* \b of \s+ (?P<at> {'|'.join(_NUMBERS)} ) \b",
        "numbers have a size in their name",
        lambda match: _NUMBERS[match["at"]],
        ids=MEANING,
    ),
    habit(
        r"^ \s* input \b .*? (?: \? | \bNone\b | -\s*1 | (?<![A-Za-z0-9_]) [BNCHWTL] \b | [x×] [BCHWT] \b | \b [BCHWN] (?=x[A-Z0-9]) | \* \s* (?=[x×]) | \bbatch\b | \bany\b ) .*",
        "sizes are numbers, known when the network is built, and the batch is not among them",
        None,
        "write the sizes, as `input 3×224×224`; another size is given with `--input 3x192x192`",
        MEANING,
    ),
    habit(
        rf"^ (?P<indent>\s*) input \s* [:=] \s* [(\[]? \s* (?P<name>) (?P<sizes>{_SIZES}) \s* ,? [)\]]? \s* $",
        "`:` follows the name of an input, and this one has none",
        _input,
    ),
    habit(
        rf"^ (?P<indent>\s*) input \s+ (?P<name>[A-Za-z_]\w*) \s* [=] \s* [(\[]? \s* (?P<sizes>{_SIZES}) \s* ,? [)\]]? \s* $",
        "`:` stands between an input's name and its sizes",
        _named,
    ),
    habit(
        rf"^ (?P<indent>\s*) input \s+ (?P<name>[A-Za-z_]\w*) \s+ [(\[]? \s* (?P<sizes>{_SIZES}) \s* ,? [)\]]? \s* $",
        "`:` stands between an input's name and its sizes",
        _named,
    ),
    habit(
        rf"^ (?P<indent>\s*) input \s+ (?P<name>[A-Za-z_]\w*) \s* : \s* [(\[]? \s* (?P<sizes>{_SIZES}) \s* ,? [)\]]? \s* $",
        _FIRST,
        _named,
    ),
    habit(
        rf"^ (?P<indent>\s*) (?P<name>[A-Za-z_]\w*) \s* : \s* input \s* [(\[]? \s* (?P<sizes>{_SIZES}) \s* ,? [)\]]? \s* $",
        "an input's name stands behind the word `input`",
        _named,
        ids=MEANING,
    ),
    habit(
        rf"^ (?P<indent>\s*) (?P<name>[A-Za-z_]\w*) \s* = \s* input \s* [(\[]? \s* (?P<sizes>{_SIZES}) \s* ,? [)\]]? \s* $",
        "an input's name stands behind the word `input`",
        _named,
        ids=MEANING,
    ),
    habit(
        rf"^ (?P<indent>\s*) input \s* (?:shape\s*=?)? \s* [(\[]? \s* (?P<name>) (?P<sizes>{_SIZES}) \s* ,? [)\]]? (?=\s*$)",
        _FIRST,
        _input,
    ),
    habit(
        rf"""^ (?P<indent>\s*) (?: (?P<name>[A-Za-z_]\w*) \s* = \s* )? (?:[\w.]+\.)? (?:Input|InputLayer|Placeholder) \s* \( \s*
             (?:\w*shape \s* =)? \s* [(\[] \s* (?P<sizes>{_SIZES}) \s* ,? \s* [)\]] [^)]* \) \s* $""",
        "an input is a statement, with the channels first and without the batch",
        _keras,
        ids=MEANING,
    ),
    habit(
        rf"^ (?P<indent>\s*) (?:inputs|in|Input|INPUT|image|img|input_shape|shape|data) \s* (?P<name>) [:=]? \s* [(\[]? (?P<sizes>{_SIZES}) [)\]]? \s* $",
        "an input begins with the word `input`",
        _input,
        ids=MEANING,
    ),
    habit(
        r"^ (?P<head> \s* input \b [^→\n]*? \d ) (?P<at> \s* (?:→|->) \s* )",
        "an input is a statement of its own, and the chain begins behind it",
        Written("\n", "begin a new line in place of the arrow"),
    ),
    habit(
        r"^ (?P<head> \s* input \b [^→\n]*? \d ) \s* (?P<at> , ) \s* $",
        "nothing ends a statement but the next one",
        Written("", "delete it"),
    ),
)
