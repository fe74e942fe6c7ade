"""The verdicts as documents: ``CLAIMS.md``, the verdicts of all profiles, the difference of two runs."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..figures.saving import recording
from ..figures.words import table
from ..files import store
from ..profiles import Profile, load_profile, profile_names
from .criteria import BY_ID
from .grades import BY_CONSTRUCTION, FAILS, HOLDS, HOLDS_IN_PART, NOT_MEASURED, ONE_TRAINING, VERDICTS
from .verdicts import FILE, load_claims, make_command, verdict, write_record

DOCUMENT = "CLAIMS.md"
COLUMNS = (
    "shapes",
    "cifar10",
    "cifar10-vgg16",
    "imagenette-vgg-block",
    "imagenette",
    "imagenet",
)  # profiles of the overview
SYMBOLS = {  # as the marks of the picture
    HOLDS: "●",
    HOLDS_IN_PART: "◆",
    FAILS: "✕",
    BY_CONSTRUCTION: "≡",
    ONE_TRAINING: "1",
    NOT_MEASURED: "–",
}


def here(entry: Mapping) -> str:
    """The measured numbers of an entry of ``claims.json`` as text, an interval behind its number.

    Empty where there are none.

    >>> here({"measured": {"rise": 0.3, "low, rise": 0.1, "high, rise": 0.4, "K": "never"}, "interval": None})
    'rise 0.3 [0.1, 0.4]; K never'
    """
    names = [effect_name(entry), *(name for name in entry["measured"] if name != effect_name(entry))]
    return "; ".join(
        f"{name} {_numbers_text(entry['measured'][name])}{_ends_text(entry, name)}"
        for name in names
        if name in entry["measured"] and not name.startswith(("low, ", "high, "))
    )


def effect_name(entry: Mapping) -> str:
    """The name of the number that tells how large an effect is; "" where an entry has none."""
    return entry.get("effect", "")


def _ends_text(entry, name):
    ends = [entry["measured"].get(f"{end}, {name}") for end in ("low", "high")]
    if None in ends and name == effect_name(entry):
        ends = entry["interval"] or ends
    return f" [{_numbers_text(ends)}]" if None not in ends else ""


def _numbers_text(value) -> str:
    return ", ".join(_numbers_text(item) for item in value) if isinstance(value, list) else str(value)


def counts(entries: Sequence[Mapping]) -> str:
    """How many claims have each verdict, as text.

    >>> counts([{"verdict": HOLDS}, {"verdict": HOLDS}, {"verdict": FAILS}])
    '2 holds, 0 holds in part, 1 does not hold, 0 by construction, 0 one training only, 0 not measured'
    """
    found = Counter(entry["verdict"] for entry in entries)
    return ", ".join(f"{found[name]} {name}" for name in VERDICTS)


def claims_document(entries: Sequence[Mapping], title: str) -> str:
    """The Markdown of ``CLAIMS.md``, from the entries of ``claims.json``.

    A first table has claim, paper, numbers with the effect first, what was resampled, verdict and figure; a
    second one every reading of one class in all classes; a third one how each was measured and judged.
    """
    made = (
        f"{counts(entries)}. Made by `unitnb claims` from [{FILE}]({FILE}); "
        "*never* is a threshold that is not reached. The first number is the effect, with its 95% interval."
    )
    header = ["claim", "paper", "here", "resampled", "verdict", "figure"]
    parts = [
        f"# The paper's claims: {title}",
        made,
        _escaped_table(header, [_document_row(e) for e in entries]),
        *_classes_part(entries),
        "## How each was measured and judged",
        "The criteria stand as code in `unitnb/claims`; `CRITERIA.md` there has the day on which each last "
        "changed. [ICLR]: the paper's later version.",
        _escaped_table(["claim", "measured", "holds if", "notebook"], [_criterion_row(e) for e in entries]),
    ]
    return "\n\n".join(parts) + "\n"


def _document_row(entry) -> list[str]:
    claim = f"**{entry['id']}** {entry['statement']} ({entry['place']})"
    n = f"; n = {entry['measured']['n']}" if "n" in entry["measured"] else ""
    resampled = entry["resampled"] + n if entry["measured"] else ""
    figure = _figure_text(entry["figure"]) if entry["figure"] else ""
    return [claim, entry["paper"], here(entry), resampled, _verdict_text(entry), figure]


def _criterion_row(entry) -> list[str]:
    construction = BY_ID[entry["id"]].construction
    measure = entry["measure"] + (f" (could not fail: {construction})" if construction else "")
    return [entry["id"], measure, entry["criterion"], entry["notebook"]]


def _figure_text(file: str) -> str:
    """A link to a figure and one to the numbers behind it; a table is its own numbers."""
    return f"[{file}]({file})" + (f", [csv]({file[:-4]}.csv)" if file.endswith(".png") else "")


def _verdict_text(entry):
    symbol = f"{SYMBOLS[entry['verdict']]} {entry['verdict']}"
    return f"{symbol}: {entry['why']}. `{entry['command']}`" if entry["why"] else symbol


def _classes_part(entries) -> list[str]:
    """The table of the readings of one class in every class; nothing where there are none."""
    read = [entry for entry in entries if entry.get("classes")]
    if not read:
        return []
    classes = list(read[0]["classes"])
    header = ["claim", "reading", *classes, "random orders beaten, mean"]
    about = (
        "What is read off curves of one class, in every class, with the verdict that each class alone would "
        "give. The last column: the share of the random orders of each class that the rank beats."
    )
    rows = [_classes_row(entry, classes) for entry in read]
    return ["## Every class", about, _escaped_table(header, rows)]


def _classes_row(entry, classes):
    cells, beaten = [], []
    for name in classes:
        found = entry["classes"].get(name, {"measured": {}, "interval": None})
        symbol = SYMBOLS[verdict(BY_ID[entry["id"]], found["measured"], found["interval"])]
        cells.append(f"{found['measured'].get(entry['effect'], '')} {symbol}")
        beaten.append(found["measured"].get("random orders beaten"))
    share = "" if None in beaten else f"{sum(beaten) / len(beaten):.0%}"
    return [entry["id"], entry["effect"], *cells, share]


def _escaped_table(header, rows):
    return table(header, [[str(cell).replace("|", "\\|") for cell in row] for row in rows])


def write_claims(profile: Profile) -> list[dict]:
    """Judge the record anew, write ``claims.json`` and ``CLAIMS.md``, and give the entries.

    Raises
    ------
    FileNotFoundError, DamagedFileError
        As ``load_claims``.
    """
    with recording(profile):
        entries = load_claims(profile)
        write_record(profile.figures_folder / FILE, entries)
        title = f"{profile.name}, class {profile.target_class}"
        store.write_text(profile.figures_folder / DOCUMENT, claims_document(entries, title))
    return entries


def difference(entries: Sequence[Mapping], others: Sequence[Mapping], names: tuple[str, str]) -> str:
    """The claims whose verdicts differ between two runs, with the numbers of both, and how many they are."""
    pairs = [(a, b) for a, b in zip(entries, others, strict=True) if a["verdict"] != b["verdict"]]
    lines = []
    for first, second in pairs:
        lines.append(f"{first['id']}  {first['statement']}")
        lines += [
            f"     {name:<20} {e['verdict']:<17}  {here(e) or e['why']}"
            for name, e in zip(names, (first, second), strict=True)
        ]
    return "\n".join([*lines, f"{len(pairs)} of {len(entries)} verdicts differ"])


# ---- all profiles side by side ----


def overview() -> dict[str, list[dict] | str]:
    """The claims of each profile's own class, by profile; a sentence where it has not been run."""
    return {name: _verdicts_of(name) for name in COLUMNS}


def _verdicts_of(name):
    profile = load_profile(name)
    if not (profile.figures_folder / FILE).exists():
        return f"not run here: `{make_command(profile)}`"
    return load_claims(profile)


def own_class(profile: Profile) -> Profile:
    """The same profile with its own class; a profile around a model file has only the one asked for."""
    if profile.name not in profile_names():
        return profile
    return replace(profile, target_class=load_profile(profile.name).target_class)


def is_committed(profile: Profile) -> bool:
    """Whether the run's figures are those that README shows: a profile's own class, in ``figures/``."""
    listed = profile.name in profile_names() and "UNITNB_FIGURES" not in os.environ
    return listed and not profile.own_network and own_class(profile) == profile
