"""One walk of an engine along an order, and what becomes of each image on the way."""

from collections.abc import Iterator

import numpy as np

from .compiled_walk import fill_records, small_tail

FEW_CLASSES = 64  # up to which a maximum over classes is faster with the classes as rows
CACHED_ROWS = 64  # judged at a time where classes are many: of a thousand, they stay in the processor's cache


ORDERS = 16  # walked at a time in compiled code, which shows no progress


def walk_orders(engine, orders, live, points, labels, target, records) -> Iterator[int]:
    """Fill ``records``, four arrays (k, p, n), with the outcomes along each of k orders; yields how many
    orders are done since the last.
    """
    tail = None if engine.on_device else small_tail(engine)
    step = 1 if tail is None else ORDERS
    for first in range(0, len(orders), step):
        part = slice(first, first + step)
        given = live, points, labels, target
        if tail is None:
            walk(engine, orders[first], *given, [record[first] for record in records])
        else:
            fill_records(tail, orders[part], *given, [record[part] for record in records])
        yield len(orders[part])


def walk(engine, order, live, points, labels, target, record):
    """Fill ``record`` with the outcomes of points[0], points[1], ... units present.

    Where nothing changes, the outcome before stays.
    """
    given = order, live, points, labels, target
    groups = engine.judged(*given) if engine.on_device else _judged_groups(engine, *given)
    for steps, images, judged in groups:
        for part, values in zip(record, judged, strict=True):
            part[steps, images] = values
    changed = changed_at(order, live, points)
    last = np.maximum.accumulate(np.where(changed, np.arange(len(changed))[:, None], 0), axis=0)
    for part in record:
        part[:] = np.take_along_axis(part, last, axis=0)


def changed_at(order, live, points) -> np.ndarray:
    """Of points[0], points[1], ...: on which images something differs from the point before, (p, n) bool."""
    return np.vstack([np.ones(live.shape[1], bool), np.logical_or.reduceat(live[order], points[:-1])])


def _judged_groups(engine, order, live, points, labels, target):
    for steps, images, rows in _grouped(engine.states(order, live, points), engine.rows):
        yield steps, images, judge(engine.scores(rows, images), labels[images], target)


def _grouped(states, n_rows):
    """The states in groups of ``n_rows`` rows, the last as it comes: (steps, images, rows)."""
    held: list = []
    size = 0
    for k, images, rows in states:
        held.append((np.full(len(images), k), images, rows))
        size += len(images)
        while size >= n_rows:
            group = [np.concatenate(parts) for parts in zip(*held, strict=True)]
            yield [part[:n_rows] for part in group]
            held, size = [[part[n_rows:] for part in group]], size - n_rows
    if size:
        yield [np.concatenate(parts) for parts in zip(*held, strict=True)]


def judge(logits, labels, target):
    """Loss in nats, rank of the label (0 is first; ties go to the lower class), its logit, and whether the
    target comes first.
    """
    if logits.shape[1] <= FEW_CLASSES:
        return _judged(np.ascontiguousarray(logits.T), labels, target)
    blocks = (slice(i, i + CACHED_ROWS) for i in range(0, len(logits), CACHED_ROWS))
    parts = zip(*(_judged(logits[block].T, labels[block], target) for block in blocks), strict=True)
    return [np.concatenate(part) for part in parts]


def _judged(by_class, labels, target):
    own, top = by_class[labels, np.arange(len(labels))], by_class.max(axis=0)
    losses = np.log(np.exp(by_class - top).sum(axis=0)) + (top - own)
    ranks, equal = (by_class > own).sum(axis=0), by_class == own
    if np.count_nonzero(equal) > len(labels):  # else each label equals itself alone
        ranks += (equal & (np.arange(len(by_class))[:, None] < labels)).sum(axis=0)
    return losses, ranks, own, by_class.argmax(axis=0) == target
