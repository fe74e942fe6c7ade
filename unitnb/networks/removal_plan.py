"""Which channels go from which tensor when units are removed, and what keeps them there (see ``removal``).

Three readings of the flat graph: the constants that masked units make (forwards), the channels that anything
still needs (backwards), and the channels that layers of single channels link (both ways).
"""

import functools
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from .graph import FlatGraph, producers
from .removal_rules import MIXERS, constants, links, obstacle, width
from .removal_slices import offset


class CoupledUnitsError(ValueError):
    """Units that can go only together with units of other layers.

    Attributes
    ----------
    together : dict from path to list of int
        Layers and units that ``remove_units`` takes instead.
    """

    def __init__(self, text: str, together: dict[str, list[int]]):
        super().__init__(text)
        self.together = together


class Linked:
    """The links of all calls of a graph, found once."""

    def __init__(self, graph: FlatGraph):
        self.graph, self.makers = graph, producers(graph.nodes)
        self.links = {id(node): links(node) for node in graph.nodes}
        self.users = defaultdict(list)
        for node in graph.nodes:
            for tensor in node.input_tensors:
                self.users[id(tensor)].append(node)
        self.paths = {id(made[0]): path for path, made in graph.calls.items() if _is_studied(graph, made)}

    @functools.cached_property
    def unmasked(self) -> tuple[dict, dict]:
        """Constants and needed channels, by tensor, of the graph without masks."""
        values = _constants(self, {})
        return values, _needed(self, values)

    def group(self, masks: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
        """Channels (c,) bool, by tensor, that are linked with those of ``masks``, by tensor."""
        gone = {id(tensor): np.zeros(width(tensor), bool) for tensor in self.tensors()}
        gone.update({key: mask.copy() for key, mask in masks.items()})
        changed = list(masks)
        while changed:
            key = changed.pop()
            for node in (self.makers.get(key), *self.users[key]):
                changed += [] if node is None else self._spread(gone, node)
        return gone

    def tensors(self) -> list:
        """Every tensor of the graph, from the images on."""
        return [self.graph.entry, *(tensor for node in self.graph.nodes for tensor in node.outputs)]

    def _spread(self, gone, node) -> list[int]:
        """Link the channels that go before and behind a call; the tensors of which more go now."""
        changed, after = [], gone[id(node.outputs[0])]
        for place, channel in self.links[id(node)]:
            before, linked = gone[id(node.input_tensors[place])], channel >= 0
            fresh = linked & before[channel]
            back = channel[linked & after]
            if (fresh > after).any():
                after |= fresh
                changed.append(id(node.outputs[0]))
            if not before[back].all():
                before[back] = True
                changed.append(id(node.input_tensors[place]))
        return changed


def _is_studied(graph: FlatGraph, made: list) -> bool:
    return len(made) == 1 and len(made[0].shape) == 4 and made[0] is not graph.output


@dataclass(frozen=True, eq=False)
class Removal:
    """What a set of masked units makes of a graph.

    Attributes
    ----------
    gone : by tensor, (c,) bool
        Channels that have to go.
    values : by tensor, (c,) float
        Constants behind the masks; NaN where a channel varies.
    blocked : by tensor, (c,) bool
        Channels that have to go and cannot: they vary and something needs them, or their constant cannot be
        folded into the layer behind.
    """

    linked: Linked
    masks: dict
    gone: dict
    values: dict
    blocked: dict

    def taken(self, node) -> bool:
        """Whether channels go from what a call takes or gives."""
        return any(self.gone[id(tensor)].any() for tensor in (*node.input_tensors, *node.outputs))

    def first_blocked(self):
        """The first tensor with a blocked channel, or None."""
        return next((x for x in self.linked.tensors() if self.blocked[id(x)].any()), None)


def plan_removal(linked: Linked, masks: dict[int, np.ndarray], gone=None) -> Removal:
    """Read the graph with these channels, by tensor, set to zero; ``gone`` where it is known already."""
    gone = linked.group(masks) if gone is None else gone
    values = _constants(linked, masks)
    needed = _needed(linked, values, linked.unmasked)
    blocked = {key: part & np.isnan(values[key]) & needed[key] for key, part in gone.items()}
    for node in linked.graph.nodes:
        if type(node.operation) in MIXERS and gone[id(node.input_tensors[0])].any():
            key = id(node.input_tensors[0])
            blocked[key] |= _unfoldable(node, gone[key], values[key])
    return Removal(linked, masks, gone, values, blocked)


def _constants(linked: Linked, masks) -> dict[int, np.ndarray]:
    """The constants of each tensor; where masks change nothing those without masks, the same arrays."""
    known = linked.unmasked[0] if masks else {}
    values = {id(linked.graph.entry): np.full(width(linked.graph.entry), np.nan, np.float32), **known}
    for node in linked.graph.nodes:
        before = [id(tensor) for tensor in node.input_tensors]
        if known and all(values[key] is known[key] for key in before) and not _masked(node, masks):
            continue
        found = constants(node, [values[key] for key in before])
        for place, tensor in enumerate(node.outputs):
            made = found if place == 0 else np.full(width(tensor), np.nan, np.float32)
            mask = masks.get(id(tensor))
            made = made if mask is None else np.where(mask, np.float32(0), made)
            values[id(tensor)] = _shared(known.get(id(tensor)), made)
    return values


def _masked(node, masks) -> bool:
    return any(id(tensor) in masks for tensor in node.outputs)


def _shared(known, made):
    """The known array where ``made`` is equal to it, so that ``is`` tells what differs."""
    return known if known is not None and np.array_equal(known, made, equal_nan=True) else made


def _needed(linked: Linked, values, known=({}, {})) -> dict[int, np.ndarray]:
    """Channels, by tensor, on which the output depends. No constant depends on what it is computed from.

    ``known`` holds the values and the result without masks: what does not differ from them is not read again.
    """
    before, needed = known[0], dict(known[1])
    stale = set() if needed else {id(tensor) for tensor in linked.tensors()}
    for tensor in reversed(linked.tensors()):
        key = id(tensor)
        if key in stale:
            needed[key] = _shared(known[1].get(key), _needed_behind(linked, tensor, needed, values))
        same = values[key] is before.get(key) and needed[key] is known[1].get(key)
        if key in linked.makers and not same:
            stale.update(id(given) for given in linked.makers[key].input_tensors)
    return needed


def _needed_behind(linked: Linked, tensor, needed, values) -> np.ndarray:
    """Channels (c,) bool of ``tensor`` that the calls behind it need, or all of the output's."""
    found = np.full(width(tensor), tensor is linked.graph.output)
    for node in linked.users[id(tensor)]:
        after = needed[id(node.outputs[0])] & np.isnan(values[id(node.outputs[0])])
        by_place = dict(linked.links[id(node)])
        for place, given in enumerate(node.input_tensors):
            if given is tensor and place in by_place:
                found[by_place[place][after & (by_place[place] >= 0)]] = True
            elif given is tensor:
                found |= after.any() or len(node.outputs) > 1
    return found


def _unfoldable(node, gone, values) -> np.ndarray:
    """Channels whose constant is not zero, where the layer behind cannot take it into its bias."""
    known = np.where(gone, np.nan_to_num(values), 0)
    exact = not (gone & ~np.isnan(values)).any() or obstacle(node, outputs_too=False)
    return (
        np.zeros(len(gone), bool)
        if exact or np.isfinite(offset(node.operation, known)).all()
        else gone & (known != 0)
    )
