"""How long a compiled network takes, without compiling it: its plan, times what a machine was measured to need.

features   what each call of a plan asks of a machine, as a row of numbers   (from `Demand`, and the bytes of its tensors)
fit        measured kernels → coefficients of each family, none below zero
machine    a machine's measurements: a file that can be carried to others
kernels    whether a machine was measured with the kernels that there are now
estimate   a network and a machine → seconds, of all and of each layer, and how sure they are
"""
