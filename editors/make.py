"""Writes the word lists of the editors from the grammar and the registry of layers: `python -m editors.make`, as `make docs` does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnndsl.passes.values.parameters import TYPES
from cnndsl.pygments_lexer import BRANCHES, LABEL, WINDOW, functions, layers, merges, windowed
from cnndsl.syntax.vocabulary import RESERVED, STATEMENTS

HERE = Path(__file__).parent
_CONSTANTS = ("true", "false", "none", "id", "in")
_DECLARATIONS = (*sorted(STATEMENTS), "fn")
_OTHERS = tuple(sorted(RESERVED - STATEMENTS - {*_CONSTANTS}))
_OPERATOR = r"→|->|×|≠|≤|≥|==|!=|<=|>=|\*\*|//|\.\.|[|+\-*/%<>=]"


def text_mate() -> str:
    """The grammar that VS Code and GitHub read."""
    patterns = [
        _match("comment.line.number-sign.cnn", r"#.*$"),
        {
            "name": "string.quoted.double.cnn",
            "begin": '"',
            "end": r'"|$',
            "patterns": [_match("constant.character.escape.cnn", r'\\["\\]')],
        },
        _captures(r"\b(block|model)\s+([A-Za-z_]\w*)", "keyword.declaration.cnn", "entity.name.type.cnn"),
        _captures(r"\b(fn)\s+([A-Za-z_]\w*)", "keyword.declaration.cnn", "entity.name.function.cnn"),
        _captures(
            rf"\b(param)\s+([A-Za-z_]\w*)\s*:\s*({'|'.join(TYPES)})\b",
            "keyword.declaration.cnn",
            "variable.parameter.cnn",
            "storage.type.cnn",
        ),
        _captures(r"\b(input)\s+([A-Za-z_]\w*)\s*(?=:)", "keyword.declaration.cnn", "variable.parameter.cnn"),
        _match("entity.name.tag.label.cnn", rf"{LABEL}(?=[ \t]*:)"),
        _match("keyword.declaration.cnn", _words(_DECLARATIONS)),
        _match("constant.language.cnn", _words(_CONSTANTS)),
        _match("keyword.control.cnn", _words(_OTHERS)),
        _match("support.function.layer.cnn", rf"\b(?:{'|'.join(windowed())}){WINDOW}\b"),
        _match("support.function.layer.cnn", _words(layers())),
        _match("support.function.merge.cnn", rf"\b(?:{'|'.join(merges())}){BRANCHES}"),
        _match("support.function.cnn", rf"\b(?:{'|'.join(functions())})\b(?=\()"),
        _match("constant.numeric.cnn", r"\b[0-9]+(?:x[0-9]+)+\b"),
        _match("constant.numeric.cnn", r"\b[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+\-]?[0-9]+)?(?:[KMG]|ms)?\b"),
        _match("variable.parameter.cnn", r"\b[A-Za-z_]\w*(?=\s*=[^=])"),
        _match("entity.name.type.cnn", r"\b[A-Z]\w*"),
        _match("keyword.operator.cnn", _OPERATOR),
    ]
    grammar = {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "cnn",
        "scopeName": "source.cnn",
        "fileTypes": ["cnn"],
        "patterns": patterns,
    }
    return json.dumps(grammar, ensure_ascii=False, indent=2) + "\n"


def _match(name: str, pattern: str) -> dict[str, Any]:
    return {"name": name, "match": pattern}


def _captures(pattern: str, *names: str) -> dict[str, Any]:
    return {"match": pattern, "captures": {str(number): {"name": name} for number, name in enumerate(names, 1)}}


def _words(words: tuple[str, ...] | list[str]) -> str:
    return rf"\b(?:{'|'.join(words)})\b"


def vim() -> str:
    """The syntax file of Vim and Neovim."""
    either = r"\|"
    return f"""\
" Vim syntax of .cnn programs, written by editors/make.py.
if exists("b:current_syntax")
  finish
endif

syntax case match
syntax match cnnName "\\<\\h\\w*\\>"
syntax match cnnType "\\<\\u\\w*\\>"
syntax match cnnNumber "\\<\\d[0-9_]*\\%(\\.\\d[0-9_]*\\)\\?\\%([eE][+-]\\?\\d\\+\\)\\?\\%([KMG]\\|ms\\)\\?\\>"
syntax match cnnNumber "\\<\\d\\+\\%(x\\d\\+\\)\\+\\>"
syntax match cnnOperator "→\\|->\\|[×≠≤≥|+*/%<>=-]"
syntax match cnnLayer "\\<\\%({either.join(layers())}\\)\\>"
syntax match cnnLayer "\\<\\%({either.join(windowed())}\\)\\d\\+\\%(x\\d\\+\\)*\\>"
syntax match cnnMerge "\\<\\%({either.join(merges())}\\)\\>\\ze\\s*\\%(([^()]*)\\s*\\)\\?{{"
syntax match cnnFunction "\\<\\%({either.join(functions())}\\)\\>\\ze("
syntax match cnnLabel "\\%(\\w\\|{{[^{{}}]*}}\\)\\%([0-9A-Za-z_.-]\\|{{[^{{}}]*}}\\)*\\ze[ \\t]*:"
syntax keyword cnnStatement {" ".join(_DECLARATIONS)}
syntax keyword cnnKeyword {" ".join(_OTHERS)}
syntax keyword cnnConstant {" ".join(_CONSTANTS)}
syntax region cnnString start=+"+ skip=+\\\\.+ end=+"+ oneline
syntax match cnnComment "#.*$" contains=@Spell

highlight default link cnnComment Comment
highlight default link cnnString String
highlight default link cnnNumber Number
highlight default link cnnStatement Statement
highlight default link cnnKeyword Keyword
highlight default link cnnConstant Constant
highlight default link cnnLabel Label
highlight default link cnnLayer Function
highlight default link cnnMerge Special
highlight default link cnnFunction Function
highlight default link cnnType Type
highlight default link cnnOperator Operator

let b:current_syntax = "cnn"
"""


def emacs() -> str:
    """The words of the Emacs mode."""
    lists = {
        "statements": _DECLARATIONS,
        "keywords": _OTHERS,
        "constants": _CONSTANTS,
        "layers": layers(),
        "windowed": windowed(),
        "merges": merges(),
        "functions": functions(),
    }
    parts = [
        f"(defconst cnn-{name}\n  '({' '.join(f'{json.dumps(word)}' for word in words)}))"
        for name, words in lists.items()
    ]
    return "\n\n".join(
        [
            ";;; cnn-words.el --- Words of .cnn programs, written by editors/make.py  -*- lexical-binding: t; -*-",
            *parts,
            "(provide 'cnn-words)\n;;; cnn-words.el ends here\n",
        ]
    )


WRITTEN = {
    "vscode/syntaxes/cnn.tmLanguage.json": text_mate,
    "vim/syntax/cnn.vim": vim,
    "emacs/cnn-words.el": emacs,
}
"""The generated files, and what writes each of them."""


if __name__ == "__main__":
    for name, write in WRITTEN.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write(), encoding="utf-8")
