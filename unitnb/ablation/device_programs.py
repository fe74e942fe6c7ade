"""What ablation engines compute on a device, as functions of tensors that the backend compiles.

Sums on a device are of float32, because float64 is slow on many GPUs and absent on others. ``running_sums``
keeps their error below that of one product of float32: it restarts every 16 units from a sum of twice the
digits.
"""

from keras import ops

from ..networks.graph import apply
from ..networks.outputs import TINY
from ..networks.tails import is_dense

RESTART = 16  # units after which the running sum starts again from its exact point


def two_sum(a, b):
    """a + b as float32 gives it, and what that leaves out, exactly (Knuth, TAOCP 2, 4.2.2, Theorem B)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def running_sums(high, low, terms):
    """Sums of ``high`` + ``low`` (n, d) and the first 0, 1, ..., k of ``terms`` (k, n, d), k in 16s.

    Within 16 units the terms are added up in float32 by themselves, where their sum and so its rounding are
    small. The point from which they start is kept as two float32 numbers, of which the second is what the
    first leaves out; so nothing of the rounding is carried on but that of sums of 16.

    Returns
    -------
    sums (k + 1, n, d), and the last of them as ``high``, ``low``
    """
    blocks = ops.cumsum(ops.reshape(terms, (-1, RESTART, *terms.shape[1:])), axis=1)
    sums = [(high + low)[None]]
    for place in range(terms.shape[0] // RESTART):
        block = blocks[place]
        sums.append(high + (low + block))
        high, low = two_sum(high, low + block[-1])
    return ops.concatenate(sums), high, low


def terms(change, kernel, units):
    """The terms of some units (k,) in the first dense pre-activation, (k, n, d); zero for unit -1.

    ``change`` (u, n, f) are the units' values behind the trunk, and ``kernel`` (f * u, d) is the dense
    layer's.
    """
    known = ops.maximum(units, 0)
    values = ops.take(change, known, axis=0) * ops.cast(units >= 0, "float32")[:, None, None]
    by_unit = ops.reshape(kernel, (change.shape[2], change.shape[0], kernel.shape[1]))
    return ops.matmul(values, ops.transpose(ops.take(by_unit, known, axis=1), (1, 0, 2)))


def walked(kernel, change, units, high, low):
    """``running_sums`` over some units, as rows (k n + n, d), and where they end."""
    sums, high, low = running_sums(high, low, terms(change, kernel, units))
    return ops.reshape(sums, (-1, sums.shape[-1])), high, low


def without(kernel, change, units, high, low):
    """Rows (k n, d) of the sum ``high`` + ``low`` (n, d) less the term of each of some units (k,)."""
    rows = high + (low - terms(change, kernel, units))
    return ops.reshape(rows, (-1, rows.shape[-1]))


def chosen(kernel, change, present, start):
    """Rows (n, d) with only the units of a mask (u,) float in place: one product of float32."""
    shown = ops.transpose(change * present[:, None, None], (1, 2, 0))
    return start + ops.matmul(ops.reshape(shown, (change.shape[1], -1)), kernel)


def stack_outputs(plan, rows):
    """What the stack of a plan makes of ``rows``, without the activation that is left out, (m, k) float32."""
    for node in plan.stack:
        layer = node.operation
        if layer is not plan.left_out:
            rows = apply(node, rows)
        elif is_dense(layer):
            rows = product(layer, rows)
    return ops.cast(ops.reshape(rows, (rows.shape[0], -1)), "float32")


def product(dense, rows):
    """A dense layer without its activation."""
    rows = ops.matmul(rows, dense.kernel)
    return rows + dense.bias if dense.use_bias else rows


def after_first_dense(plan, rows):
    """``stack_outputs`` of pre-activations of the first dense layer."""
    return stack_outputs(plan, rows if plan.dense is plan.left_out else plan.dense.activation(rows))


def masked_outputs(plan, picks, place, maps, fill, *brought):
    """``stack_outputs`` of states of some images, made on the device.

    Parameters
    ----------
    picks : (m, 3) int32
        The image, a, and b of each state: a unit is in place where its ``place`` is below a, or b or more.
    place : (u,) int32
    maps, fill : (n, h, w, u), (h, w, u)
    brought : what the other branches bring of each image
    """
    images, first, second = picks[:, 0], picks[:, 1:2], picks[:, 2:3]
    present = ops.logical_or(place[None] < first, place[None] >= second)[:, None, None, :]
    shown = ops.where(present, ops.take(maps, images, axis=0), fill)
    others = [ops.take(tensor, images, axis=0) for tensor in brought]
    return stack_outputs(plan, plan.trunk([shown, *others] if others else shown, training=False))


def class_scores(kind, outputs):
    """``Reading.class_scores`` on the device."""
    if kind == "logits":
        return outputs
    if kind == "probabilities":
        return ops.log(ops.maximum(outputs, TINY))
    if kind == "binary logit":
        return ops.concatenate([ops.zeros_like(outputs), outputs], axis=1)
    both = ops.concatenate([1 - outputs, outputs], axis=1)
    return ops.log(ops.maximum(both, TINY))


def outcomes(scores, labels, target):
    """``walks.judge`` on the device: loss in nats, rank of the label, its logit, whether ``target`` is first.

    ``scores`` are (m, classes), ``labels`` (m,); no class is the target -1.
    """
    top = ops.max(scores, axis=1)
    own = ops.take_along_axis(scores, labels[:, None], axis=1)
    losses = ops.log(ops.sum(ops.exp(scores - top[:, None]), axis=1)) + (top - own[:, 0])
    lower = ops.arange(scores.shape[1], dtype="int32")[None] < labels[:, None]
    before = ops.logical_or(scores > own, ops.logical_and(scores == own, lower))
    ranks = ops.sum(ops.cast(before, "int32"), axis=1)
    return losses, ranks, own[:, 0], ops.cast(ops.argmax(scores, axis=1), "int32") == target
