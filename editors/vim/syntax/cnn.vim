" Vim syntax of .cnn programs, written by editors/make.py.
if exists("b:current_syntax")
  finish
endif

syntax case match
syntax match cnnName "\<\h\w*\>"
syntax match cnnType "\<\u\w*\>"
syntax match cnnNumber "\<\d[0-9_]*\%(\.\d[0-9_]*\)\?\%([eE][+-]\?\d\+\)\?\%([KMG]\|ms\)\?\>"
syntax match cnnNumber "\<\d\+\%(x\d\+\)\+\>"
syntax match cnnOperator "→\|->\|[×≠≤≥|+*/%<>=-]"
syntax match cnnLayer "\<\%(AdaptiveAvgPool\|AdaptiveMaxPool\|ChannelShuffle\|PixelUnshuffle\|GlobalAvgPool\|GlobalMaxPool\|PixelShuffle\|HardSigmoid\|RelPosIndex\|ClassToken\|LayerScale\|LogSoftmax\|Attention\|Embedding\|HardSwish\|LeakyReLU\|Normalize\|BlurPool\|DropPath\|FrozenBN\|Identity\|PosEmbed\|Softplus\|ToTokens\|Upsample\|AvgPool\|Dropout\|Flatten\|MaxPool\|Permute\|RMSNorm\|Reorder\|Reshape\|SepConv\|Sigmoid\|SinePos\|Softmax\|StdConv\|DWConv\|L2Norm\|LPPool\|Linear\|RelPos\|Square\|Unfold\|Weight\|Const\|ConvT\|PReLU\|ReLU6\|Scale\|Slice\|Split\|ToMap\|Zeros\|CELU\|Clip\|Conv\|Crop\|Fold\|GELU\|Mean\|Mish\|ReLU\|RoPE\|Roll\|SELU\|SiLU\|Sqrt\|Tanh\|Abs\|Cos\|ELU\|Erf\|Exp\|GLU\|GRN\|LRN\|Log\|Pad\|Sin\|Sum\|BN\|FC\|GN\|IN\|LN\)\>"
syntax match cnnLayer "\<\%(BlurPool\|AvgPool\|MaxPool\|SepConv\|StdConv\|DWConv\|LPPool\|Unfold\|ConvT\|Conv\|Fold\)\d\+\%(x\d\+\)*\>"
syntax match cnnMerge "\<\%(add\|attend\|cat\|div\|matmul\|max\|mean\|min\|mul\|sub\)\>\ze\s*\%(([^()]*)\s*\)\?{"
syntax match cnnFunction "\<\%(abs\|ceil\|cos\|cumsum\|enumerate\|exp\|floor\|len\|linspace\|log\|max\|min\|parts\|pi\|range\|round\|round_to\|sin\|sqrt\|sum\|tan\|zip\)\>\ze("
syntax match cnnLabel "\%(\w\|{[^{}]*}\)\%([0-9A-Za-z_.-]\|{[^{}]*}\)*\ze[ \t]*:"
syntax keyword cnnStatement assert block default input let model output param share use fn
syntax keyword cnnKeyword and as else for from if not or takes
syntax keyword cnnConstant true false none id in
syntax region cnnString start=+"+ skip=+\\.+ end=+"+ oneline
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
