"""Tree → graph. The rooms are the steps of `cnndsl/pipeline.py`; on top of them:

    build         one model of a file as a graph: the steps in order
    choose_model  which model of the file that is
    count         how many layers a text makes at the least, before anything is walked
    check_asserts what the program's `assert`s demand, against the figures of its graph
    text_lints    warnings that the text alone earns
    rebindings    one of them: names that are set again
    read_program  where a program comes from: a file, standard input, the built-in architectures
    read_graph    the other way in: a graph from the JSON that `compile --to ir` wrote

Words that these files use:

    unit       a file that was read: its tree, its names, its models
    definition a block or model as written; a block *value* is one with the arguments given so far
    given      an argument that has been worked out, with its name if it was written
    body       the statements of a file, model or block while they are walked, or one round or labelled part of them
    scope      the names of a body, and the scope around it
    place      where a value is worked out: the scope, the tensor that arrives there, the one that entered the body
    wire       a tensor of the network in the making: its type and where it comes from
    entrance   an input of the network in the making; a *draft* is a node, a *frame draft* a group of nodes
    flow       what travels along a chain: one wire, several, or `LOST`
    lost       what an error upstream has taken away: everything downstream of it keeps quiet, so one mistake is told once
    findings   the diagnostics so far, each once however many rounds and calls meet it
    walked     where a chain led, and whether anything stood on the way
"""
