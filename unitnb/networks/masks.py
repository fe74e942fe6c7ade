"""A part of a network run on maps in which some units show something else: what the general engine runs."""

import keras


class UnitMask(keras.layers.Layer):
    """Maps (n, h, w, u) with ``fill`` (1, h, w, u) in place of the units whose mask (n, u) is 0."""

    def call(self, inputs):
        maps, mask, fill = inputs
        return keras.ops.where(mask[:, None, None, :] > 0, maps, fill)


def masking_model(trunk: keras.Model) -> keras.Model:
    """``trunk`` behind a mask: inputs are maps, mask, fill and what else ``trunk`` takes besides its maps."""
    shape = trunk.inputs[0].shape[1:]
    maps, fill = keras.Input(shape, name="maps_to_mask"), keras.Input(shape, name="fill_of_absent_units")
    mask = keras.Input((shape[-1],), name="units_in_place")
    others = [keras.Input(tensor.shape[1:], dtype=tensor.dtype) for tensor in trunk.inputs[1:]]
    masked = UnitMask(dtype="float32")([maps, mask, fill])
    return keras.Model([maps, mask, fill, *others], trunk([masked, *others] if others else masked))
