;;; cnn-words.el --- Words of .cnn programs, written by editors/make.py  -*- lexical-binding: t; -*-

(defconst cnn-statements
  '("assert" "block" "default" "input" "let" "model" "output" "param" "share" "use" "fn"))

(defconst cnn-keywords
  '("and" "as" "else" "for" "from" "if" "not" "or" "takes"))

(defconst cnn-constants
  '("true" "false" "none" "id" "in"))

(defconst cnn-layers
  '("AdaptiveAvgPool" "AdaptiveMaxPool" "ChannelShuffle" "PixelUnshuffle" "GlobalAvgPool" "GlobalMaxPool" "PixelShuffle" "HardSigmoid" "RelPosIndex" "ClassToken" "LayerScale" "LogSoftmax" "Attention" "Embedding" "HardSwish" "LeakyReLU" "Normalize" "BlurPool" "DropPath" "FrozenBN" "Identity" "PosEmbed" "Softplus" "ToTokens" "Upsample" "AvgPool" "Dropout" "Flatten" "MaxPool" "Permute" "RMSNorm" "Reorder" "Reshape" "SepConv" "Sigmoid" "SinePos" "Softmax" "StdConv" "DWConv" "L2Norm" "LPPool" "Linear" "RelPos" "Square" "Unfold" "Weight" "Const" "ConvT" "PReLU" "ReLU6" "Scale" "Slice" "Split" "ToMap" "Zeros" "CELU" "Clip" "Conv" "Crop" "Fold" "GELU" "Mean" "Mish" "ReLU" "RoPE" "Roll" "SELU" "SiLU" "Sqrt" "Tanh" "Abs" "Cos" "ELU" "Erf" "Exp" "GLU" "GRN" "LRN" "Log" "Pad" "Sin" "Sum" "BN" "FC" "GN" "IN" "LN"))

(defconst cnn-windowed
  '("BlurPool" "AvgPool" "MaxPool" "SepConv" "StdConv" "DWConv" "LPPool" "Unfold" "ConvT" "Conv" "Fold"))

(defconst cnn-merges
  '("add" "attend" "cat" "div" "matmul" "max" "mean" "min" "mul" "sub"))

(defconst cnn-functions
  '("abs" "ceil" "cos" "cumsum" "enumerate" "exp" "floor" "len" "linspace" "log" "max" "min" "parts" "pi" "range" "round" "round_to" "sin" "sqrt" "sum" "tan" "zip"))

(provide 'cnn-words)
;;; cnn-words.el ends here
