"""A summary with the time that each layer takes."""

from __future__ import annotations

from cnndsl.analyses.document import LayerTime, NetworkTime, Summary
from cnndsl.latency.estimate import Estimate


def with_latency(summary: Summary, estimate: Estimate) -> Summary:
    """The document with the estimate in it. Layers that another layer's kernel computes have no time of their own; what leaves the
    network in another layout takes the time that is in the whole and in no layer."""
    layers = estimate.layers
    nodes = tuple(
        node.model_copy(
            update={"latency": LayerTime(seconds=layers[node.name].seconds, reason=layers[node.name].reason)}
        )
        if node.name in layers
        else node
        for node in summary.nodes
    )
    return summary.model_copy(update={"nodes": nodes, "latency": network_time(estimate)})


def network_time(estimate: Estimate) -> NetworkTime:
    """The estimate of the whole, as documents have it."""
    return NetworkTime(
        seconds=estimate.seconds,
        error=estimate.error,
        rough=estimate.rough,
        by_reason=dict(estimate.by_reason),
        calls=estimate.calls,
        weight_bytes=estimate.weight_bytes,
        map_bytes=estimate.map_bytes,
        machine=estimate.machine.name,
        state=estimate.machine.state,
        outdated=estimate.machine.outdated,
        precision=estimate.precision,
        batch=estimate.batch,
    )
