"""A walk in compiled code, for two small dense layers, where calls of NumPy would take most of the time."""

import keras
import numpy as np

from ..networks.tails import IDENTITIES, is_dense
from ..topology._graphs import compiled
from .dense_steps import bias_of, values_of

SMALL = 10**5  # weights of the last layer up to which a loop is faster than BLAS with its calls


def last_layer(plan):
    """(kernel, bias, rectified) of a tail of two dense layers of which the second is small, or None.

    ``kernel`` is (d, classes), ``bias`` (classes,), and ``rectified`` tells whether a ReLU is before them.
    """
    layers = [node.operation for node in plan.stack if type(node.operation) not in IDENTITIES]
    if len(layers) != 1 or not is_dense(layers[0]) or np.prod(layers[0].kernel.shape) > SMALL:
        return None
    (last,), linear, between = layers, keras.activations.linear, plan.dense.activation
    plain = last is plan.left_out or last.activation is linear
    if plan.dense is plan.left_out or not plain or between not in (keras.activations.relu, linear):
        return None
    bias = np.broadcast_to(bias_of(last), last.kernel.shape[1:]).copy()
    return values_of(last.kernel), bias, between is keras.activations.relu


def small_tail(engine):
    """What ``fill_records`` takes of an engine, or None where it cannot serve: other tails, outputs."""
    terms, last = getattr(engine, "terms", None), getattr(engine, "last", None)
    terms = getattr(terms, "terms", terms)
    logits = last is not None and engine.plan.stack_reading(engine.reading).kind == "logits"
    if last is None or not logits or not isinstance(terms, np.ndarray):
        return None
    return (engine.start, terms, *last)


def fill_records(tail, orders, live, points, labels, target, records) -> None:
    """Fill ``records``, four arrays (orders, p, n), as ``walks.walk`` does for each of the orders (k, u).

    The arithmetic is the same in another order of sums. Image by image, since what the units add to one image
    stays in the processor's cache for all orders. ``tail`` begins with the first layer's pre-activation
    without units, (d,) float64, and what each unit adds to it, (u, n, d) float32.
    """
    start, terms, kernel, bias, rectified = tail
    target = -1 if target is None else target
    _fill(start, terms, kernel, bias, rectified, orders, live, points, labels, target, *records)


@compiled
def _fill(
    start, terms, kernel, bias, rectified, orders, live, points, labels, target, losses, ranks, logits, chosen
):
    hidden, place = np.empty((len(points), len(start)), np.float32), np.empty(len(points), np.int64)
    for image in range(terms.shape[1]):
        own, present, label = terms[:, image].copy(), live[:, image].copy(), labels[image]
        for k in range(len(orders)):
            rows = _walk(start, own, rectified, orders[k], present, points, hidden, place)
            scores, row = np.dot(hidden[:rows], kernel) + bias, -1
            for point in range(len(points)):
                if place[point] > row:
                    row = place[point]
                    loss, rank, logit, best = _outcome(scores[row], label)
                losses[k, point, image], ranks[k, point, image] = loss, rank
                logits[k, point, image], chosen[k, point, image] = logit, best == target


@compiled
def _walk(start, terms, rectified, order, live, points, hidden, place):
    """Fill ``hidden`` with the states of an image that differ from the one before, and ``place`` with the row
    of each point; returns the number of rows.
    """
    running, come, rows, changed = start.copy(), 0, 0, True
    for point in range(len(points)):
        for unit in order[come : points[point]]:
            if live[unit]:
                changed = True
                for j in range(len(running)):
                    running[j] += terms[unit, j]
        come = points[point]
        if changed:
            for j in range(len(running)):
                value = np.float32(running[j])
                hidden[rows, j] = value if value > 0 or not rectified else np.float32(0)
            rows, changed = rows + 1, False
        place[point] = rows - 1
    return rows


@compiled
def _outcome(scores, label):
    """(loss in nats, rank of the label, its logit, first class) of the scores of one state, (classes,)."""
    top, own, best = scores[0], scores[label], 0
    for c in range(1, len(scores)):
        top = max(top, scores[c])
    while best < len(scores) - 1 and scores[best] != top:
        best += 1
    total, rank = np.float32(0), 0
    for c in range(len(scores)):  # bitwise, without jumps that a processor cannot foresee
        total += np.exp(scores[c] - top)
        rank += (scores[c] > own) | ((scores[c] == own) & (c < label))
    return np.log(total) + (top - own), rank, own, best
