"""What follows the studied layer, read once: which engine evaluates it exactly (see ``ablation.engines``)."""

from dataclasses import dataclass

import keras

L = keras.layers
DROPOUTS = {
    L.Dropout,
    L.AlphaDropout,
    L.GaussianDropout,
    L.GaussianNoise,
    L.SpatialDropout2D,
    L.ActivityRegularization,
}
_ACTIVATIONS = {L.ReLU, L.LeakyReLU, L.PReLU, L.ELU, L.Activation}
_POOLS = {
    L.MaxPooling2D,
    L.AveragePooling2D,
    L.ZeroPadding2D,
    L.Cropping2D,
    L.UpSampling2D,
    L.Rescaling,
    L.BatchNormalization,
}
_FLATTENERS = {L.Flatten, L.GlobalAveragePooling2D, L.GlobalMaxPooling2D}
_PER_CHANNEL = DROPOUTS | _ACTIVATIONS | _POOLS | _FLATTENERS
_DENSE_STACK = DROPOUTS | _ACTIVATIONS | {L.Dense, L.Softmax}


@dataclass(frozen=True, eq=False)
class TailPlan:
    """How to evaluate a tail to its logits: ``trunk`` in Keras, then ``dense`` as a running sum where there is one, then ``stack``."""

    engine: str
    trunk: keras.Model  # inputs: the maps, and for masked-model the outputs of ``beside``
    dense: keras.layers.Dense | None
    stack: tuple  # layers up to the logits
    softmax: (
        keras.layers.Layer | None
    )  # what makes probabilities of the logits, if the model does: left out here
    beside: keras.Model | None = None  # from the images, what the other branches bring


def plan_tail(model, layer) -> TailPlan:
    """Choose the engine for what follows ``layer``: the fastest that is exact."""
    chain, start = _last_chain(model, layer.output)
    softmax = _softmax_at_end(chain)
    first = next((i for i, link in enumerate(chain) if type(link) is L.Dense), None)
    if start is layer.output and first is not None and _acts_per_channel(chain[:first]):
        trunk = keras.Model(start, chain[first].input)
        return TailPlan("running-sum", trunk, chain[first], tuple(chain[first + 1 :]), softmax)
    while chain and not all(type(link) in _DENSE_STACK for link in chain):
        start, chain = chain[0].output, chain[1:]
    others = _companions(model, layer.output)
    if not others:
        return TailPlan("masked-tail", keras.Model(layer.output, start), None, tuple(chain), softmax)
    trunk, beside = keras.Model([layer.output, *others], start), keras.Model(model.inputs[0], others)
    return TailPlan("masked-model", trunk, None, tuple(chain), softmax, beside)


def _last_chain(model, target):
    """The layers of one input each that lead to the output, from ``target`` or from the last meeting of branches, and their first input."""
    producers = {
        id(link.output): link
        for link in model.layers
        if isinstance(_tensor(link, "output"), keras.KerasTensor)
    }
    chain, tensor = [], model.outputs[0]
    while tensor is not target and isinstance(_tensor(producers.get(id(tensor)), "input"), keras.KerasTensor):
        chain.insert(0, producers[id(tensor)])
        tensor = chain[0].input
    return chain, tensor


def _tensor(layer, side):
    """``layer.input`` or ``layer.output``, or None: a layer used twice has no single one."""
    return getattr(layer, side, None)


def _companions(model, target) -> list:
    """The tensors that meet, somewhere, what comes from ``target`` without coming from it; none where ``target`` cuts the graph."""
    if isinstance(model, keras.Sequential):
        return []
    reached, others = {id(target)}, {}
    for node in (
        node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]
    ):
        if any(id(tensor) in reached for tensor in node.input_tensors):
            reached.update(id(tensor) for tensor in node.outputs)
            others.update({id(tensor): tensor for tensor in node.input_tensors if id(tensor) not in reached})
    return list(others.values())


def _softmax_at_end(chain):
    """The softmax that the model ends in, if it does; only a change of shape may follow it."""
    after = (link for link in reversed(chain) if type(link) not in {L.Reshape, L.Flatten})
    last = next(after, None)
    return last if last is not None and _is_softmax(last) else None


def _is_softmax(layer) -> bool:
    return type(layer) is L.Softmax or getattr(layer, "activation", None) is keras.activations.softmax


def _acts_per_channel(layers) -> bool:
    """Pooling, activations and the like, with one flattening: unit j's map alone decides its own part of the features."""
    kinds = [type(layer) for layer in layers]
    mixing = any(_is_softmax(layer) or getattr(layer, "keepdims", False) for layer in layers)
    return set(kinds) <= _PER_CHANNEL and sum(kind in _FLATTENERS for kind in kinds) == 1 and not mixing
