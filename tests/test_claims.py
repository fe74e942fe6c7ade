"""The claims: each criterion on made-up results, the record and its documents, and the measures."""

import itertools
import json
from collections import Counter
from dataclasses import replace

import keras
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

import unitnb
from unitnb import cli
from unitnb.ablation.curves import Curve
from unitnb.claims import (
    documents,
    listing,
    measures,
    measures_ablation,
    measures_extension,
    measures_networks,
    measures_overfitting,
    measures_seeds,
    measures_stability,
    picture,
    recipes,
    verdicts,
)
from unitnb.claims.criteria import BY_ID, CLAIMS
from unitnb.claims.grades import (
    BY_CONSTRUCTION,
    FAILS,
    HOLDS,
    HOLDS_IN_PART,
    NOT_MEASURED,
    ONE_TRAINING,
    VERDICTS,
    grade,
    grade_if,
)
from unitnb.files import store
from unitnb.notebooks import rules
from unitnb.profiles import load_profile
from unitnb.roles import relations

S3 = {"seeds": 3}
SETS = ("S_100", "S_1000", "S_val")


def lows_highs(low, high, names, margin=None):
    ends = {f"low, {name}": low for name in names} | {f"high, {name}": high for name in names}
    return ends if margin is None else ends | {f"margin, {name}": margin for name in names}


FIG1 = {"vertices": 5, "edges": 4, "triangles": 0, "holes": 0, "hole of the four points": 4}
AUTOMATIC = {**S3, "vertices": 14, "edges": 91, "images": 100, "histograms": 128}
SIGNS = {**S3, "classes": 10, "H": 1.0, "rate": 0.9, "E": 0.93, "early peak": 0.97}
GAPS = {
    **S3,
    "gap of A": [0.1, 0.1, 0.1],
    "gap of B": [0.2, 0.2, 0.2],
    "gap of C": [0.3, 0.3, 0.3],
    "gap of D": [0.6, 0.6, 0.6],
}
MANY = {**S3, "models": 12, "interval": [0.5, 0.9]}
DEPTH = {
    "tau": -1.0,
    "studied layer, trained": 1.9,
    "studied layer, random": 2.9,
    "fall, trained": 0.9,
    "fall, random": 0.1,
}
BEATEN = ("low, L1", "low, APoZ", "low, mean activation")
EXTENDED = ("a residual network runs", "maps that are not square run", "C15 holds", "C18 holds")
BULK = {"random orders beaten": 1.0, "low, with half": -0.01, "random orders beaten, with half": 0.95}
SCALES = {"ratio of L1": 0.5, "ratio of mean activation, images": 0.6}
EXCESS = {"excess": 1.3, "empty layer": 7.26, "low, on test images": 0.5, "random orders beaten": 1.0}
MADE_UP = {  # claim: (a result that must hold, or is true by construction; one that must not hold at all)
    "C01": (FIG1, {**FIG1, "holes": 1, "hole of the four points": 3}),
    "C02": (
        {"changed by scale": 0, "changed by (2, 2)": 0.0, "changed by (2, 0)": 0.0},
        {"changed by scale": 0, "changed by (2, 2)": 0.1, "changed by (2, 0)": 0.6},
    ),
    "C03": ({"maps": 200, "not nested": 0}, {"maps": 200, "not nested": 1}),
    "C04": (
        {"maps": 9, "other than GUDHI": 0, "above B_max": 0},
        {"maps": 9, "other than GUDHI": 1, "above B_max": 2},
    ),
    "C05": (
        {"classes": 10, "classes above 0": 6, "classes above 0 given the rate": 6},
        {"classes": 10, "classes above 0": 5, "classes above 0 given the rate": 0},
    ),
    "C06": (
        {**S3, "fall of H": [0.2, 0.1, 0.3], "interval": [0.1, 0.3]},
        {**S3, "fall of H": [0.2, -0.1, 0.3], "interval": [-0.1, 0.3]},
    ),
    "C07": (SIGNS, {**SIGNS, "classes": 9}),
    "C08": (AUTOMATIC, {**AUTOMATIC, "vertices": 7}),
    "C09": ({**S3, "share of units": [0.5, 0.1, 0.2]}, {**S3, "share of units": [0.0, 0.0, 0.0]}),
    "C10": ({**S3, "tau": [-0.5, -0.9, -0.1]}, {**S3, "tau": [0.5, 0.0, 0.1]}),
    "C11": (
        {
            **S3,
            "correlation": [0.9, 0.81, 0.95],
            "first epoch, H": [0.4, 0.5, 0.6],
            "first epoch, loss": [0.7, 0.5, 0.6],
        },
        {
            **S3,
            "correlation": [0.9, 0.7, 0.95],
            "first epoch, H": [0.4, 0.2, 0.6],
            "first epoch, loss": [0.7, 0.5, 0.6],
        },
    ),
    "C12": (
        {**S3, "correlation": [0.0, 0.1, 0.05], "permuted": 0.17},
        {**S3, "correlation": [0.8, 0.9, 0.7], "permuted": 0.17},
    ),
    "C13": (
        {**S3, "tau": [-0.5, -0.9, -0.1], "interval": [-0.9, -0.1]},
        {**S3, "tau": [0.5, 0.0, 0.1], "interval": [-0.1, 0.5]},
    ),
    "C14": (
        {**S3, "tau of E": [-0.5, -0.2, -0.1], "tau of E = 0": [0.5, 0.2, 0.1]},
        {**S3, "tau of E": [-0.5, 0.2, -0.1], "tau of E = 0": [0.5, -0.2, 0.1]},
    ),
    "C15": (
        {"units": 0.033, "random orders": 0.9, "interval": [0.03, 0.05]},
        {"units": 0.4, "random orders": 0.9, "interval": None},
    ),
    "C16": (
        {"place": 0.7, "interval": [0.5, 0.9], "random orders beaten": 0.95},
        {"place": 0.992, "interval": [0.992, 0.992], "random orders beaten": 1.0},
    ),
    "C17": ({**EXCESS, "interval": [1.0, 1.5]}, {**EXCESS, "interval": [0.004, 0.007]}),
    "C18": (
        {"rise": 0.34, "removed": 0.96, "interval": [0.2, 0.4]},
        {"rise": 0.0, "removed": 0.1, "interval": [0.0, 0.1]},
    ),
    "C19": ({"width": 0.033}, {"width": "never"}),
    "C20": ({"distance": 0.05}, {"distance": 0.06}),
    "C21": (
        {"classes": 10, "rise": 1.0, "collapse": 0.9, "both": 0.9},
        {"classes": 10, "rise": 0.8, "collapse": 0.8, "both": 0.6},
    ),
    "C22": (
        {**BULK, "interval": [-0.04, 0.2]},
        {**BULK, "interval": [-0.2, 0.2], "random orders beaten, with half": 0.9},
    ),
    "C23": (lows_highs(-0.01, 0.01, SETS, 0.02), lows_highs(-0.01, 0.03, SETS, 0.02)),
    "C24": (
        {**lows_highs(0.1, 0.2, SETS), "slower than, S_100": 1.0, "slower than, S_val": 0.95},
        {**lows_highs(-0.1, 0.2, SETS), "slower than, S_100": 1.0, "slower than, S_val": 0.9},
    ),
    "C25": (
        lows_highs(-0.01, 0.01, ("IR_100", "IR_1000"), 0.02),
        lows_highs(-0.03, -0.01, ("IR_100", "IR_1000"), 0.02),
    ),
    "C26": ({"votes": 0.97, "low, rise": 0.1}, {"votes": 0.9, "low, rise": -0.1}),
    "C27": ({"low, ratio": 0.95, "low, other images": 0.91}, {"low, ratio": 0.85, "low, other images": 0.5}),
    "C28": ({"low, share": 0.92}, {"low, share": 0.85}),
    "C29": (GAPS, {**GAPS, "gap of D": [0.0, 0.0, 0.0]}),
    "C30": ({**S3, "kappa": [0.7, 0.6, 0.8]}, {**S3, "kappa": [0.5, 0.4, 0.3]}),
    "C31": (
        {**S3, "training": [0.1, 0.2, 0.1], "test": [0.1, 0.1, 0.1]},
        {**S3, "training": [0.1, 0.2, 0.1], "test": [0.0, -0.1, -0.1]},
    ),
    "C32": (
        {**S3, "place": [0.04, 0.1, 0.15], "above the full model": [0.3, 0.1, 0.2]},
        {**S3, "place": [0.04, 0.1, 0.2], "above the full model": [0.3, 0.0, 0.2]},
    ),
    "C33": (
        {**S3, "place in A": [0.1, 0.2, 0.1], "place in B": [0.3, 0.4, 0.2], "first third": [0.6, 0.7, 0.9]},
        {**S3, "place in A": [0.1, 0.5, 0.1], "place in B": [0.3, 0.4, 0.2], "first third": [0.6, 0.4, 0.9]},
    ),
    "C34": (
        {**S3, "training": [0.1, 0.0, 0.1], "test": [-0.1, -0.2, -0.1]},
        {**S3, "training": [0.1, -0.1, 0.1], "test": [0.1, -0.2, -0.1]},
    ),
    "C35": (
        {**S3, "test minus training": [-0.1, -0.2, -0.3]},
        {**S3, "test minus training": [0.1, 0.0, 0.3]},
    ),
    "C36": (
        {**MANY, "rho": 0.8, "p": 0.01, "low, more than the loss": 0.1},
        {**MANY, "rho": 0.8, "p": 0.06, "low, more than the loss": 0.1},
    ),
    "C37": ({**MANY, "rho": -0.8, "p": 0.01}, {**MANY, "rho": 0.8, "p": 0.01}),
    "C38": (
        {**S3, "share": [0.6, 0.7, 0.6], "by chance": [0.5, 0.5, 0.5], "place": [0.6, 0.7]},
        {**S3, "share": [0.4, 0.0, 0.4], "by chance": [0.5, 0.5, 0.5], "place": [0.6, 0.4]},
    ),
    "C39": (
        {**S3, "peak of A": [0.9, 0.9, 0.9], "peak of B": [0.8, 0.7, 0.8]},
        {**S3, "peak of A": [0.9, 0.9, 0.9], "peak of B": [1.0, 0.9, 1.0]},
    ),
    "C40": (
        {**S3, "slope in A": [-0.1, -0.2, -0.1], "least slope in B, C, D": [0.1, 0.0, 0.1]},
        {**S3, "slope in A": [-0.1, 0.2, -0.1], "least slope in B, C, D": [0.1, -0.1, 0.1]},
    ),
    "C41": (
        {**S3, "A": [0.035, 0.1, 0.1], "B": [0.117, 0.1, 0.1]},
        {**S3, "A": [0.1, 0.2, 0.1], "B": [0.5, 0.1, 0.1]},
    ),
    "C42": ({"low, correlation": 0.1, "low, damage": 0.02}, {"low, correlation": -0.1, "low, damage": 0.0}),
    "C43": (dict.fromkeys(BEATEN, 0.1), dict.fromkeys(BEATEN, 0.0)),
    "C44": (dict.fromkeys(EXTENDED, True), dict.fromkeys(EXTENDED, False)),
    "C45": (DEPTH, {**DEPTH, "tau": 0.2, "studied layer, random": 1.0, "fall, random": 0.8}),
    "C46": (
        {**SCALES, "change by weights": 0.0, "change by images": 0.03},
        {**SCALES, "change by weights": 0.1, "change by images": -0.2},
    ),
    "C47": (
        {**MANY, "rho": 0.8, "p": 0.01, "tau of the rate": -0.4},
        {**MANY, "rho": 0.8, "p": 0.2, "tau of the rate": 0.0},
    ),
    "C48": (
        {**MANY, "rho": 0.8, "p": 0.01, "share": 0.2, "share, placebo": 0.0},
        {**MANY, "rho": 0.8, "p": 0.1, "share": 0.2, "share, placebo": 0.3},
    ),
    "C49": ({**MANY, "rho": -0.8, "p": 0.01}, {**MANY, "rho": 0.1, "p": 0.01}),
    "C50": (dict.fromkeys(BEATEN, 0.1), dict.fromkeys(BEATEN, 0.0)),
    "C51": (
        {"accuracy": 0.1, "balanced accuracy": -0.01, "share of the units": 0.5},
        {"accuracy": -0.02, "balanced accuracy": 0.0, "share of the units": 0.1},
    ),
}
CONSTRUCTED = {"C01", "C03", "C04", "C08", "C09"}  # of which nothing could fail


def judged(claim, result):
    measured = {name: value for name, value in result.items() if name != "interval"}
    return verdicts.verdict(BY_ID[claim], measured, result.get("interval"))


# ---- the table ----


def test_all_claims_are_there_with_what_is_measured_and_where():
    names = [claim.id for claim in CLAIMS]
    assert names == sorted(set(names)) == list(MADE_UP)
    written = {file for source in rules.sources() for file in rules.saved_files(source)} | {""}
    stems = {source.stem for source in rules.sources()}
    for claim in CLAIMS:
        assert claim.place and claim.statement and claim.paper and claim.measure and claim.criterion
        assert claim.notebook in stems and claim.figure in written, claim.id
    seeded = {claim.id for claim in CLAIMS if claim.seeds >= 3}
    assert seeded == {f"C{n:02}" for n in (6, 7, *range(10, 15), *range(29, 42), 47, 48, 49)}
    assert {claim.id for claim in CLAIMS if claim.construction} >= CONSTRUCTED


def test_the_list_of_criteria_is_made_from_the_code():
    text = listing.PATH.read_text(encoding="utf-8")
    assert text == listing.criteria_document(), "stale; make it with: python -m unitnb.claims.listing"
    assert all(f"| {claim.id} | {claim.statement} |" in text for claim in CLAIMS)


@pytest.mark.parametrize("claim", MADE_UP)
def test_a_criterion_passes_and_fails(claim):
    good, bad = MADE_UP[claim]
    assert judged(claim, good) == (BY_CONSTRUCTION if claim in CONSTRUCTED else HOLDS)
    assert judged(claim, bad) == FAILS


@pytest.mark.parametrize("claim", [claim.id for claim in CLAIMS if claim.seeds])
def test_two_training_seeds_are_no_verdict(claim):
    assert judged(claim, {**MADE_UP[claim][0], "seeds": 2}) == ONE_TRAINING
    assert judged(claim, {"seeds": 1, "anything": 0.5}) == ONE_TRAINING
    assert judged(claim, {}) == NOT_MEASURED


@pytest.mark.parametrize(
    "claim, change",
    [
        ("C05", {"classes above 0 given the rate": 0}),
        ("C10", {"tau": [-0.5, 0.5, -0.5]}),
        ("C15", {"units": 0.2}),
        ("C16", {"random orders beaten": 0.9}),
        ("C17", {"low, on test images": -0.1}),
        ("C18", {"removed": 0.4}),
        ("C21", {"rise": 0.5, "both": 0.5}),
        ("C22", {"low, with half": -0.2}),
        ("C23", {"high, S_val": 0.05}),
        ("C26", {"votes": 0.5}),
        ("C27", {"low, other images": 0.7}),
        ("C36", {"low, more than the loss": -0.1}),
        ("C37", {"p": 0.3}),
        ("C43", {"low, APoZ": -0.1}),
    ],
)
def test_some_conditions_met_is_holds_in_part(claim, change):
    assert judged(claim, {**MADE_UP[claim][0], **change}) == HOLDS_IN_PART


def test_grades():
    assert [grade(*met) for met in ((True,), (True, False), (False, False))] == [HOLDS, HOLDS_IN_PART, FAILS]
    assert [grade_if(*met) for met in ((True, True), (True, False), (False, True))] == [
        HOLDS,
        HOLDS_IN_PART,
        FAILS,
    ]


# ---- the record ----


@pytest.fixture
def profile(monkeypatch, tmp_path):
    monkeypatch.setenv("UNITNB_FIGURES", str(tmp_path))
    return load_profile("shapes")


@pytest.fixture
def committed(monkeypatch):
    """The figures of the repository, also where the notebooks' tests send figures elsewhere."""
    monkeypatch.delenv("UNITNB_FIGURES", raising=False)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def record(profile, claim="C15", **changes):
    return verdicts.record_claims(profile, BY_ID[claim].notebook, {claim: {**MADE_UP[claim][0], **changes}})


def entry(profile, claim="C15"):
    return {e["id"]: e for e in json.loads((profile.figures_folder / "claims.json").read_text())}[claim]


def test_a_record_holds_every_claim_with_a_verdict_or_a_reason_and_a_command(profile):
    record(profile)
    entries = json.loads((profile.figures_folder / "claims.json").read_text())
    assert [e["id"] for e in entries] == [claim.id for claim in CLAIMS]
    assert {
        "id",
        "place",
        "statement",
        "paper",
        "measured",
        "interval",
        "criterion",
        "verdict",
        "figure",
    } <= set(entries[0])
    assert entry(profile)["verdict"] == HOLDS and entry(profile)["interval"] == [0.03, 0.05]
    for e in entries:
        assert e["verdict"] in VERDICTS and (e["verdict"] == NOT_MEASURED) == bool(e["why"] and e["command"])
        assert e["effect"] and e["resampled"]
    assert (entry(profile, "C05")["why"], entry(profile, "C05")["command"]) == (
        "06_controls has not recorded it",
        "make figures PROFILE=shapes",
    )
    assert "3 training seeds" in entry(profile, "C06")["why"]
    assert (
        entry(profile, "C06")["command"] == "make train PROFILE=shapes EXTRA=1 && make figures PROFILE=shapes"
    )


def test_the_remedy_for_too_few_seeds_works(profile):
    record(profile, "C29", seeds=1)
    found = entry(profile, "C29")
    assert found["verdict"] == ONE_TRAINING and "1 was measured" in found["why"]
    assert found["measured"]["gap of A"] == [0.1, 0.1, 0.1]  # the numbers stand
    without = replace(profile, extra={})
    edit = verdicts._more_seeds(without, "make figures PROFILE=shapes")
    assert edit.startswith("add recipes A1:") and "profiles/shapes.yaml" in edit
    given = verdicts._more_seeds(load_profile("imagenette"), "make figures")
    assert "make train" not in given and "given network" in given


def test_notebooks_add_to_one_record_and_replace_their_own_part(profile):
    record(profile, "C19")
    record(profile, "C43")
    record(profile, "C15")  # of the notebook of C19
    assert (
        entry(profile, "C43")["verdict"] == entry(profile, "C15")["verdict"] == HOLDS
        and entry(profile, "C19")["verdict"] == NOT_MEASURED
    )


def test_a_second_run_gives_the_same_bytes_and_so_does_one_with_noise(profile):
    written = []
    for noise in (0, 0, 1e-7):
        record(profile, units=0.033 + noise, interval=(0.03 - noise, 0.05))
        documents.write_claims(profile)
        written.append(
            [(profile.figures_folder / name).read_bytes() for name in ("claims.json", "CLAIMS.md")]
        )
    assert written[0] == written[1] == written[2]


def test_changing_a_stored_number_changes_the_verdict(profile, capsys):
    record(profile)
    path = profile.figures_folder / "claims.json"
    assert cli.main(["claims"]) == 0 and "C15  holds  " in capsys.readouterr().out
    path.write_text(path.read_text().replace('"units": 0.033', '"units": 0.5'))
    assert cli.main(["claims"]) == 0 and "C15  does not hold" in capsys.readouterr().out
    assert (
        entry(profile)["verdict"] == FAILS
        and "units 0.5 [0.03, 0.05]; random orders 0.9" in (profile.figures_folder / "CLAIMS.md").read_text()
    )


def test_a_verdict_typed_into_the_record_does_not_last(profile):
    record(profile)
    path = profile.figures_folder / "claims.json"
    path.write_text(path.read_text().replace('"verdict": "holds"', '"verdict": "does not hold"'))
    assert documents.write_claims(profile)[14]["verdict"] == HOLDS == entry(profile)["verdict"]


def test_numbers_that_json_lacks(profile):
    record(profile, units=np.inf, interval=(0.5, np.inf))
    assert entry(profile)["measured"]["units"] == "never" and entry(profile)["verdict"] == FAILS
    record(profile, units=np.nan)
    assert entry(profile)["verdict"] == NOT_MEASURED and "units: undefined" in entry(profile)["why"]
    verdicts.record_claims(profile, "05_roles", {"C37": {"reason": "no model has any"}})
    assert entry(profile, "C37")["why"] == "no model has any"


def test_rounding_keeps_exactness_and_integers():
    assert verdicts._rounded([3, np.int64(12800), 0.61071, 1e-9, -1e-9, np.float32(0.25)]) == [
        3,
        12800,
        0.611,
        0.0,
        0.0,
        0.25,
    ]
    assert str(verdicts._rounded(-1e-9)) == "0.0"


def test_errors_name_what_came_and_what_is_known(profile, capsys):
    with pytest.raises(ValueError, match="unknown claim 'C61': did you mean"):
        verdicts.record_claims(profile, "03_ablation", {"C61": {}})
    with pytest.raises(ValueError, match="C15 is measured by 03_ablation, not by 04_stability"):
        verdicts.record_claims(profile, "04_stability", {"C15": {}})
    assert cli.main(["claims", "--class", "ring"]) == 1
    assert "make it with: make figures PROFILE=shapes CLASS=ring" in capsys.readouterr().err


NAMELESS = '[{"id": "C15", "measured": [1], "interval": null, "reason": ""}]'


def test_a_record_of_an_older_version_is_read(profile):
    """Its numbers stay; what the criterion asks for now and they lack is no verdict."""
    record(profile, "C16")
    path = profile.figures_folder / "claims.json"
    entries = json.loads(path.read_text())
    old = [{k: v for k, v in e.items() if k not in ("effect", "resampled", "classes")} for e in entries]
    old[15]["measured"] = {"place": 0.9}
    path.write_text(json.dumps(old))
    found = verdicts.load_claims(profile)[15]
    assert found["verdict"] == NOT_MEASURED and "older version" in found["why"]
    assert found["measured"] == {"place": 0.9} and documents.write_claims(profile)


def test_the_same_reading_in_every_class(profile):
    numbers = MADE_UP["C15"][0]
    by_class = {"square": numbers, "ring": {**numbers, "units": 0.5, "random orders beaten": 0.4}}
    by_class["square"] = numbers | {"random orders beaten": 1.0}
    record(profile, **{"by class": by_class})
    assert entry(profile)["classes"]["ring"]["measured"]["units"] == 0.5
    text = documents.claims_document(documents.write_claims(profile), "title")
    assert "| C15 | units | 0.033 ● | 0.5 ✕ | 70% |" in text


@pytest.mark.parametrize("text", ["", "[{]", "{}", '[{"id": "C99"}]', NAMELESS, "[3]"])
def test_a_damaged_record_is_an_error_that_names_it(profile, text, capsys):
    record(profile)
    path = profile.figures_folder / "claims.json"
    path.write_text(text if text else path.read_text()[:500])
    with pytest.raises(store.DamagedFileError, match="claims.json is no record of claims"):
        record(profile, "C43")
    assert cli.main(["claims"]) == 1 and "remove it, then: make figures" in capsys.readouterr().err


OTHER_KINDS = (None, 3, "x", [], [[1]], {"a": "b"}, True, float("nan"))


def places(found, above=()):
    """Every place in nested dictionaries and lists, as the keys that lead there."""
    pairs = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, inner in pairs:
        yield (*above, key)
        yield from places(inner, (*above, key))


def test_a_record_with_values_of_another_kind_is_read_or_named(profile):
    record(profile, **{"by class": {name: MADE_UP["C15"][0] for name in ("square", "ring")}})
    path = profile.figures_folder / "claims.json"
    stored = path.read_text()
    outcomes = Counter()
    for place, value in itertools.product(places(entry(profile)), (*OTHER_KINDS, "removed")):
        altered = json.loads(stored)
        inner = next(e for e in altered if e["id"] == "C15")
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value
        if value == "removed":
            del inner[place[-1]]
        path.write_text(json.dumps(altered))
        try:
            documents.claims_document(verdicts.load_claims(profile), "title")
            outcomes["read"] += 1
        except store.DamagedFileError as error:
            outcomes["damaged"] += 1
            assert "claims.json is no record of claims" in str(error)
    assert min(outcomes["read"], outcomes["damaged"]) > 20


# ---- documents ----


def test_the_difference_of_two_runs(profile, capsys):
    other = replace(profile, target_class="ring")
    for run, units in ((profile, 0.03), (other, 0.5)):
        record(run, units=units)
        record(run, "C43")
    assert cli.main(["claims", "--diff", "shapes/ring"]) == 0
    shown = capsys.readouterr().out
    assert f"1 of {len(CLAIMS)} verdicts differ" in shown and "C43" not in shown
    assert (
        "shapes/square        holds" in shown
        and "shapes/ring          does not hold" in shown
        and "units 0.5" in shown
    )


def test_the_document_is_a_table_of_all_claims(profile):
    record(profile)
    text = documents.claims_document(documents.write_claims(profile), "title")
    rows = [line for line in text.splitlines() if line.startswith("| **C")]
    assert (
        len(rows) == len(CLAIMS)
        and rows[14].count("|") == 7
        and "● holds" in rows[14]
        and "[fig3.png](fig3.png)" in rows[14]
    )
    assert text.count("not measured: ") == len(CLAIMS) - 1


def test_the_picture_has_a_cell_for_each_claim_and_profile(profile):
    record(profile)
    figure = picture.claims_figure({"shapes": verdicts.load_claims(profile), "imagenet": "not run here"})
    axes = figure.axes[0]
    colours = [matplotlib.colors.to_hex(patch.get_facecolor()).upper() for patch in axes.patches]
    assert (
        len(colours) == 2 * len(CLAIMS)
        and colours.count(picture.FILLS[HOLDS]) == 1
        and colours.count(picture.FILLS[NOT_MEASURED]) == 2 * len(CLAIMS) - 1
    )
    assert len(set(picture.FILLS.values())) == len(set(picture.MARKS.values())) == len(VERDICTS)


def test_a_profile_that_was_not_run_says_how(profile):
    columns = documents.overview()
    assert columns["cifar10"] == "not run here: `make figures PROFILE=cifar10`"
    assert "make figures PROFILE=imagenet DATA=... WEIGHTS=..." in columns["imagenet"]


@pytest.mark.parametrize("name", ["shapes", "cifar10", "cifar10-vgg16", "imagenette-vgg-block", "imagenette"])
def test_the_committed_verdicts_are_those_of_the_committed_numbers(committed, name):
    profile = load_profile(name)
    entries = verdicts.load_claims(profile)
    assert json.loads((profile.figures_folder / "claims.json").read_text()) == entries
    assert all(e["measured"] or e["why"] and e["command"] for e in entries)
    document = (profile.figures_folder / "CLAIMS.md").read_text(encoding="utf-8")
    again = documents.claims_document(entries, f"{name}, class {profile.target_class}")
    assert document == again, "stale; make it with: unitnb claims"


def test_every_notebook_records_its_claims():
    for source in rules.sources():
        if any(claim.notebook == source.stem for claim in CLAIMS):
            assert f'unitnb.record_claims(p, "{source.stem}", ' in source.read_text()


# ---- what they are judged by ----


def curve(accuracy, loss=None, mode="remove", n=10):
    """A curve whose accuracy is as given, in tenths, on n images."""
    accuracy = np.asarray(accuracy, float)
    correct = np.arange(n) < np.round(accuracy * n)[:, None]
    losses = np.repeat(np.asarray(1 - accuracy if loss is None else loss, float)[:, None], n, axis=1)
    return Curve(mode, np.arange(len(accuracy) - 1), "", 10, correct, losses, losses, correct)


def test_the_paper_ablation_by_hand():
    removed = curve([1, 0.1, 0, 0, 0], loss=[0, 5, 8, 7, 6])
    reverse = curve([0.5, 0.6, 0.7, 1, 0], loss=[1, 0.9, 0.8, 0.1, 6])
    late, early = curve([1, 1, 1, 0.1, 0]), curve([1, 0, 0, 0, 0])
    one = measures_ablation.ClassCurves(removed, reverse, [late, late, late, early], removed)
    found = measures_ablation.ablation_claims({"one": one, "two": one._replace(reverse=removed)}, "one")
    assert found["C15"]["units"] == 0.25 and found["C15"]["random orders"] == 0.75
    assert found["C15"]["random orders beaten"] == 0.75 and found["C15"]["n"] == 10
    assert found["C16"]["place"] == 0.5 and found["C16"]["interval"] == (0.5, 0.5)
    assert found["C17"]["excess"] == 2 and found["C17"]["low, on test images"] == 2
    assert found["C17"]["empty layer"] == 6 and found["C17"]["random orders beaten"] == 1
    assert found["C18"]["rise"] == 0.5 and found["C18"]["removed"] == 0.75 and found["C18"]["interval"][0] > 0
    assert found["C19"]["width"] == 0.25 and found["C20"]["distance"] == 0
    # Both classes rise or collapse at 75%, over a quarter of so few units.
    assert found["C21"] == {"classes": 2, "rise": 0, "collapse": 0, "both": 0}
    assert found["C22"]["change"] == pytest.approx(-0.5) and found["C22"]["with half"] == pytest.approx(0.2)
    assert found["C22"]["by class"]["two"]["change"] == -1
    assert found["C18"]["by class"]["two"]["rise"] == 0


def test_a_transition_is_where_both_halve():
    falling = curve([1, 1, 1, 0.8, 0.2, 0], loss=[1, 0, 0, 0.1, 1, 4])
    assert measures_ablation.halving_distance(falling) == pytest.approx(1 / 5)  # at 4, and past 2 at 5
    assert measures_ablation.halving_distance(curve([1, 0.9, 0.8])) == np.inf


def areas_of(shift, rng, spread=0.01):
    """Areas of made-up ranks: IR_100 lies ``shift`` above IR_1000, random orders 0.4 above it."""
    base = rng.normal(0.5, 0.1, 60)
    ranks = {"IR_100": (1, shift), "IR_1000": (1, 0), "IR_val": (1, 0.2), "mean rank": (1, 0)}
    ranks |= {"sets": (10, shift), "small": (20, 0.1), "random": (20, 0.4)}
    ranks |= {"pools": (10, 0), "mean rank of pools": (10, 0)}
    one = {kind: base + by + spread * rng.standard_normal((n, 60)) for kind, (n, by) in ranks.items()}
    return dict.fromkeys(SETS, one)


def test_equal_and_unequal_ranks_by_hand():
    rng = np.random.default_rng(0)
    votes = {"votes": 0.97, "rise": 0.3, "ratio": 0.95, "other images": 0.92, "share": 0.95}
    votes = votes, {name: value + 0.001 * rng.standard_normal(10) for name, value in votes.items()}
    areas = {"same": areas_of(0, rng), "other": areas_of(0.1, rng)}
    table = {"set_size": np.array([50, 100]), "ratio": np.array([0.8, 0.95]), "kendall": np.ones((2, 3))}
    found = measures_stability.stability_claims(areas, dict.fromkeys(areas, votes), "same", table, 1000)
    plain = {claim: verdicts._storable(numbers) for claim, numbers in found.items()}
    got = {claim: verdicts.verdict(BY_ID[claim], f["measured"], f["interval"]) for claim, f in plain.items()}
    assert set(got.values()) == {HOLDS}
    assert found["C23"]["margin, S_1000"] == pytest.approx(0.04, abs=0.001)
    assert found["C27"]["K"] == 100 and found["C24"]["slower than, S_val"] == 1
    other = plain["C23"]["classes"]["other"]["measured"]
    assert other["S_1000"] == pytest.approx(0.1, abs=0.01) and judged("C23", other) == FAILS


def test_method_measures_agree_with_each_other():
    maps = np.maximum(np.random.default_rng(0).normal(size=(20, 8, 8, 3)), 0)
    found = measures.method_claims(maps, n_maps=30)
    assert (
        found["C01"] == FIG1
        and found["C03"] == {"maps": 30, "not nested": 0}
        and found["C04"]["other than GUDHI"] == 0
    )
    assert (
        found["C02"]["changed by scale"]
        == 0
        == found["C02"]["changed by (2, 2)"]
        < found["C02"]["changed by (2, 0)"]
    )


def test_a_wrong_birth_would_be_seen(monkeypatch):
    maps = np.maximum(np.random.default_rng(0).normal(size=(20, 8, 8, 3)), 0)
    right = measures.birth_points
    monkeypatch.setattr(
        measures,
        "birth_points",
        lambda *given, **named: right(*given, **named) + (right(*given, **named) == 6),
    )
    assert measures.method_claims(maps, n_maps=30)["C04"]["other than GUDHI"] > 0


def test_own_class_against_the_others():
    correlations, damage = (
        np.full((3, 3), 0.2) + 0.5 * np.eye(3),
        np.array([[0.5, 0.1, 0.3], [0.2, 0.4, 0.2], [0, 0.2, 0.1]]),
    )
    found = measures_networks.class_claim(correlations, damage)
    assert [found["correlation"], found["low, correlation"]] == pytest.approx([0.5, 0.5])
    assert found["damage"] == pytest.approx((0.3 + 0.2 + 0) / 3) and -1e-9 < found["low, damage"] < 0.1


def test_halving_the_weights_of_a_layer_halves_its_maps():
    model = unitnb.small_vgg(widths=(4, 4, 6), dense=5)
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)
    found = measures_networks.scale_claim(unitnb.split_model(model, "block2_conv3"), images[:3], images[3:])
    assert found["units changed"] == 0 and found["ratio of L1"] == found[
        "ratio of mean activation"
    ] == pytest.approx(0.5)
    depth = measures_networks.depth_claim(model, "block2_conv3", images)
    assert (
        len(depth["by layer, trained"]) == 5
        and depth["studied layer, random"] != depth["studied layer, trained"]
    )


def normalised_net(nested=False):
    """Two convolutions, each with normalisation and ReLU; a sum of branches; four classes."""
    images = keras.Input((16, 16, 3), name="images")
    x = keras.layers.ReLU(name="relu1")(convolved(images, 1))
    y = keras.layers.ReLU(name="relu2")(convolved(x, 2))
    base = keras.Model(images, keras.layers.Dropout(0.1)(keras.layers.Add(name="sum")([x, y])), name="base")
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4)]
    if nested:
        return keras.Sequential([keras.Input((16, 16, 3)), base, *head])
    return keras.Model(images, head[1](head[0](base.output)))


def convolved(x, number):
    x = keras.layers.Conv2D(6, 3, padding="same", name=f"conv{number}")(x)
    drawn = {
        name: keras.initializers.RandomUniform(0.5, 1)
        for name in ("moving_mean_initializer", "beta_initializer")
    }
    return keras.layers.BatchNormalization(name=f"bn{number}", **drawn)(x)


@pytest.mark.parametrize("path, nested", [("relu2", False), ("base/relu2", True)])
def test_scale_and_depth_reach_behind_normalisation_and_into_nested_models(path, nested):
    images = np.random.default_rng(0).random((6, 16, 16, 3), np.float32)
    split = unitnb.split_model(normalised_net(nested), path)
    found = measures_networks.scale_claim(split, images[:3], images[3:])
    assert found["units changed"] == 0 and found["ratio of L1"] == 0.5
    assert found["ratio of mean activation"] == pytest.approx(0.5)
    depth = measures_networks.depth_claim(split.model, path, images)
    relus = [split.graph.calls[path.replace("2", str(number))][0] for number in (1, 2)]
    maps = keras.Model(split.graph.entry, relus)(images)
    expected = [np.nanmean(unitnb.feature_entropy(unitnb.birth_points(np.asarray(m)))) for m in maps]
    found = np.array(depth["by layer, trained"]) + depth["by chance"]
    assert found == pytest.approx(expected) and (np.array(depth["by chance"]) > 0).all()


def test_units_without_filters_give_a_reason():
    split = unitnb.split_model(normalised_net(), "sum")
    images = np.zeros((2, 16, 16, 3), np.float32)
    assert "no filters" in measures_networks.scale_claim(split, images, images)["reason"]
    with pytest.raises(ValueError, match="no one convolution makes the maps of 'sum'"):
        unitnb.halved_weights(split.model, "sum")


def test_the_method_extends_where_it_runs_on_a_residual_network(profile):
    plain = unitnb.split_model(unitnb.small_vgg(widths=(4, 4, 6), dense=5), "block2_conv3")
    assert measures_extension.extension_claim(plain, profile) == {}
    curves = {"C15": {"units": 0.05, "random orders": 0.5}, "C18": {"interval": (0.1, 0.2), "removed": 0.5}}
    verdicts.record_claims(profile, "03_ablation", curves)
    found = measures_extension.extension_claim(unitnb.split_model(normalised_net(), "relu2"), profile)
    assert found == {
        "a residual network runs": 1,
        "maps that are not square run": 0,
        "C15 holds": 1,
        "C18 holds": 0,
    }


# ---- over seeds ----


MODELS = ["A", "B", "C", "D", "A1", "B1", "C1", "D1", "E", "A2", "B2", "C2", "D2"]


def stored_results(n_classes=4, units=12, epochs=5):
    """Made-up results in which every claim of training holds: made of straight lines."""
    rng = np.random.default_rng(0)
    m, fall = len(MODELS), np.linspace(1, 0.5, epochs + 1) ** 2
    by_epoch = np.tile(fall, (3, n_classes, 1))
    train = np.tile(np.r_[0, 0.5, 1, 1, np.linspace(1, 0.8, units - 3)], (m, n_classes, 1))
    train[MODELS.index("E")] *= 0.9
    test = (
        train
        * np.array([dict(A=0.9, B=0.8, C=0.6, D=0.3, E=0.7)[model[0]] for model in MODELS])[:, None, None]
    )
    return {
        "train": train,
        "test": test,
        "core": np.full((m, n_classes), 2),
        "head": np.full((m, n_classes), 2),
        "train_loss": 1 - test[..., -1],
        "kappa": np.full((m, n_classes), 0.7),
        "roles": np.tile([2, 0, 0, units - 2], (m, n_classes, 1)),
        "placebo": np.tile([2, 0, 0, units - 2], (m, n_classes, 1)),
        "confusing_place": np.full((m, n_classes), 0.6),
        "peak_place": np.full((m, n_classes), 2 / units),
        "peak_gain": np.full((m, n_classes), 0.2),
        "train_decline": np.full((m, n_classes), -0.2),
        "test_peak": test.max(axis=-1),
        "train_after_test": np.full((m, n_classes), 0.1),
        "test_after_test": np.full((m, n_classes), -0.1),
        "rank": rng.random((m, n_classes, units)).argsort(axis=-1),
        "partial": np.full((m, n_classes), 0.3),
        "entropy": 2 - test[..., -1],
        "rate": test[..., -1],
        "epoch_entropy": by_epoch,
        "epoch_rate": by_epoch,
        "epoch_effectiveness": by_epoch,
        "epoch_pooled_entropy": by_epoch,
        "epoch_zero": 1 - by_epoch,
        "epoch_index": np.full((3, n_classes, epochs), 0.9),
        "epoch_loss": np.tile(fall, (3, 1)),
    }


@pytest.fixture
def from_store(monkeypatch, profile):
    for name in ("spearman_interval", "spearman_difference"):
        slow = getattr(relations, name)
        monkeypatch.setattr(measures_overfitting, name, lambda *given, slow=slow: slow(*given, n_boot=20))

    def install(results, models=MODELS):
        monkeypatch.setattr(
            measures_seeds, "model_results", lambda _: None if results is None else (models, results)
        )
        recipes = {model: profile.models[model[0] if model[0] in "ABCD" else "C"] for model in models}
        known = replace(profile, models=recipes)
        rng = np.random.default_rng(0)
        births = {epoch: rng.integers(5, 20 - epoch, (20, 12)) for epoch in (0, 4, 9)}
        losses = np.array([1.0, 0.5, 0.4])
        found = measures_seeds.training_seed_claims(known, 14, births, losses)
        return found | measures_seeds.role_seed_claims(known, {"A": one_run()})

    return install


def one_run():
    order = np.arange(12)
    inserted = curve(np.r_[0, 0.5, 1, 1, np.linspace(1, 0.8, 9)], mode="insert")
    return inserted, inserted, unitnb.categorise_roles(order, inserted, inserted, n_boot=2)


def test_networks_of_a_recipe_are_its_seeds():
    assert [recipes.networks_of(MODELS, letter) for letter in "AD"] == [[0, 4, 9], [3, 7, 12]]


def test_claims_over_seeds_by_hand(from_store):
    found = from_store(stored_results())
    assert {claim.id for claim in CLAIMS if claim.seeds} | {"C08", "C09"} == set(found)
    plain = {claim: verdicts._storable(numbers) for claim, numbers in found.items()}
    got = {claim: verdicts.verdict(BY_ID[claim], p["measured"], p["interval"]) for claim, p in plain.items()}
    assert {claim for claim, name in got.items() if claim < "C15"} == {f"C{n:02}" for n in range(6, 15)}
    assert [got[f"C{n:02}"] for n in (6, 10, 13, 14)] == [HOLDS] * 4
    assert got["C08"] == got["C09"] == BY_CONSTRUCTION
    assert got["C12"] == got["C07"] == FAILS  # 4 classes are too few
    assert found["C06"]["fall of H"] == pytest.approx([0.75] * 3)
    assert found["C11"]["correlation"] == pytest.approx([1] * 3)
    assert found["C10"]["tau"] == pytest.approx([-1] * 3) and found["C10"]["n"] == 3
    assert [got[f"C{n}"] for n in (29, 30, 31, 34, 39)] == [HOLDS] * 5
    assert found["C29"]["gap of D"] == pytest.approx([0.56] * 3)
    assert found["C32"]["place"] == pytest.approx([2 / 12] * 3)
    assert found["C32"]["above the full model"] == pytest.approx([0.2] * 3)
    assert got["C37"] == NOT_MEASURED and "every model has the same" in found["C37"]["reason"]
    assert got["C40"] == HOLDS_IN_PART and got["C41"] == HOLDS
    assert found["C36"]["models"] == 13


def test_overfitted_units_against_the_placebo_by_hand(from_store):
    results = stored_results()
    gaps = (results["train"] - results["test"])[..., -1]
    overfitted = np.round(10 * gaps)
    results["roles"] = np.stack([10 - overfitted, overfitted, 0 * gaps, 2 + 0 * gaps], axis=-1)
    found = from_store(results)["C48"]
    assert found["rho"] > 0.9 and found["share, placebo"] == 0 and found["share in D"] == pytest.approx(0.5)
    assert judged("C48", found) == HOLDS


def test_label_noise_and_data_are_taken_apart(from_store):
    found = from_store(stored_results())["C47"]
    assert found["models"] == 10 == found["n"]  # the three of recipe D have corrupted labels
    assert found["models of the same number of images"] == 3


def test_one_training_gives_its_numbers_and_no_verdict(from_store):
    found = from_store(None)
    assert found["C08"]["histograms"] == 12 and found["C06"]["seeds"] == 1 and "interval" not in found["C06"]
    assert judged("C06", found["C06"]) == judged("C32", found["C32"]) == ONE_TRAINING
    assert found["C29"] == {"reason": "model B and C and D is not trained"}
    assert "hold no 'peak_gain'" in found["C07"]["reason"]


def test_too_few_seeds_and_missing_numbers(from_store, profile):
    few = {
        name: values[:9] if len(values) == len(MODELS) else values[:2]
        for name, values in stored_results().items()
    }
    found = from_store(few, MODELS[:9])
    assert {numbers["seeds"] for numbers in found.values() if "seeds" in numbers} == {2}
    assert judged("C29", found["C29"]) == ONE_TRAINING
    old = {name: stored_results()[name] for name in ("train", "test", "core")}
    assert from_store(old)["C30"] == {"reason": "the results of the models hold no 'kappa'"}
    assert from_store(old)["C29"]["seeds"] == 3
