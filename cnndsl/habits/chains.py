"""Habits of chains: other arrows, sums of tensors, counts in front, windows written with other signs, calls of other frameworks."""

from __future__ import annotations

import re

from cnndsl.habits.calls import element
from cnndsl.habits.habit import MEANING, READING, Habit, Written, closing, habit, parts
from cnndsl.habits.words import foreign

_WORD = r"[A-Za-z_]\w* (?: \( [^()]* \) )?"
_BRACKETS = r"\( (?: [^()] | \( (?: [^()] | \([^()]*\) )* \) )* \)"
_DOTTED = rf"(?P<path> (?: [A-Za-z_]\w*\.)+ ) (?P<name> (?!shape\b|size\b) [A-Za-z_]\w* ) (?P<call> {_BRACKETS} )?"
_LATER = rf"(?: [A-Za-z_]\w*\.)+ [A-Za-z_]\w* (?: {_BRACKETS} )?"
_MERGES = {"+": "add", "*": "mul", "×": "mul", "-": "sub", "@": "matmul"}


def _joined(match: re.Match[str]) -> str:
    """Tensors with signs between them as a merge."""
    text = match["sum"]
    sign = match["sign"]
    branches = [part.strip() for part in text.split(sign)]
    return f"{_MERGES[sign]}{{ {' | '.join(branches)} }}"


def _calls(match: re.Match[str]) -> Written | None:
    """`nn.Conv2d(3, 64, 3) → nn.ReLU()`, `F.relu(x)`, `torch.cat([a, b], 1)`: every call of a line with a path before it."""
    made: list[str] = []

    def one(call: re.Match[str]) -> str:
        word = _call(call)
        made.append(word.mend or "")
        helps.append(word.help)
        return word.mend or call[0]

    helps: list[str] = []
    text = re.sub(rf"(?<![\w.])(?P<name>[A-Z]\w*){_BRACKETS}", _pathless, match[0], flags=re.VERBOSE)
    text = re.sub(_DOTTED, one, text, flags=re.VERBOSE)
    return Written(text, f"write `{text}`") if all(made) else Written(None, helps[made.index("")])


def _pathless(call: re.Match[str]) -> str:
    """A call of a layer that another framework has and ours has not, beside others that are written with a path."""
    word = foreign(call["name"])
    return call[0] if word is None or word.write == call["name"] else element(call[0]) or call[0]


def _bare(match: re.Match[str]) -> Written | None:
    """`Conv2D(32, 3, activation='relu')`: calls without a path, known by the quotes that a layer of ours has not."""
    made: list[bool] = []

    def one(call: re.Match[str]) -> str:
        word = element(call[0]) if "'" in call[0] else None
        made.append(word is not None)
        return word or call[0]

    text = re.sub(rf"\b[A-Z]\w*{_BRACKETS}", one, match[0], flags=re.VERBOSE)
    return Written(text, f"write `{text}`") if any(made) else None


def _call(match: re.Match[str]) -> Written:
    name, call = match["name"], match["call"]
    word = foreign(name)
    made = None
    if match["path"] != "self." and call:
        made = element(match[0]) or _function(name, call[1:-1])
    elif word is not None and word.write.isidentifier():
        made = word.write
    if made is not None:
        return Written(made, "")
    if word is not None:
        return Written(None, f"write `{word.write}`{': ' + word.why if word.why else ''}" if word.write else word.why)
    return Written(
        None,
        "a chain says what follows what: `Conv3x3(64) → BN → ReLU`; a layer's name is a label, `conv1: Conv3x3(64)`",
    )


def _function(name: str, inside: str) -> str | None:
    """A function of tensors: `cat([a, b], 1)`, `relu(x)`, `add(a, b)`."""
    word = foreign(name)
    arguments = parts(inside)
    if word is None or not word.write or not arguments[0]:
        return None
    merge = re.match(r"(add|cat|mul|sub|max|min|mean|div|matmul)\{", word.write)
    if merge:
        tensors = (
            parts(arguments[0].strip("[]() ")) if arguments[0][:1] in "[(" else [a for a in arguments if "=" not in a]
        )
        if len(tensors) < 2 or not all(re.fullmatch(r"\w+", t) and not t.isdigit() for t in tensors):
            return None
        return f"{merge[1]}{{ {' | '.join(tensors)} }}"
    tensor, options = arguments[0], [a for a in arguments[1:] if not a.startswith("inplace")]
    if re.fullmatch(r"[a-z_]\w*", tensor) and re.fullmatch(r"\w+", word.write) and not options:
        return f"{tensor} → {word.write}"
    return None


def _labelled(match: re.Match[str]) -> Written | None:
    """`self.conv1 = nn.Conv2d(3, 64, 3)`: a layer with its name."""
    made = element(match["call"])
    if made is None:
        return Written(None, f"a layer's name is a label before it: `{match['name']}: Conv3x3(64)`")
    text = f"{match['indent']}{match['name']}: {made}"
    return Written(text, f"a layer's name is a label before it, and `→` follows: `{text.strip()}`")


def _branches(match: re.Match[str]) -> str:
    inside = match["inside"].strip()
    items = parts(inside[1:-1]) if inside[:1] == "[" and inside.endswith("]") else parts(inside)
    items = [item for item in items if not re.fullmatch(r"(?:dim|axis)\s*=.*|-?\d+", item)]
    if len(items) == 1 and items[0].startswith("["):
        items = parts(items[0][1:-1])
    theirs = foreign(match["word"])
    ours = re.match(r"\w+", theirs.write) if theirs and "{" in theirs.write else None
    return f"{ours[0] if ours else match['word']}{{ {' | '.join(items)} }}"


def _called(match: re.Match[str]) -> str | None:
    """`add(a, b)`, where it stands in a chain and not in a value."""
    before = match.string[: match.start()]
    return _branches(match) if before.count("(") == before.count(")") and "," in (match["inside"] or "") else None


def _whole(match: re.Match[str]) -> Written | None:
    """`A(c) → B for c in [8, 16]`: a `for` behind a chain, all of which was meant to repeat."""
    line = match.string
    loop = re.search(r"\s+for\s+(\w+(?:\s*,\s*\w+)*)\s+in\s+", line)
    if loop is None:
        return None
    start, depth = loop.start(), 0
    while start > 0:
        sign = line[start - 1]
        depth += (sign in ")]}") - (sign in "([{")
        if depth < 0 or (depth == 0 and (sign in "|{" or (sign == "=" and line[start - 2 : start] != "=="))):
            break
        start -= 1
    chain = line[start : loop.start()]
    names = re.findall(r"\w+", loop[1])
    earlier = re.split(r"→|->", chain)[:-1]
    if not any(re.search(rf"\b{name}\b", part) for name in names for part in earlier):
        return None
    lead = line[: start + len(chain) - len(chain.lstrip())]
    return Written(f"{lead}[{chain.strip()}]{line[loop.start() :]}", f"write `[{chain.strip()}]{line[loop.start() :]}`")


def _listed(match: re.Match[str]) -> str | None:
    """`A, B; C`: elements with other signs between them."""
    text, depth = match["at"], 0
    if (before := match.string[: match.start("at")]).count("(") != before.count(")"):
        return None
    signs: list[str] = []
    for place, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        joins = depth == 0 and sign in ",;.:" and re.match(r"\s*[A-Z\[]", text[place + 1 :])
        signs.append(" →" if joins else sign)
    return re.sub(r"\s+→", " →", "".join(signs))


def _group(match: re.Match[str]) -> Written | None:
    """`(A → B)×3`, `{A → B}`: round or curly brackets around a chain."""
    line, opened = match.string, match.start("open")
    closed = closing(line, opened)
    if closed is None or not re.search(r"→|->", line[opened:closed]):
        return None
    return (
        None
        if closed + 1 != match.end()
        else Written(f"[{line[opened + 1 : closed]}]", "chains are grouped by `[ … ]`")
    )


CHAINS: tuple[Habit, ...] = (
    # Comments and ends
    habit(r"(?P<at> // (?!=) .* ) $", "a comment begins with `#`", lambda match: "#" + match["at"][2:]),
    habit(r"(?P<at> /\* (?P<text>.*?) (?: \*/ )? ) $", "a comment begins with `#`, and ends with its line", lambda match: "# " + match["text"].strip()),
    habit(r"^ \s* (?P<at> (?: -- | % | ; | \"\"\" | ''' | <!-- | rem\b | REM\b ) (?P<text>.*) ) $", "a comment begins with `#`",
          lambda match: "# " + match["text"].strip(" \"'->")),
    habit(r"\s* (?P<at> ; ) \s* $", "statements need nothing between them", Written("", "delete it")),
    habit(r"\s* (?P<at> \\ ) \s* $", "a chain goes on in the next line by itself: an arrow begins or ends the line", Written("", "delete it")),
    habit(r"^ \s* \[ (?:net|convolutional|maxpool|avgpool|shortcut|route|upsample|connected|yolo|softmax|dropout|region) \] \s* $",
          "this is a section of Darknet's .cfg; a network is one chain", None,
          "write each section as an element: `Conv3x3(32, bias=false) → BN → LeakyReLU(0.1) → MaxPool`", MEANING),
    # Windows
    habit(r"(?P<word>[A-Z][A-Za-z]*?) _? (?P<a>\d+) \s*[×*X_]\s* (?P<b>\d+) (?: \s*[×*X_]\s* (?P<c>\d+) )? (?= \( | \s | $ )",
          "inside a word the letter x joins digits",
          lambda match: f"{match['word']}{match['a']}x{match['b']}{'x' + match['c'] if match['c'] else ''}", ids=MEANING),
    habit(r"(?P<word>[A-Z][A-Za-z]*) [ _]+ (?P<a>\d+) [x×*] (?P<b>\d+) \b", "the window touches the word",
          "{word}{a}x{b}", ids=MEANING),
    habit(r"\b (?P<a>\d+) [x×*] (?P<b>\d+) [ _]* (?P<word>[A-Z][A-Za-z]*|conv) \b (?: \s*,\s* (?P<c>\d+) )?", "the window stands behind the word",
          lambda match: f"{'Conv' if match['word'] == 'conv' else match['word']}{match['a']}x{match['b']}"
          + (f"({match['c']})" if match["c"] else ""), ids=MEANING),
    habit(r"(?P<word>[A-Z][A-Za-z]*) \( \s* (?: (?:window|kernel_size|kernel) \s*=\s* )? (?P<a>\d+) \s*[x×*]\s* (?P<b>\d+) \s* (?: , \s* (?P<rest>[^()]*) )? \)",
          "the window stands in the word", lambda match: f"{match['word']}{match['a']}x{match['b']}" + (f"({match['rest'].strip()})" if match["rest"] else ""), ids=MEANING),
    habit(r"(?P<word>[A-Z][A-Za-z]*) \( \s* (?P<c>\d+) \s* , \s* (?P<a>\d+) \s*[x×*]\s* (?P<b>\d+) \s* (?P<rest>(?:,[^()]*)?) \)",
          "the window stands in the word", "{word}{a}x{b}({c}{rest})", ids=MEANING),
    habit(r"(?P<word>[A-Z]\w*) (?: (?P<b1>\[) (?P<a>[\d,\s=\w]+) \] | < (?P<a2>[\d,\s=\w]+) > | \{ \s* (?P<a3>[\d,\s=\w]+?) \s* \} )",
          "arguments stand in round brackets", lambda match: f"{match['word']}({(match['a'] or match['a2'] or match['a3']).strip()})", ids=MEANING),
    habit(r"(?P<word>[A-Z]\w*) (?: [ \t]+ | \s* : \s* ) (?P<n>\d+) (?= \s* (?: $ | → | -> | \| | \} | \] | \# ) )", "arguments stand in round brackets", "{word}({n})"),
    habit(r"(?P<word>[A-Z][A-Za-z]*) - (?P<a>\d+) x (?P<b>\d+)", "the window touches the word", "{word}{a}x{b}"),
    # Repeats
    habit(r"\b (?P<n>\d+) \s* [×*xX] \s* (?P<what> \[ [^\[\]]* \] | [A-Z]\w*(?:\([^()]*\))? )", "the count stands behind what repeats", "{what}×{n}"),
    habit(r"(?P<what> [\])] ) (?P<at> \s* (?: \^ | \*\* | (?:times|repeat|[xX]) \s | [x×*]\s*= ) \s* (?P<n>\d+|[a-z]\w*) )", "a repetition is written with `×` or `*`",
          lambda match: f"×{match['n']}"),
    habit(r"(?P<what> \] ) (?P<at> \s* (?: \{ (?P<a>\d+) \} | \( (?P<b>\d+) \) | (?P<c>\d+) ) ) (?= \s* (?: $ | → | -> | \| | \} ) )", "a repetition is written with `×` or `*`",
          lambda match: f"×{match['a'] or match['b'] or match['c']}"),
    habit(r"(?P<open> [({] ) [^(){}]* (?: \( [^()]* \) [^(){}]* )* [)}]", "chains are grouped by square brackets", _group),
    habit(r"\[ (?P<inside> [^\[\]]*? (?:→|->) [^\[\]]*? ) \s+ for \s+ (?P<rest> \w+(?:\s*,\s*\w+)* \s+ in \s+ [^\[\]]* (?:\[[^\[\]]*\])? ) \s* \]",
          "`for` belongs to the one element before it; brackets make one of several", "[{inside}] for {rest}", ids=MEANING),
    habit(r"^ .* \b for \b .* $", "`for` belongs to the one element before it; brackets make one of several", _whole, ids=frozenset({"unknown-name"})),
    habit(r"(?: ^ | (?<=[=→|{\[]) ) (?P<lead>\s*) (?P<what> [^=→|{\[\]]*? \s if \s [^=→|{\[]*? \s else \s [^=→|{]*? ) \s+ for \s+ (?P<rest> \w+(?:\s*,\s*\w+)* \s+ in \s .* )",
          "`for` repeats one element; put the choice into brackets", "{lead}[{what}] for {rest}"),
    # Sums of tensors
    habit(rf"\( \s* (?P<sum> {_WORD} \s* (?P<sign>[+@-]) \s* {_WORD} (?: \s* (?P=sign) \s* {_WORD} )* ) \s* \)",
          "tensors are joined by a merge", _joined),
    habit(rf"^ (?P<indent>\s*) (?P<x>[A-Za-z_]\w*) \s* (?P<sign>[+*-])= \s* (?P<y>{_WORD}) \s* $", "tensors are joined by a merge",
          lambda match: f"{match['indent']}{match['x']} = {_MERGES[match['sign']]}{{ {match['x']} | {match['y']} }}"),
    habit(r"(?<![\w)]) (?P<sum> [a-z_]\w* \s* (?P<sign>[+@-]) \s* [a-z_]\w* (?: \s* (?P=sign) \s* [a-z_]\w* )* ) (?! [\w(] )", "tensors are joined by a merge", _joined),
    habit(r"(?<![\w)]) (?P<sum> [a-z_]\w* \s* (?P<sign>[*×]) \s* [a-z_]\w* ) (?! [\w(] )", "tensors are joined by a merge", _joined, ids=frozenset({"bad-count", "unknown-name"})),
    habit(rf"(?P<sum> {_WORD} \s* (?P<sign>\+) \s* {_WORD} (?: \s* \+ \s* {_WORD} )* )", "elements in a row are joined with `→`, and branches by a merge",
          lambda match: Written(None, f"write `{' → '.join(p.strip() for p in match['sum'].split('+'))}`, or `add{{ {' | '.join(p.strip() for p in match['sum'].split('+'))} }}`")),
    habit(r"\b (?P<word>add|cat|mul|sub|max|mean|matmul|concat|Concat|Add|Concatenate|concatenate|Multiply) \s* (?: \( (?P<inside>[^{}]*) \) | \[ (?P<i2>[^{}]*) \] ) (?! \s* \{ )",
          "branches stand in braces, with `|` between them", _called, ids=READING | {"unknown-layer", "unknown-merge"}),
    habit(r"\b (?P<word>add|cat|mul|sub|max|mean|matmul) \s* \{ (?P<inside>[^{}|]*,[^{}]*) \}", "branches are parted by `|`", _branches, ids=MEANING),
    habit(r"\b (?P<word>add|cat|mul|sub|max|mean|matmul) \s* \[ (?P<inside>[^\[\]]*\|[^\[\]]*) \]", "branches stand in braces", "{word}{{{inside}}}", ids=MEANING),
    habit(r"\b (?P<word>add|cat|mul|sub|max|mean|matmul) \s* \( (?P<inside>[^()]*(?:\([^()]*\)[^()]*)*\|.*) \)", "branches stand in braces", "{word}{{{inside}}}", ids=MEANING),
    # Calls of other frameworks
    habit(rf"\b (?P<name>[A-Z]\w*) {_BRACKETS} (?: .* \b [A-Z]\w* {_BRACKETS} )?", "`{name}` belongs to another framework", _bare,
          ids=frozenset({"bad-character"})),
    habit(r"^ (?P<indent>\s*) self\.(?P<name>\w+) \s* = \s* (?P<call> .* ) $", "a layer's name is a label before it", _labelled, ids=MEANING),
    habit(r"^ (?P<indent>\s*) (?: \w+ \s* = \s* )? self\. .*", "a chain says what follows what, and names no object",
          None, "write the layers in a row: `Conv3x3(64) → BN → ReLU`", MEANING),
    habit(r"^ (?P<indent>\s*) (?:model|net|seq\w*|network|m) \. add \s* \( (?P<call>.*) \) \s* $", "layers are joined with `→`, not added to a model",
          lambda match: Written(None, f"write `→ {element(match['call']) or 'Conv3x3(64)'}`"), ids=MEANING),
    habit(rf"{_DOTTED} (?: .* {_LATER} )?", "`{path}{name}` belongs to another framework", _calls, ids=READING | {"unknown-name"}),
    habit(r"^ (?P<indent>\s*) (?P<name>(?!(?:use|block|model|let|param|share|output|input|default|assert|if|for|as|from)\b)[a-z]\w*) \s+ (?P<layer>[A-Z]\w* [^{}]*) $", "a label ends with `:`", "{indent}{name}: {layer}", ids=frozenset({"unknown-name"})),
    # Arrows
    habit(r"(?P<at> [-–—−=~]+> | –|—|−|>>+ | \|>+ | ==+> | → \s* → | ⇨ | » | > | \.\.> | -+ | ~ ) \s* (?= [A-Za-z_\[] )", "elements are joined with `→`, or `->`",
          lambda match: "→" if re.search(r"[\w)\]}]\s*$", match.string[: match.start("at")]) else None),
    habit(r"(?P<at> (?: (?<= [)\]}\w] ) \s* [,;.] | (?<= [)\]}] ) \s* : ) \s* (?= [A-Z] ) .* )", "elements are joined with `→`, or `->`", _listed),
)  # fmt: skip
