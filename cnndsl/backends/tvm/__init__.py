"""Graph → machine code by TVM's Relax: compiled in memory, or exported as a package that needs its runtime alone.

The rooms are the stages of a compilation, in order: `program` · `plan` · `kernels` · `emitters` · `lower.py` and
`code` · `package`; `build.py` is the way in; `tuning` and `examine` use all of them. Words that have one meaning in
all of them:

- step: one layer with the values of its weights. A *program* is steps in order; a *pass* makes a program of a program.
- idle: said of a step whose result in use is its input, such as dropout.
- job: one compilation of a program: for a target, with options, for a batch size, with what tuning chose.
- plain: a tensor in the layout of the language, or a layer computed by its own `to_relax`, which is right and slow.
- chunk: as many channels as a vector register has *lanes*. A map is *packed* as `(batch, chunks, *size, lanes)`.
- group: the steps that one kernel computes: an *anchor*, such as a convolution, and its *tail*, what is done to each
  element of the result on its way to memory; a *residual* is a tensor that the tail adds.
- route: for each channel of a result that is only moved channels, the tensor and channel where it comes from.
- tap: a position of an input, with a factor, that a position of a resampled result sums.
- join: a concatenation whose parts are computed where they lie in it; a *slot* is such a part's place in it.
- kernel: a frozen dataclass that describes one computation; `prim_func()` is its function with a schedule.
- emitter: a function that writes the calls of kernels for the groups of its kind into `main`, the network's function.
- pair: two bfloat16 numbers in an int32. Kernels in bf16 read maps as pairs.
- quad: four whole numbers, those of four neighbouring channels, in an int32. Kernels on whole numbers read maps as quads.
- candidate: one of several equal kernels. They differ in their *setting*, such as a tile; all else is their *key*.
- rule: what chooses the setting where nothing was tuned. *Choices* are settings that tuning chose, by key.
- problem (tuning): something with several *ways* to compute it: settings by their text, each with its candidate.
- tried (tuning): how many ways of a problem have been measured; a *trial* is one such measurement.
- subject (tuning): the network that is tuned, for one processor and batch size.
- place (tuning): what a measurement holds for: a processor, a number of threads and a version of TVM.
- ledger (tuning): what the store knows of one place. The *store* is the file that keeps measurements and verdicts.
- course (tuning): where the subject runs against itself with other choices; it is *raced* once it has, and a winner is
  kept only if the whole network became faster. Tuning has *begun* when a subject's problems are known.
"""
