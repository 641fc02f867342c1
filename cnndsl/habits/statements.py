"""Habits of statements: `def`, `import`, `return`, values without `let`, parameters without a type, bodies behind a colon."""

from __future__ import annotations

import re

from cnndsl.habits.habit import MEANING, READING, Habit, Written, habit, parts

_NOT_OURS = "def class with while try lambda print pass yield async global assert_ del raise except finally elif"


def _value(text: str) -> str:
    """A value of Python or of another language as ours."""
    text = text.strip().rstrip(";").strip()
    for theirs, ours in (("True", "true"), ("False", "false"), ("None", "none"), ("null", "none")):
        text = re.sub(rf"\b{theirs}\b", ours, text)
    return re.sub(r"'([^'\"]*)'", r'"\1"', text)


def type_of(value: str) -> str:
    """The type that a parameter with this default has."""
    value = _value(value)
    if value in ("true", "false"):
        return "bool"
    if value.startswith('"'):
        return "text"
    if value.startswith("["):
        return "list"
    if re.match(r"[A-Z]", value):
        return "block"
    return "float" if re.fullmatch(r"-?\d*\.\d*(e-?\d+)?|-?\d+e-\d+", value) else "int"


TYPES = {
    "str": "text", "string": "text", "String": "text", "char": "text", "boolean": "bool", "Bool": "bool", "integer": "int",
    "Int": "int", "number": "float", "double": "float", "real": "float", "float32": "float", "long": "int", "array": "list",
    "tuple": "list", "List": "list", "Tuple": "list", "layer": "block", "module": "block", "Module": "block",
    "int": "int", "float": "float", "bool": "bool", "text": "text", "list": "list", "block": "block", "uint": "int",
    "size": "int", "Layer": "block", "Callable": "block",
}  # fmt: skip
"""What the types of parameters are called elsewhere."""
_ANY_TYPE = "|".join(TYPES)


def _param(match: re.Match[str]) -> str:
    value = (match["value"] or "").strip()
    known = match["type"] and TYPES.get(match["type"])
    kind = known or (type_of(value) if value else "int")
    return f"{match['indent']}param {match['name']}: {kind}" + (f" = {_value(value)}" if value else "")


def _let(match: re.Match[str]) -> str:
    return f"{match['indent']}let {match['name']} = {_value(match['value'])}"


def _braces(match: re.Match[str]) -> Written | str:
    """`block A(c): …`, `def A(c): …` with the body on the line in braces."""
    word = match["word"]
    word = {
        "def": "block",
        "class": "model",
        "fn": "block",
        "func": "block",
        "function": "block",
        "module": "block",
    }.get(word, word)
    head = f"{match['indent']}{word} {match['name']}{match['parameters'] or ''}"
    body = (match["body"] or "").strip()
    if not body or re.match(r"return\b", body):
        return Written(None, f"put its statements into braces: `{head.strip()} {{ … }}`")
    return f"{head} {{ {body} }}"


def _for(match: re.Match[str]) -> Written | str:
    counted = re.fullmatch(r"range\s*\(\s*([^,()]+)\s*\)", match["over"].strip())
    times = f"×{counted[1]}" if counted else f" for {match['names']} in {match['over'].strip()}"
    body = (match["body"] or "").strip().strip("{}").strip()
    if not body:
        return Written(None, f"put what repeats into brackets: `[ … ]{times}`")
    if counted and re.search(rf"\b{match['names']}\b", body):
        times = f" for {match['names']} in {match['over'].strip()}"
    return f"{match['indent']}[{body}]{times}"


def _import(match: re.Match[str]) -> str | None:
    names = ", ".join(parts(match["names"]))
    return (
        f"{match['indent']}use {names} from {match['file']}" if re.fullmatch(r"\w+|\"[^\"]*\"", match["file"]) else None
    )


def _outputs(match: re.Match[str]) -> str:
    return f"{match['indent']}output {', '.join(parts(match['what'].strip('()[] ')))}"


STATEMENTS: tuple[Habit, ...] = (
    # Python, and others
    habit(
        r"^ (?P<indent>\s*) from \s+ (?P<file>(?!(?:torch|tensorflow|keras|numpy|typing)\b)\w+|\"[^\"]*\") \s+ (?:import|use) \s+ (?P<names>\w+(?:\s*,\s*\w+)*) \s* $",
        "blocks of another file come with `use`",
        _import,
        ids=MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) import \s+ (?P<names>\w+(?:\s*,\s*\w+)*) \s+ from \s+ (?P<file>\w+|\"[^\"]*\") \s* $",
        "blocks of another file come with `use`",
        _import,
        ids=MEANING,
    ),
    habit(
        r"^ \s* (?: from \s+ (?:torch|tensorflow|keras|tf|typing|numpy|\w+\.\w[\w.]*) \S* \s+ import | import \s ) .*",
        "nothing is imported: every layer is known",
        Written("", "delete the line; blocks of another file come with `use Name from file`"),
        ids=MEANING,
    ),
    habit(
        r"^ \s* \#? include \b .*",
        "blocks of another file come with `use`",
        None,
        'name what you want of it: `use Block from "file.cnn"`',
        MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) use \s+ (?P<file>\w+) \. (?P<names>\w+) \s* $",
        "the file stands behind `from`",
        "{indent}use {names} from {file}",
        ids=MEANING,
    ),
    habit(
        r"^ \s* use \s+ \* .*",
        "what is used is named, one by one",
        None,
        "write `use Basic, Bottleneck from resnet`",
    ),
    habit(
        r"^ (?P<indent>\s*) (?:return|yield|outputs|out) \b \s* [:=]? \s* (?P<what>[(\[]? \s* \w+(?:\s*,\s*\w+)* \s* [)\]]?) \s* ;? \s* $",
        "what leaves a network or a block is named by `output`; without one it is the end of the chain",
        _outputs,
        ids=MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) output \s* (?:[:=] \s* | (?=[(\[])) (?P<what>[(\[]? \s* \w+(?:\s*,\s*\w+)* \s* [)\]]?) \s* $",
        "`output` is followed by the names of tensors",
        _outputs,
        ids=MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) output \s* [:=]? \s* (?P<chain> [A-Z]\w* .* | \[ .* | \w+ \s* (?:→|->) .* ) $",
        "`output` is followed by the names of tensors; a chain's end needs no word",
        "{indent}{chain}",
        ids=MEANING,
    ),
    habit(
        r"^ \s* default \s+ (?P<what>[a-z_]\w* \s* = .*) $",
        "a default is for one layer, and stands in its brackets",
        None,
        "write `default Conv({what})`, with the layer that it is for",
    ),
    habit(
        r"\s* (?P<at> (?:→|->) \s* outputs? ) \s* $",
        "a chain's end is the output, and need not be said",
        Written("", "delete it"),
        ids=MEANING,
    ),
    habit(
        r"^ \s* (?:loss|criterion|optimizer|optim|train|epochs?|lr|learning_rate|batch_size|metrics?|dataset|compile|fit) \b .*",
        "a program says what the network is, not how it is trained",
        None,
        "say it where you train: `cnndsl train FILE --epochs 30 --lr 0.1`, or in your own loop",
        MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) (?P<word>def|class|fn|func|function|module|block|model) \s+ (?P<name>\w+) \s* (?P<parameters>\([^()]*\))? \s*"
        r" (?:->\s*[\w.]+\s*)? (?:: | (?<!=)=(?!=) | (?:→|->|=>)) \s* (?P<body>.*) $",
        "a body stands in braces",
        _braces,
        ids=READING | {"unknown-name", "missing-input", "nothing-arrives", "second-chain"},
    ),
    habit(
        r"^ (?P<indent>\s*) (?P<word>def|class|fn|func|function|module|layer|net|network) \s+ (?P<name>[A-Z]\w*) \s* (?P<parameters>\([^()]*\))? \s* \{ (?P<body>.*) \} \s* $",
        "what is used several times is a `block`, and what is built a `model`",
        _braces,
        ids=MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) (?:def|class|fn|func|function|module|layer|net|network) \s+ (?P<name>[A-Za-z_]\w*) .*",
        "what is used several times is a `block`, and what is built a `model`",
        None,
        "write `block Name(c) { … }`",
        MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) for \s* \(? \s* (?P<names>\w+(?:\s*,\s*\w+)*) \s+ (?:in|=) \s* (?P<over> range\s*\([^()]*\) | \[[^\]]*\] | \d+\s*\.\.\s*\w+ | \w+(?:\([^()]*\))? ) \s* \)? \s* [:{]? (?P<body>.*) $",
        "what repeats stands in brackets, and the repetition behind them",
        _for,
        ids=MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) (?:repeat|times|loop|while) \b .*",
        "what repeats stands in brackets, and the repetition behind them",
        None,
        "put what repeats into brackets: `[ … ]×3`, or `[ … ] for c in [16, 32]`",
        MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) if \s+ (?P<what>[^:{}]+?) \s* (?: : \s* (?P<body>[A-Z\[].*?) | \{ \s* (?P<braced>[A-Z\[][^{}]*?) \} ) \s* $",
        "`if` stands behind what it decides about",
        lambda match: f"{match['indent']}[{match['body'] or match['braced'].strip()}] if {match['what']}",
    ),
    habit(
        r"^ \s* (?:if|elif) \b .* [:{] .*",
        "`if` stands behind what it decides about",
        None,
        "write `[ … ] if deep`, or `[ … ] if deep else id`",
    ),
    habit(r"^ \s* else \s* [:{] .*", "`else` belongs to an `if`", None, "write `A if deep else B`"),
    habit(
        rf"^ \s* (?:{_NOT_OURS.replace(' ', '|')}) \b .*",
        "a program says what the network is: nothing in it runs",
        None,
        "write the network as a chain: `Conv3x3(64) → BN → ReLU`",
        MEANING,
    ),
    # Parameters and values
    habit(
        rf"^ (?P<indent>\s*) (?:param|parameter|arg) \s+ (?P<type>{_ANY_TYPE})? \s+ (?P<name>[A-Za-z_]\w*) \s* (?: := | = )? \s* (?P<value>.*) $",
        "a parameter has a type behind its name: int, float, bool, text, list or block",
        _param,
        ids=MEANING,
    ),
    habit(
        rf"^ (?P<indent>\s*) (?:param|parameter|arg) \s+ (?P<name>[A-Za-z_]\w*) \s* (?: : \s* (?P<type>{_ANY_TYPE})? )? \s* (?: := | = )? \s* (?P<value>.*?) \s* $",
        "a parameter has a type behind its name: int, float, bool, text, list or block",
        _param,
        ids=MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) let \s+ (?P<name>[A-Za-z_]\w*) \s* (?: : \s* \w+ )? \s* :?=? \s* (?P<value>-?[\d\[\"][^→{}']*) $",
        "a value is set by `let name = value`",
        _let,
    ),
    habit(
        r"^ (?P<indent>\s*) let \s+ (?P<name>[A-Za-z_]\w*) \s* = \s* (?P<value> \[? .* (?:→|->) .* | [a-z]+ \s* \{ .* \} ) $",
        "`let` sets values, and a chain is none",
        lambda match: Written(
            f"{match['indent']}block {match['name']} {{ {_chain(match['value'])} }}"
            if match["name"][:1].isupper()
            else f"{match['indent']}{match['name']} = {match['value'].strip()}",
            "",
        ),
    ),
    habit(
        r"^ (?P<indent>\s*) (?:const|var|set|static|final|val|\#define|let\s+mut) \s+ (?P<name>[A-Za-z_]\w*) \s* :?=? \s* (?P<value>[^→]+) $",
        "a value is set by `let name = value`",
        _let,
        ids=MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) (?P<name>(?!(?:let|param|input|output|share|default|assert|use)\b)[a-zA-Z_]\w*) \s* :?= \s* (?P<value> -?\.?\d[^→{}]* | \[ \s* (?:[-\d\"'(].*)? \] | \"[^\"]*\" | '[^']*' | true | false | True | False | None | \(\s*\d[^→]*\) ) \s* ;? \s* $",
        "a value is set with `let`; a name and `=` alone name a tensor",
        _let,
        ids=MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) assert \s+ (?P<what>.+?) \s* (?P<at> , \s* f?(?:\"[^\"]*\"|'[^']*') ) \s* $",
        "an `assert` has no text of its own: it shows what it found",
        Written("", "delete the text; a comment may follow: `# …`"),
        ids=MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) assert \s* \( (?P<what>.+?) \s* , \s* (?:\"[^\"]*\"|'[^']*') \) \s* $",
        "an `assert` has no text of its own: it shows what it found",
        "{indent}assert {what}",
        ids=MEANING,
    ),
    habit(
        r"^ (?P<indent>\s*) default \s+ (?P<word>[A-Z]\w*) \s* [:.]? \s* (?P<arguments>\w+ \s* = \s* [^()→]+?) \s* $",
        "a default is written as the layer with its arguments",
        lambda match: f"{match['indent']}default {match['word']}({match['arguments'].strip()})",
        ids=MEANING,
    ),
)


def _chain(text: str) -> str:
    """A chain without the brackets around all of it."""
    text = text.strip()
    return text[1:-1].strip() if text.startswith("[") and text.endswith("]") and "]" not in text[1:-1] else text
