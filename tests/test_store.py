import subprocess
import sys

import numpy as np
import pytest

from unitnb.files import store

ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([True, False])}


def test_arrays_and_description_come_back_and_bytes_repeat(tmp_path):
    for name in ("one.npz", "two.npz"):
        store.write_npz(tmp_path / "deep" / name, ARRAYS, {"recipe": {"epochs": 3}})
    arrays, meta = store.read_npz(tmp_path / "deep" / "one.npz")
    assert meta == {"recipe": {"epochs": 3}} and all(np.array_equal(arrays[k], ARRAYS[k]) for k in ARRAYS)
    assert (tmp_path / "deep" / "one.npz").read_bytes() == (tmp_path / "deep" / "two.npz").read_bytes()


def test_an_error_while_writing_leaves_the_old_file_and_no_debris(tmp_path):
    path = tmp_path / "result.txt"
    store.write_text(path, "old")
    with pytest.raises(RuntimeError), store.atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("power cut")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty", "pickle"])
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "weights.npz"
    store.write_npz(path, {"a": np.random.default_rng(0).random(1000)})
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[: len(whole) // 2], "text": b"<html>", "empty": b""}.get(damage, whole))
    if damage == "flipped":
        path.write_bytes(whole[:500] + bytes([whole[500] ^ 255]) + whole[501:])
    if damage == "pickle":
        np.savez(path, a=np.array([{}], object), meta=np.array("{}"))
    with pytest.raises(store.DamagedFileError, match="weights.npz is damaged"):
        store.read_npz(path)


def test_a_result_is_computed_once_a_key(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return ARRAYS

    for key in ({"n": 1}, {"n": 1}, {"n": 2}):
        assert np.array_equal(store.cached(tmp_path, "births", key, compute)["a"], ARRAYS["a"])
    assert len(calls) == 2


def test_a_damaged_result_is_set_aside_and_computed_anew(tmp_path):
    store.cached(tmp_path, "births", {}, lambda: ARRAYS)
    path = next(tmp_path.glob("births-*.npz"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.warns(UserWarning, match="set aside as .*corrupt and computed anew"):
        again = store.cached(tmp_path, "births", {}, lambda: ARRAYS)
    assert np.array_equal(again["b"], ARRAYS["b"]) and path.with_suffix(".corrupt").exists()
    assert store.read_npz(path)[0].keys() == ARRAYS.keys()


def test_a_digest_sees_shape_type_and_value():
    a = np.arange(6, dtype=np.int32)
    others = [a.reshape(2, 3), a.astype(np.int64), a + 1, a.tolist()]
    assert store.digest(a) == store.digest(a.copy()) and store.digest(a) not in [
        store.digest(other) for other in others
    ]
    assert store.digest(a[::2]) == store.digest(a[::2].copy())


WORKER = """
import sys, time
import numpy as np
from unitnb.files import store

def compute():
    print("computed", flush=True)
    time.sleep(1)
    return {"a": np.arange(3)}

print(store.cached(sys.argv[1], "maps", {"x": 1}, compute, alone=True)["a"].sum(), flush=True)
"""


def test_processes_side_by_side_compute_a_result_once_if_it_is_to_be_computed_alone(tmp_path):
    pair = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=60)[0].split() for process in pair]
    assert sorted(told, key=len) == [["3"], ["computed", "3"]]
