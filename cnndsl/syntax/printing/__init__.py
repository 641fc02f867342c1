"""How each kind of node is laid out; `cnndsl.syntax.printer` is the way in."""
