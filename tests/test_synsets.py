import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitnb.profiles import load_profile
from unitnb.synsets import by_wnid, find_synset, synsets

# Index, wnid and name as in Keras's imagenet_class_index.json.
KNOWN = [
    (0, "n01440764", "tench"), (54, "n01729322", "hognose_snake"),
    (86, "n01807496", "partridge"), (207, "n02099601", "golden_retriever"),
    (281, "n02123045", "tabby"), (340, "n02391049", "zebra"),
    (404, "n02690373", "airliner"), (782, "n04152593", "screen"),
    (985, "n11939491", "daisy"), (999, "n15075141", "toilet_tissue"),
]  # fmt: skip


@pytest.mark.parametrize(("index", "wnid", "name"), KNOWN)
def test_ten_known_classes_by_every_name(index, wnid, name):
    found = {
        find_synset(said) for said in (index, str(index), wnid, name, name.replace("_", " "), name.upper())
    }
    assert [(synset.index, synset.wnid, synset.name) for synset in found] == [(index, wnid, name)]


def test_there_are_1000_sorted_wnids_and_as_many_names():
    assert len(synsets()) == len(by_wnid()) == 1000 and list(by_wnid()) == sorted(by_wnid())
    assert len({synset.name.casefold() for synset in synsets()}) == 1000
    assert all(
        find_synset(said) is synset
        for synset in synsets()
        for said in (synset.name, synset.wnid, synset.index)
    )


def test_a_name_of_two_classes_is_refused_and_their_own_names_differ():
    with pytest.raises(ValueError, match="means 2 classes of ImageNet; give one of n02012849, n03126707"):
        find_synset("crane")
    assert [find_synset(wnid).name for wnid in ("n02012849", "n03126707")] == [
        "crane_n02012849",
        "crane_n03126707",
    ]


def test_further_names_count_unless_they_are_the_first_of_another():
    assert find_synset("puff adder").index == 54
    polecat = find_synset("polecat")  # a further name of the skunk, too
    assert polecat.names[0] == "polecat" and "polecat" in find_synset("skunk").names


@pytest.mark.parametrize("said", ["hognos snake", "1000", "-5", "", "n00000000", None])
def test_an_unknown_class_is_named_with_what_is_expected(said):
    with pytest.raises(
        ValueError, match=r"unknown class '.*expected a name, a wnid \(n01729322\) or an index 0 to 999"
    ):
        find_synset(said)
    if said == "hognos snake":
        with pytest.raises(ValueError, match="did you mean 'hognose_snake'"):
            find_synset(said)


@given(st.text(max_size=12))
def test_any_text_gives_a_class_or_a_value_error(said):
    try:
        assert find_synset(said) in synsets()
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize("said", ["hognose snake", "n01729322", 54])
def test_a_profile_calls_a_class_by_one_name_however_it_was_given(said):
    profile = load_profile("imagenet", {"target_class": said})
    assert profile.target_class == "hognose_snake" and profile == load_profile("imagenet")


def test_make_asks_for_the_name_without_an_environment():
    run = [sys.executable, "-S", "-m", "unitnb.synsets"]
    assert subprocess.run([*run, "n01729322"], capture_output=True, text=True).stdout == "hognose_snake\n"
    unknown = subprocess.run([*run, "hognos snake"], capture_output=True, text=True)
    assert unknown.returncode == 1 and not unknown.stdout and "did you mean" in unknown.stderr
