"""Names that other frameworks have for layers' arguments, and what to write for them."""

from __future__ import annotations

from functools import cache

_TABLE: tuple[tuple[str, str], ...] = (
    # An argument that has another name here: the first of these that the layer has.
    ("out_channels out_ch out_channel filters n_filters num_filters nb_filter num_output out_c cout c_out channels_out", "=channels"),
    ("units out_features num_units features_out n_out output_dim num_classes classes nodes neurons", "=units channels"),
    ("padding pads padding_size pad_size border_mode auto_pad", "=pad amount"),
    ("strides subsample step stride_size", "=stride"),
    ("dilations dilation_rate atrous_rate rate_of_dilation", "=dilation"),
    ("group num_groups n_groups cardinality", "=groups"),
    ("use_bias bias_term with_bias has_bias", "=bias"),
    ("padding_mode", "=pad_mode mode"),
    ("epsilon variance_epsilon eps_value", "=eps"),
    ("negative_slope leak leakiness leaky_slope", "=slope"),
    ("rate drop drop_rate prob dropout_rate drop_prob probability", "=p dropout"),
    ("ceil_mode", "=ceil"),
    ("count_include_pad", "=count_pad"),
    ("output_padding", "=output_pad"),
    ("scale_factor scale_factors factor size_factor", "=scale"),
    ("align_corners", "=align"),
    ("interpolation interpolation_mode resample", "=mode"),
    ("dim axes axis dims perm", "=axis axes"),
    ("num_heads n_heads nhead head_num", "=heads"),
    ("depth_multiplier channel_multiplier", "=multiplier"),
    ("output_size target_size out_size", "=size"),
    ("upscale_factor downscale_factor block_size blocksize", "=r"),
    ("num_parameters", "=per_channel"),
    ("elementwise_affine center scale_and_shift", "=affine"),
    ("keepdim keepdims keep_dims", "=keep"),
    ("num_embeddings input_dim vocab_size", "=words"),
    ("embedding_dim d_model", "=channels"),
    ("norm_type", "=p"),
    ("shape target_shape new_shape", "=shape"),
    ("chunks", "=n"),
    ("split_size_or_sections", "=sizes"),
    # The window, which stands in the word
    ("kernel_size kernel kernel_shape ksize k filter_size kernel_w kernel_h window_size size pool_size filter_shape window_shape", "window"),
    # What is inferred
    ("in_channels in_ch in_channel in_features input_size num_features num_channels features_in in_planes n_in input_channels"
     " normalized_shape in_c cin c_in embed_dim in_dim", "inferred"),
    ("input_shape batch_input_shape input_tensor batch_size", "input"),
    # What stands behind the layer, as an element of its own
    ("activation act act_layer nonlinearity activation_fn", "activation"),
    ("norm norm_layer batch_normalize batch_norm use_bn bn normalizer_fn", "norm"),
    ("name label id", "label"),
    # What does nothing here
    ("inplace in_place track_running_stats device dtype data_format trainable num_batches_tracked antialias_ training"
     " return_indices recompute_scale_factor seed noise_shape", "nothing"),
    ("kernel_initializer bias_initializer weights weight_init kernel_regularizer bias_regularizer activity_regularizer"
     " kernel_constraint bias_constraint weight_decay weight_std initializer gamma_initializer beta_initializer", "weights"),
)  # fmt: skip


@cache
def meanings() -> dict[str, str]:
    """What each foreign argument is: `=a b` for one that is called `a`, or where there is none `b`; or a word."""
    return {name: meaning for names, meaning in _TABLE for name in names.split()}


def renamed(name: str, known: list[str]) -> str | None:
    """What an argument of another framework is called in a layer that has the arguments `known`."""
    meaning = meanings().get(name, "")
    return next((ours for ours in meaning[1:].split() if ours in known), None) if meaning.startswith("=") else None


REMARKS = {
    "inferred": "the channels that come in are inferred: leave it out",
    "input": "sizes of the input stand in the program's first line: `input 3×224×224`",
    "nothing": "it changes nothing here: leave it out",
    "weights": "weights are no matter of the program: give them with `--weights`, or in your training loop",
    "label": "names stand before the layer, as labels: `conv1: Conv3x3(64)`",
}
"""What is said of an argument that has no name here."""
