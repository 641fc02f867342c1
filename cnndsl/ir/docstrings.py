"""The texts under the fields of a class, read from its source: pydantic would read every class's source at each start."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


@cache
def docstrings(model: type[BaseModel], base: type[BaseModel]) -> dict[str, str]:
    """What stands under each field of `model`, in one line each, in the order of the fields; fields may come from classes
    between `model` and `base`."""
    found = {}
    for owner in reversed([one for one in model.__mro__ if issubclass(one, base) and one is not base]):
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in pairwise(body.body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                    found[name] = " ".join(words.split())
    return {name: found[name] for name in model.model_fields if name in found}
