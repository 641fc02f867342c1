"""Names that other frameworks have for layers, and what to write for them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple


class Word(NamedTuple):
    """What is written for a foreign name: `write` is an element, or "" for what the language does not have."""

    write: str
    why: str


_INFERRED = "channels are inferred"
_WINDOW = "the window stands in the word, and input channels are inferred"
_RECURRENT = "there are no recurrent layers"
_LOSS = "a network has no loss: `cnndsl train` minimises cross-entropy, and your own loop any other"
_ROW = "elements in a row are joined with `→`, and brackets make one of them"

_TABLE: tuple[tuple[str, str, str], ...] = (
    # Convolutions
    (
        "Conv1d Conv1D LazyConv1d conv1d Convolution1D",
        "Conv3(64)",
        _WINDOW,
    ),
    (
        "Conv2d Conv2D LazyConv2d conv2d Convolution2D Convolution convolution Convolutional convolutional"
        " Conv2dSame Conv2dNormActivation ConvLayer conv2D",
        "Conv3x3(64)",
        _WINDOW,
    ),
    ("Conv3d Conv3D LazyConv3d conv3d Convolution3D", "Conv3x3x3(64)", _WINDOW),
    (
        "ConvTranspose ConvTranspose1d ConvTranspose2d ConvTranspose3d Conv1DTranspose Conv2DTranspose Conv3DTranspose"
        " conv_transpose2d Deconvolution Deconv Deconv2D Deconv2d deconvolutional UpConv TransposedConv TransposeConv"
        " Convolution2DTranspose conv2d_transpose",
        "ConvT2x2(64, stride=2)",
        "a transposed convolution",
    ),
    (
        "DepthwiseConv DepthwiseConv1D DepthwiseConv2D DepthwiseConv2d DepthwiseConv3x3 DepthWiseConv depthwise_conv2d"
        " DWConv2d Depthwise DepthwiseConvolution",
        "DWConv3x3",
        "a convolution of each channel by itself",
    ),
    (
        "SeparableConv SeparableConv1D SeparableConv2D SeparableConv2d DepthwiseSeparableConv separable_conv2d",
        "SepConv3x3(64)",
        "a depthwise convolution and a 1×1 one",
    ),
    ("PointwiseConv Pointwise PointwiseConv2d", "Conv1x1(64)", "a window of 1×1"),
    ("DilatedConv AtrousConv AtrousConv2D", "Conv3x3(64, dilation=2)", "an argument of `Conv`"),
    ("GroupConv GroupedConv GroupedConv2d", "Conv3x3(64, groups=2)", "an argument of `Conv`"),
    ("WSConv2d ScaledStdConv2d StdConv2d WeightStandardizedConv", "StdConv3x3(64)", _WINDOW),
    ("DeformConv DeformConv2d DeformableConv", "", "there is no deformable convolution"),
    ("LocallyConnected1D LocallyConnected2D", "", "there is no layer whose weights differ from place to place"),
    # Dense
    (
        "Dense dense FullyConnected fully_connected FCLayer InnerProduct Gemm LazyLinear connected full_connection",
        "FC(10)",
        "the numbers that come in are inferred",
    ),
    ("Bilinear MLP", "", "write its parts: `FC(256) → ReLU → FC(10)`"),
    # Pooling
    ("MaxPool1d MaxPool2d MaxPool3d MaxPooling MaxPooling1D MaxPooling2D MaxPooling3D max_pool2d max_pool maxpool2d"
     " MaxPool2D MaxPool1D MaxPool3D maxpooling", "MaxPool", "a window of 2, unless the word says another: `MaxPool3x3(2, 1)`"),
    ("AvgPool1d AvgPool2d AvgPool3d AveragePool AveragePooling AveragePooling1D AveragePooling2D AveragePooling3D"
     " avg_pool2d MeanPool AvgPool2D avgpool2d", "AvgPool", "a window of 2, unless the word says another: `AvgPool3x3(2, 1)`"),
    ("GlobalAveragePool GlobalAveragePooling GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GAP"
     " GlobalPool GlobalAvgPool2d GlobalMeanPool global_avg_pool", "GlobalAvgPool", ""),
    ("GlobalMaxPooling GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GMP GlobalMaxPool2d", "GlobalMaxPool", ""),
    ("AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveAveragePool AdaptiveAveragePooling2D"
     " adaptive_avg_pool2d", "AdaptiveAvgPool(1)", ""),
    ("AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d", "AdaptiveMaxPool(1)", ""),
    ("LPPool1d LPPool2d LpPool", "LPPool2x2(2)", ""),
    ("FractionalMaxPool2d MaxUnpool2d MaxUnpool RoIAlign ROIAlign RoIPool RoiAlign", "", "there is no such pooling"),
    # Normalisation
    ("BatchNorm BatchNorm1d BatchNorm2d BatchNorm3d BatchNormalization SyncBatchNorm LazyBatchNorm2d BatchNorm2D"
     " batch_norm batchnorm batchnorm2d BNorm BatchNormLayer FusedBatchNorm InplaceABN", "BN", _INFERRED),
    ("FrozenBatchNorm FrozenBatchNorm2d", "FrozenBN", _INFERRED),
    ("GroupNorm GroupNormalization group_norm GNorm", "GN(8)", f"the groups, and {_INFERRED}"),
    ("LayerNorm LayerNormalization layer_norm LayerNorm2d LNorm", "LN", _INFERRED),
    ("InstanceNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d InstanceNormalization instance_norm", "IN", _INFERRED),
    ("LocalResponseNorm LocalResponseNormalization local_response_norm lrn CrossMapLRN2d", "LRN(5)", ""),
    ("RMSNormalization RmsNorm", "RMSNorm", ""),
    ("L2Normalize UnitNormalization F_normalize", "L2Norm(affine=false)", ""),
    ("GlobalResponseNorm", "GRN", ""),
    ("Rescaling Normalization", "Normalize(0.5, 0.5)", "the mean and the deviation of the numbers that come in"),
    ("WeightNorm SpectralNorm weight_norm spectral_norm", "", "there is no such reparametrisation of weights"),
    # Activations
    ("Relu ReLu relu RELU ReLULayer Rectifier", "ReLU", ""),
    ("relu6 Relu6 ReLu6", "ReLU6", ""),
    ("LeakyRelu leaky_relu Leaky leaky LReLU LRelu leakyrelu", "LeakyReLU(0.1)", ""),
    ("PRelu ParametricReLU prelu", "PReLU", ""),
    ("Swish swish SiLu silu Silu SWISH", "SiLU", "x · sigmoid(x)"),
    ("Hardswish HSwish hswish hard_swish H_Swish HardSwich h_swish", "HardSwish", ""),
    ("Hardsigmoid HSigmoid hard_sigmoid h_sigmoid", "HardSigmoid", ""),
    ("Gelu gelu GeLU", "GELU", ""),
    ("Elu elu", "ELU", ""),
    ("Selu selu", "SELU", ""),
    ("Celu celu", "CELU", ""),
    ("sigmoid logistic Logistic SigmoidLayer", "Sigmoid", ""),
    ("tanh TanH HyperbolicTangent", "Tanh", ""),
    ("softmax SoftMax Softmax2d", "Softmax", ""),
    ("log_softmax LogSoftMax", "LogSoftmax", ""),
    ("softplus SoftPlus", "Softplus", ""),
    ("mish", "Mish", ""),
    ("glu", "GLU", ""),
    ("Hardtanh HardTanh Hardshrink Softshrink Tanhshrink Softsign Threshold RReLU LogSigmoid Softmin Maxout", "",
     "there is no such activation"),
    # Dropout
    ("dropout", "Dropout(0.5)", ""),
    ("Dropout1d Dropout2d Dropout3d SpatialDropout1D SpatialDropout2D SpatialDropout3D FeatureAlphaDropout",
     "Dropout(0.5, channel=true)", "whole channels"),
    ("StochasticDepth DropConnect DropPathLayer", "DropPath(0.1)", ""),
    ("AlphaDropout GaussianDropout GaussianNoise DropBlock DropBlock2d", "", "there is no such noise; `Dropout(0.5)` is the one"),
    # Shapes
    ("View view reshape Unflatten", "Reshape(8, 4, 4)", "sizes without the batch"),
    ("flatten Flatten2d Squeeze squeeze", "Flatten", ""),
    ("Unsqueeze unsqueeze ExpandDims expand_dims", "Reshape(1, 8, 8)", "sizes without the batch"),
    ("Transpose transpose permute Rearrange rearrange", "Permute(1, 2, 0)", "axes without the batch"),
    ("ZeroPad2d ZeroPadding1D ZeroPadding2D ZeroPadding3D ConstantPad1d ConstantPad2d ConstantPad3d Padding ZeroPad Pad2d",
     "Pad(1)", ""),
    ("ReflectionPad1d ReflectionPad2d ReflectionPad3d", "Pad(1, reflect)", ""),
    ("ReplicationPad1d ReplicationPad2d ReplicationPad3d", "Pad(1, replicate)", ""),
    ("CircularPad1d CircularPad2d CircularPad3d", "Pad(1, circular)", ""),
    ("Cropping1D Cropping2D Cropping3D CenterCrop", "Crop(size=(24, 24))", ""),
    ("UpSampling1D UpSampling2D UpSampling3D Upsampling Upsampling2D Interpolate interpolate Resize UpsamplingNearest2d upsample"
     " Upscale resize", "Upsample(2)", ""),
    ("UpsamplingBilinear2d UpsampleBilinear", "Upsample(2, bilinear)", ""),
    ("DepthToSpace SubPixelConv pixel_shuffle", "PixelShuffle(2)", ""),
    ("SpaceToDepth pixel_unshuffle", "PixelUnshuffle(2)", ""),
    ("Chunk chunk split", "Split(2)", "it gives a tuple: `(a, b) = x → Split(2)`"),
    ("ShuffleChannels Channel_Shuffle channel_shuffle", "ChannelShuffle(2)", ""),
    ("ReduceMean GlobalMean", "Mean(0)", "the axis without the batch"),
    ("Lambda", "", "no code runs in a program: write it with layers"),
    ("Unfold Fold Im2Col", "", "there is no such layer"),
    # Joins
    ("Concat concat Concatenate concatenate Cat hstack route Route Join concatenation ConcatTable",
     "cat{ a | b }", "a merge, with its branches in braces"),
    ("Add Plus shortcut Shortcut Residual ResidualAdd sum plus residual eltwise Eltwise CAddTable skip_connection",
     "add{ id | Conv3x3(in.channels) }", "a merge, with its branches in braces"),
    ("Multiply Mul multiply Product CMulTable times", "mul{ a | b }", "a merge, with its branches in braces"),
    ("Subtract Sub subtract minus", "sub{ a | b }", "a merge, with its branches in braces"),
    ("Maximum maximum_of Max", "max{ a | b }", "a merge, with its branches in braces"),
    ("Average average", "mean{ a | b }", "a merge, with its branches in braces"),
    ("MatMul Dot bmm einsum Matmul", "matmul{ a | b }", "a merge, with its branches in braces"),
    ("Stack stack", "cat{ a | b }", "there is no new axis to stack along"),
    ("Div Divide divide", "div{ a | b }", "a merge, with its branches in braces"),
    ("Minimum minimum_of", "min{ a | b }", "a merge, with its branches in braces"),
    # Containers
    ("Sequential sequential", "[ Conv3x3(64) → ReLU ]", _ROW),
    ("ModuleList ModuleDict nn_ModuleList", "[ Conv3x3(64) → ReLU ]×3", "brackets and a count repeat"),
    ("Parallel Branch Branches", "cat{ a | b }", "branches are joined by a merge"),
    ("Repeat Loop repeat", "[ Conv3x3(64) → ReLU ]×3", "brackets and a count repeat"),
    ("Input InputLayer Placeholder", "input 3×224×224", "a statement, channels first and without the batch"),
    ("Output OutputLayer", "output x", "a statement; without one the chain's end is the output"),
    ("Model Functional Module", "model Name { … }", "a file that is one model needs no word for it"),
    # Recurrent
    ("LSTM GRU RNN SimpleRNN LSTMCell GRUCell RNNCell Bidirectional TimeDistributed ConvLSTM2D ConvLSTM BiLSTM", "", _RECURRENT),
    # Attention and tokens
    ("MultiheadAttention MultiHeadAttention SelfAttention MHA MultiHeadSelfAttention scaled_dot_product_attention",
     "Attention(8)", "the number of heads"),
    ("TransformerEncoderLayer TransformerBlock TransformerEncoder EncoderBlock Transformer",
     "add{ id | LN → Attention(8) } → add{ id | LN → Linear(4 × in.channels) → GELU → Linear(in.channels) }", "two residual branches"),
    ("TransformerDecoder TransformerDecoderLayer CrossAttention", "", "there is no attention between two tensors; `matmul` says it"),
    ("PositionalEncoding PositionEmbedding PositionalEmbedding PosEncoding", "PosEmbed", "a trained one"),
    ("ClsToken CLSToken CLS cls_token", "ClassToken", ""),
    ("PatchEmbed PatchEmbedding Patchify", "Conv16x16(768, stride=16, pad=valid) → ToTokens", "a convolution whose windows do not overlap"),
    # Blocks of papers
    ("SE SEBlock SELayer SEModule SqueezeExcite SqueezeExcitation SqueezeAndExcitation",
     "SE(8)", "a block: `use SE from squeeze_excitation` at the top of the file"),
    ("BasicBlock ResBlock ResidualBlock ResNetBlock", "add{ Conv3x3(in.channels) → BN → ReLU → Conv3x3(in.channels) → BN | id } → ReLU",
     "blocks are written out, or come with `use Basic from resnet`"),
    ("ConvBNReLU ConvBN CBR CBL ConvBlock DoubleConv ConvNormActivation ConvModule BasicConv2d ConvBnAct",
     "Conv3x3(64, bias=false) → BN → ReLU", "a name of your own for it: `block Unit(c) { … }`"),
    # Heads and losses
    ("CrossEntropyLoss CrossEntropy MSELoss BCELoss BCEWithLogitsLoss NLLLoss L1Loss SmoothL1Loss KLDivLoss HuberLoss DiceLoss"
     " FocalLoss SoftmaxWithLoss", "", _LOSS),
    ("NMS NonMaxSuppression yolo Yolo region Region Detect DetectionOutput PriorBox", "",
     "what comes behind the network, such as the choice of boxes, is no layer"),
    ("ArgMax Argmax argmax TopK Gather Where Cast Shape", "", "there is no such layer"),
)  # fmt: skip


@cache
def words() -> dict[str, Word]:
    """What to write for each foreign name."""
    return {name: Word(write, why) for names, write, why in _TABLE for name in names.split()}


def foreign(name: str) -> Word | None:
    """What to write for a foreign name, whatever framework stands before it: `nn.BatchNorm2d`."""
    found = words()
    last = name.rpartition(".")[2]
    return found.get(last) or _folded().get(last.lower())


@cache
def _folded() -> dict[str, Word]:
    return {name.lower(): word for name, word in reversed(words().items())}
