import io
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ilsvrc_files import write_tar

from unitnb.files.store import DamagedFileError
from unitnb.images import tars

FILES = {
    "b.JPEG": b"second",
    "a.jpg": b"first image",
    "notes.txt": b"no image",
    "._a.jpg": b"left by a file manager",
}


def read_all(path, index):
    places = zip(index["offsets"].tolist(), index["sizes"].tolist(), strict=True)
    return dict(
        zip(index["names"].tolist(), [tars.read_member(path, *place) for place in places], strict=True)
    )


def special(path, **fields):
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("x.JPEG")
        for name, value in fields.items():
            setattr(member, name, value)
        archive.addfile(member)
    return path


def test_images_are_indexed_by_name_and_read_in_place(tmp_path):
    path = write_tar(tmp_path / "x.tar", {f"folder/{name}": content for name, content in FILES.items()})
    index = tars.images_in_tar(path, tmp_path / "cache")
    assert read_all(path, index) == {b"a.jpg": b"first image", b"b.JPEG": b"second"} and index[
        "names"
    ].tolist() == [b"a.jpg", b"b.JPEG"]


def test_a_tar_of_tars_is_read_without_unpacking(tmp_path):
    inner = {
        f"{group}.tar": {f"{group}_{i}.JPEG": f"{group} {i}".encode() for i in range(3)}
        for group in ("n2", "n1")
    }
    packed = {name: write_tar(tmp_path / name, files).read_bytes() for name, files in inner.items()}
    path = write_tar(tmp_path / "all.tar", packed)
    before = set(tmp_path.rglob("*"))
    index = tars.images_in_tars(path, tmp_path / "cache")
    assert read_all(path, index) == {
        name.encode(): content for files in inner.values() for name, content in files.items()
    }
    assert index["groups"].tolist() == [b"n2"] * 3 + [b"n1"] * 3
    assert {new.parent.name for new in set(tmp_path.rglob("*")) - before} <= {"cache", tmp_path.name}


def test_an_index_is_kept_until_the_archive_changes(tmp_path, monkeypatch):
    path = write_tar(tmp_path / "x.tar", FILES)
    first = tars.images_in_tar(path, tmp_path / "cache")
    monkeypatch.setattr(tars, "images_in", lambda *_: pytest.fail("indexed again"))
    again = tars.images_in_tar(path, tmp_path / "cache")
    assert all(np.array_equal(first[name], again[name]) for name in first)
    monkeypatch.undo()
    write_tar(path, {**FILES, "c.png": b"third"})
    assert tars.images_in_tar(path, tmp_path / "cache")["names"].tolist() == [b"a.jpg", b"b.JPEG", b"c.png"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "no plain file"),
        ({"type": tarfile.LNKTYPE, "linkname": "a.jpg"}, "no plain file"),
        ({"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5}, "no plain file"),
        ({"type": tarfile.FIFOTYPE}, "no plain file"),
    ],
)
def test_what_is_no_plain_file_is_refused(tmp_path, fields, said):
    with pytest.raises(DamagedFileError, match=f"'x.JPEG'.*{said}"):
        tars.images_in_tar(special(tmp_path / "x.tar", **fields), tmp_path / "cache")


def test_a_member_too_large_for_an_image_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tars, "IMAGE_BYTES", 10)
    with pytest.raises(DamagedFileError, match="'a.jpg' of 11 bytes; no image may have more than 10"):
        tars.images_in_tar(write_tar(tmp_path / "x.tar", FILES), tmp_path / "cache")


@pytest.mark.parametrize("kept", [0, 300, 512, 700, 1024, 1536, 3000])
def test_an_archive_cut_anywhere_is_damaged(tmp_path, kept):
    path = write_tar(tmp_path / "x.tar", FILES)  # four files in two blocks each, then the closing blocks
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedFileError, match="x.tar is no whole tar archive"):
        tars.images_in_tar(path, tmp_path / "cache")


def test_an_inner_archive_that_is_cut_does_not_run_into_the_next(tmp_path):
    whole = write_tar(tmp_path / "n1.tar", FILES).read_bytes()
    path = write_tar(tmp_path / "all.tar", {"n1.tar": whole[:1024], "n2.tar": whole})
    with pytest.raises(DamagedFileError, match="n1.tar is no whole tar archive"):
        tars.images_in_tars(path, tmp_path / "cache")


def test_names_lead_nowhere(tmp_path):
    path = write_tar(tmp_path / "x.tar", {"../../evil.JPEG": b"1", "/etc/evil2.JPEG": b"2"})
    assert tars.images_in_tar(path, tmp_path / "cache")["names"].tolist() == [b"evil.JPEG", b"evil2.JPEG"]
    assert not list(tmp_path.parent.glob("evil*"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_altered_archives_are_read_or_refused_as_damaged(data):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    content = bytearray(buffer.getvalue()[:6144])
    for position in data.draw(st.lists(st.integers(0, 4095), min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    try:
        index = tars.images_in(io.BytesIO(bytes(content)), "x.tar")
        ends = index["offsets"] + index["sizes"]
        assert (
            (index["sizes"] >= 0).all()
            and (index["offsets"] >= tarfile.BLOCKSIZE).all()
            and (ends <= len(content)).all()
        )
    except DamagedFileError as error:
        assert "x.tar" in str(error)
