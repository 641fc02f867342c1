"""Words that are no layers: the figures of a network, arguments that many layers share, statements of the language."""

from __future__ import annotations

_NOTIONS: tuple[tuple[str, str], ...] = (
    ("MACs|mac|macs|multiply-adds|multadds", "Multiply-adds of convolutions and matrix products, for one example: a 3×3 convolution"
     " from 16 to 32 channels on a map of 10×10 makes 3·3·16·32·100 of them. Biases, norms and activations make none."
     " `cnndsl summary` gives them layer by layer; `assert macs < 300M` limits them."),
    ("FLOPs|flops|flop", "Two for each multiply-add, and one for each element of all other arithmetic, for one example. Papers often"
     " write FLOPs where they count multiply-adds: compare with MACs, too."),
    ("parameters|params|parameter count", "Trained numbers, each counted once, however many layers share it. Running means and"
     " variances are not among them: they are buffers."),
    ("buffers|buffer", "Numbers of the state that training observes and does not train: the running mean and variance of a batch norm,"
     " and its count of batches (`num_batches_tracked`), which is one number."),
    ("receptive field|rf|receptive-field|field of view", "What part of the input a position of a tensor sees: its `size` in pixels, the `stride` from one"
     " position to the next, the `padding` before the first. `427 /32` in the table is a size of 427 and a stride of 32; `~` where"
     " paths disagree; `all` where everything is seen. The network's is that of the last map on the way to its main output."
     " `cnndsl draw FILE --style rf --image cat.jpg -o rf.svg` shows it over a photograph."),
    ("stride|strides", "The step between windows: with 2, every other position, so that the map halves. The second argument of"
     " `Conv3x3(64, 2)`, the first of `MaxPool3x3(2)`; a pool's stride is its window when left out."),
    ("window|kernel|kernel size|kernel_size|filter", "What a layer slides over the map. It stands in the word: `Conv3x3(64)`, `Conv1x7(32)`,"
     " `MaxPool3x3(2, 1)`; one number is for every axis: `Conv3(8)`. A value is given by name: `Conv(64, window=k)`."),
    ("pad|padding|same|valid", "Rows and columns added around the input. `same`, the default of convolutions, is (k-1)//2·dilation on both sides;"
     " `valid` is none, PyTorch's and Keras' default; `same_tf` is TensorFlow's; `causal` puts all before. Or a number, one per axis,"
     " or (before, after) pairs. Pools pad by 0."),
    ("dilation|atrous", "The distance between a window's taps: with 2, a 3×3 window reaches over 5×5."),
    ("groups|cardinality", "Parts into which channels are divided: each output part sees one input part. As many as there are channels is"
     " `DWConv3x3`."),
    ("channels|channel|filters|feature maps", "The first size of an input, 3×224×224, and of every map. Input channels of a layer are"
     " inferred; `Conv3x3(64)` says the output's. `in.channels` and `id.channels` ask for them."),
    ("activations|activation memory", "Elements of all layers' outputs for one example. What is a mere view, such as `Flatten`, adds none."),
    ("peak memory|memory", "The most bytes alive at once: weights, buffers, and the tensors that are still to be read; in training also"
     " gradients and all activations. For one example in float32, or as `summary --batch 8 --precision bf16` says. An optimizer's state"
     " and scratch space come on top."),
    ("depth", "Layers with weights on the longest path, normalisations aside: what the name of a ResNet counts."),
    ("tokens|token", "A tensor of N×C: N positions with C channels each, the channels last. `ToTokens` makes them of a map, `ToMap` a map of"
     " them, and `input tokens 50×768` takes them."),
    ("vector", "A tensor of channels alone, as `FC` and `Flatten` give it."),
    ("batch|batch size", "How many examples go through at once. It is no part of a program: an input has no batch axis."),
    ("eps|epsilon", "A small number added to a variance before its root is taken: 1e-5, not a number of channels."),
    ("weights|state dict|state_dict|checkpoint", "A program has none. A file of them, `.safetensors` or `.pth`, is given with `--weights`; its keys are"
     " the layers' labels. `cnndsl weights check FILE WEIGHTS` compares them."),
    ("label|labels|names", "A layer's name, before it: `conv1: Conv3x3(64)`. It is the key of its weights; without one a layer is known by its position."),
    ("tap|as|skip connection|shortcut|residual", "A name for a tensor: `Conv3x3(64) as e1` in a chain, or `e1 = …`. A later branch begins with it: `cat{ e1 | id }`."
     " A residual unit is `add{ Conv3x3(64) → BN | id } → ReLU`."),
    ("id", "What arrives, unchanged: the other branch of a residual, `add{ … | id }`."),
    ("in", "The tensor that entered the block or the network; `in.channels`, `in.height` are its sizes."),
    ("input", "`input 3×224×224`, or with a name `input left: 3×64×64`: what comes in, channels first and without the batch."),
    ("output", "`output p3, p4`: what leaves; without one it is the chain's end. `output aux if training` leaves in training only."),
    ("param|-P", "`param classes: int = 10`: a value that may be set from outside, `-P classes=100`. Types are int, float, bool, text, list, block."),
    ("let", "`let width = 32`: a name for a value. A name for a tensor is `x = …` without it."),
    ("block", "`block Unit(c) { Conv3x3(c) → BN → ReLU }`: a chain to be used again, with its own scope of names."),
    ("model", "`model small { … }`: a network in a file of several. A file without one is itself the network."),
    ("share", "`share tower = [ … ]`: layers whose weights several places use."),
    ("default", "`default Conv(bias=false)`: arguments for all layers of a word, from here on."),
    ("use", "`use Basic from resnet`, or `from \"file.cnn\"`: blocks of another file."),
    ("assert|budget", "`assert params < 5M and macs < 300M`: what must hold of the network. Also flops, activations, depth, rf and `output.channels`."),
    ("repeat|×|for|loop", "`[ … ]×3` repeats; `[ … ] for c in [16, 32]` brings another value each round. Both are for the one element before them:"
     " brackets make one of several."),
    ("if|condition", "`ReLU if deep`, `A if deep else B`: a choice made when the network is built, about the one element before it."),
)  # fmt: skip


def notion(word: str) -> str | None:
    """What a word means that is no layer, as Markdown; None for one that is not known."""
    folded = word.lower()
    for names, text in _NOTIONS:
        known = names.split("|")
        if folded in map(str.lower, known):
            return f"# {known[0]}\n\n{text}\n"
    return None


def notions() -> list[str]:
    """Every word of which `notion` knows something."""
    return [name for names, _ in _NOTIONS for name in names.split("|")]
