"""What follows the studied layer, read once: which engine evaluates it exactly (see ``ablation.engines``).

An engine that knows a layer's arithmetic is chosen only for layers of exactly the types listed here, with
activations listed here, in float32 and without quantization. Everything else is run as Keras runs it.
"""

import functools
from dataclasses import dataclass, field

import keras

from .graph import FlatGraph, continued, is_channels_first, producers
from .masks import masking_model
from .names import model_of
from .outputs import Reading

L = keras.layers
A = keras.activations
IDENTITIES = {
    L.Dropout,
    L.AlphaDropout,
    L.GaussianDropout,
    L.GaussianNoise,
    L.SpatialDropout2D,
    L.ActivityRegularization,
    L.Identity,
}
_ACTIVATION_LAYERS = {L.ReLU, L.LeakyReLU, L.PReLU, L.ELU, L.Activation}
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
_PER_CHANNEL = IDENTITIES | _ACTIVATION_LAYERS | _POOLS | _FLATTENERS
_RESHAPERS = {L.Flatten, L.Reshape}
# Functions of each value alone. A softmax over the units is none.
_EACH_VALUE = """linear relu relu6 leaky_relu elu selu gelu silu sigmoid tanh softplus softsign exponential
hard_sigmoid hard_silu mish log_sigmoid celu hard_tanh""".split()
EACH_VALUE = {getattr(A, name) for name in _EACH_VALUE if hasattr(A, name)}


@dataclass(frozen=True, eq=False)
class TailPlan:
    """How to evaluate a tail: ``trunk`` in Keras, then ``dense`` as a running sum where there is one, then
    the calls in ``stack``.

    ``outputs`` says what the model's outputs are, None where only their values can tell. Where the graph
    shows the softmax, or the single sigmoid, that makes them, that activation is ``left_out`` of the stack,
    which then gives logits: small probabilities keep their digits.
    """

    engine: str
    trunk: keras.Model  # inputs: the maps, and for masked-model the outputs of ``other_inputs``
    dense: keras.layers.Dense | None
    stack: tuple  # graph nodes of one input each
    outputs: Reading | None
    left_out: keras.layers.Layer | None
    other_inputs: keras.Model | None = None  # from the images, what the other branches bring
    programs: dict = field(default_factory=dict, repr=False)  # that engines have compiled of it, by name

    @functools.cached_property
    def masked_trunk(self) -> keras.Model:
        """``trunk`` on maps in which some units show something else; see ``masks.masking_model``."""
        return masking_model(self.trunk)

    def stack_reading(self, outputs: Reading) -> Reading:
        """What the stack gives, where the model's outputs are ``outputs``."""
        if self.left_out is None:
            return outputs
        return Reading("logits" if outputs.kind == "probabilities" else "binary logit", outputs.known_by)


def plan_tail(graph: FlatGraph, target, given: Reading | None = None) -> TailPlan:
    """Choose the engine for what follows the tensor ``target``: the fastest that is exact."""
    chain, start = _last_chain(graph, target)
    outputs = given or _reading(graph, chain)
    after_dense = _first_dense(chain) if start is target and not is_channels_first(graph, target) else 0
    if after_dense:
        node, stack = chain[after_dense - 1], chain[after_dense:]
        engine, dense, others = "running-sum", node.operation, None
        trunk = model_of(target, node.input_tensors[0])
    else:
        stack, dense = _dense_stack(chain), None
        trunk, others = _trunk(graph, target, stack[0].input_tensors[0] if stack else graph.output)
        engine = "masked-tail" if others is None else "masked-model"
    final = None if given else _final_activation(graph, chain)
    uses = [dense, *(node.operation for node in stack)].count(final)
    left_out = final if uses == 1 else None  # a layer that is called again is left out of neither call
    return TailPlan(engine, trunk, dense, tuple(stack), outputs, left_out, others)


def _trunk(graph: FlatGraph, target, output) -> tuple[keras.Model, keras.Model | None]:
    """From the maps, channels last, to ``output``; and what the other branches bring, from the images."""
    others = _companions(graph, target)
    entries = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in (target, *others)]
    first = entries[0]
    if is_channels_first(graph, target):
        _, units, height, width = target.shape
        entries[0] = keras.Input((height, width, units))
        first = L.Permute((3, 1, 2))(entries[0])
    # Keras itself confuses calls of one layer where it builds a model from tensors inside a graph.
    given = {id(x): y for x, y in zip((target, *others), (first, *entries[1:]), strict=True)}
    output = continued(graph.nodes, given, output)
    trunk = model_of(entries if others else entries[0], output)
    return trunk, model_of(graph.entry, others) if others else None


def tail_model(graph: FlatGraph, target) -> keras.Model:
    """From the maps (n, h, w, units), and the images where the layer does not cut the graph, to the model's
    output.
    """
    others = _companions(graph, target)
    trunk, _ = _trunk(graph, target, graph.output)
    if not others:
        return trunk
    return model_of([trunk.inputs[0], graph.entry], trunk([trunk.inputs[0], *others]))


def _last_chain(graph: FlatGraph, target) -> tuple[list, object]:
    """The calls of one input and one output each that lead to the output, and the input of the first.

    They begin at ``target``, or where branches meet for the last time.
    """
    makers = producers(graph.nodes)
    chain: list = []
    tensor = graph.output
    while tensor is not target:
        node = makers.get(id(tensor))
        if node is None or len(node.input_tensors) != 1 or len(node.outputs) != 1:
            break
        chain.insert(0, node)
        tensor = node.input_tensors[0]
    return chain, tensor


def _companions(graph: FlatGraph, target) -> list:
    """The tensors that meet, somewhere, what comes from ``target`` without coming from it; none where
    ``target`` cuts the graph.
    """
    reached, others = {id(target)}, {}
    for node in graph.nodes:
        if any(id(tensor) in reached for tensor in node.input_tensors):
            reached.update(id(tensor) for tensor in node.outputs)
            others.update({id(tensor): tensor for tensor in node.input_tensors if id(tensor) not in reached})
    return list(others.values())


# ---- layers whose arithmetic is known ----


def is_plain(layer) -> bool:
    """Whether a layer computes in float32, without quantization, on channels last."""
    policy = getattr(layer, "dtype_policy", None)
    return (
        getattr(layer, "compute_dtype", "float32") == "float32"
        and getattr(policy, "quantization_mode", None) is None
        and not getattr(layer, "lora_enabled", False)
        and getattr(layer, "data_format", "channels_last") in ("channels_last", None)
    )


def is_dense(layer) -> bool:
    """Whether a layer is exactly ``Dense``: inputs times a matrix, plus a bias, then an activation."""
    return type(layer) is L.Dense and is_plain(layer)


def acts_on_each_value(layer) -> bool:
    """Whether the activation of a layer, if it has one, is a function of each value alone."""
    return getattr(layer, "activation", A.linear) in EACH_VALUE


def _acts_per_channel(layer) -> bool:
    """Whether unit j's output depends on unit j's input alone; the layer keeps units or flattens maps."""
    if type(layer) not in _PER_CHANNEL or not is_plain(layer) or not acts_on_each_value(layer):
        return False
    return not getattr(layer, "keepdims", False) and getattr(layer, "axis", -1) in (-1, 3)


def _first_dense(chain: list) -> int:
    """Place after the first dense layer of a chain, if per-channel layers with one flattening lead to it;
    else 0.
    """
    first = next((i for i, node in enumerate(chain) if is_dense(node.operation)), None)
    before = [node.operation for node in chain[: first or 0]]
    flattened = sum(type(layer) in _FLATTENERS for layer in before)
    return first + 1 if first is not None and flattened == 1 and all(map(_acts_per_channel, before)) else 0


def _dense_stack(chain: list) -> list:
    """The dense layers at the end of a chain, on vectors, with what stands between them and acts on each
    value.
    """
    stack: list = []
    for node in reversed(chain):
        layer = node.operation
        between = (
            type(layer) in IDENTITIES
            or (type(layer) in _ACTIVATION_LAYERS and is_plain(layer))
            or type(layer) is L.Softmax
        )
        if len(node.input_tensors[0].shape) != 2 or not (is_dense(layer) or between):
            break
        stack.insert(0, node)
    return stack


# ---- the end of the model ----


def _final_activation(graph: FlatGraph, chain: list):
    """The layer whose softmax, or single sigmoid, ends the model; only what leaves the numbers as they are
    may follow it.
    """
    for node in reversed(chain):
        layer, width = node.operation, node.outputs[0].shape[-1]
        if width == graph.output.shape[-1] and (_is_softmax(node) if width > 1 else _is_sigmoid(layer)):
            return layer
        if not _leaves_numbers(layer):
            return None
    return None


def _leaves_numbers(layer) -> bool:
    return type(layer) in IDENTITIES | _RESHAPERS or (
        type(layer) is L.Activation and layer.activation is A.linear
    )


def _is_softmax(node) -> bool:
    """Whether a call ends in a softmax over its last axis, exactly."""
    layer = node.operation
    if type(layer) is L.Softmax:
        last = len(node.outputs[0].shape) - 1
        return len(node.input_tensors) == 1 and layer.axis in (-1, last) and is_plain(layer)
    return _known_ending(layer) and layer.activation is A.softmax


def _is_sigmoid(layer) -> bool:
    return _known_ending(layer) and layer.activation is A.sigmoid


def _known_ending(layer) -> bool:
    return is_dense(layer) or (type(layer) is L.Activation and is_plain(layer))


def _reading(graph: FlatGraph, chain: list) -> Reading | None:
    """What the graph tells of the model's outputs; None where only their values can tell."""
    width = graph.output.shape[-1]
    if _final_activation(graph, chain) is not None:
        return Reading("probabilities" if width > 1 else "sigmoid", "the graph")
    last = next((node.operation for node in reversed(chain) if not _leaves_numbers(node.operation)), None)
    if width > 1 and last is not None and is_dense(last) and last.activation is A.linear:
        return Reading("logits", "the graph")
    return None
