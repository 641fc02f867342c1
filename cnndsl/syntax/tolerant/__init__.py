"""A tree for any text: what an editor asks for while a program is being typed.

tokens    the text as tokens, whatever stands in it
brackets  every bracket gets its partner, and it is known where statements begin
repair    tokens of no width where something is missing, so that the grammar takes all of it
parse     the repaired tokens as a tree

A *hole* is a name of no letters and no width: it stands where a name, an element or a value is missing. What is told of
a wrong text is told by `cnndsl.syntax.parser`; here nothing is told, and nothing is raised.
"""
