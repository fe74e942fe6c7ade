"""Which layers to name together, so that the units that were asked for can go (see ``removal_plan``)."""

import numpy as np

from .removal_plan import Linked, Removal, plan_removal
from .removal_rules import PRODUCTS, width


def together(removal: Removal) -> dict[str, np.ndarray] | None:
    """Layers whose masks together let the same units go: paths and (c,) bool; None where none are found.

    Masks are added where a channel is blocked, behind the last layer of single channels, until nothing is.
    Then those without which nothing is blocked are left out. The search begins at the given layers and,
    again, at the last layers of single channels behind them; the smaller set is taken.
    """
    linked = removal.linked
    tensors = {id(tensor): tensor for tensor in linked.tensors()}
    behind = {_named_after(linked, tensors[key]): removal.gone for key in removal.masks}
    starts = [removal.masks, {place: gone[place] for place, gone in behind.items() if place is not None}]
    found = [masks for start in starts if (masks := _enough(removal, start)) is not None]
    if not found:
        return None
    order = list(tensors)
    best = min(found, key=len)
    return {linked.paths[key]: best[key] for key in sorted(best, key=order.index)}


def _enough(removal: Removal, masks: dict) -> dict | None:
    masks, gone, linked = dict(masks), removal.gone, removal.linked
    while (tensor := (trial := plan_removal(linked, masks, gone)).first_blocked()) is not None:
        place = _place_of_mask(trial, tensor)
        if place is None or (place in masks and np.array_equal(masks[place], gone[place])):
            return None
        masks[place] = gone[place]
    for place in list(masks):
        fewer = {key: mask for key, mask in masks.items() if key != place}
        if fewer and plan_removal(linked, fewer, gone).first_blocked() is None:
            masks = fewer
    return masks


def _place_of_mask(removal: Removal, tensor) -> int | None:
    """The tensor to mask so that ``tensor`` is no longer blocked."""
    linked, blocked = removal.linked, removal.blocked[id(tensor)]
    if not np.isnan(removal.values[id(tensor)][blocked]).any():  # a constant that cannot be folded
        return _named_before(linked, tensor)
    maker = linked.makers.get(id(tensor))
    if maker is not None and _lost_here(removal, maker, blocked):
        return _named_before(linked, maker.input_tensors[0])
    place = _named_after(linked, tensor)
    factor = _constant_factor(removal, place, blocked)
    before = None if factor is None else _named_before(linked, factor)
    return place if before is None or before in removal.masks else before


def _constant_factor(removal: Removal, place: int | None, blocked):
    """The constant that a tensor is multiplied with next: where it is zero the tensor is not needed."""
    for node in removal.linked.users[place] if place is not None else ():
        others = [tensor for tensor in node.input_tensors if id(tensor) != place]
        if type(node.operation) in PRODUCTS and len(others) == 1 and width(others[0]) == len(blocked):
            if not np.isnan(removal.values[id(others[0])][blocked]).any():
                return others[0]
    return None


def _lost_here(removal: Removal, node, blocked) -> bool:
    """Whether a call of one input makes something that varies of a constant."""
    found = removal.linked.links[id(node)]
    if len(node.input_tensors) != 1 or not found:
        return False
    before = removal.values[id(node.input_tensors[0])][found[0][1]]
    return bool((~np.isnan(before) & blocked).any())


def _named_before(linked: Linked, tensor) -> int | None:
    while id(tensor) not in linked.paths:
        node = linked.makers.get(id(tensor))
        if node is None or len(node.input_tensors) != 1 or not linked.links[id(node)]:
            return None
        tensor = node.input_tensors[0]
    return id(tensor)


def _named_after(linked: Linked, tensor) -> int | None:
    """The last named tensor on the way from ``tensor`` to where branches meet, part or mix."""
    best = id(tensor) if id(tensor) in linked.paths else None
    while len(users := linked.users[id(tensor)]) == 1:
        node, after = users[0], users[0].outputs[0]
        if len(node.input_tensors) != 1 or not linked.links[id(node)] or width(after) != width(tensor):
            break
        tensor = after
        best = id(tensor) if id(tensor) in linked.paths else best
    return best if best is not None else _named_before(linked, tensor)
