"""The verdicts as documents: ``CLAIMS.md``, the verdicts of all profiles, the difference of two runs."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..figures.saving import recording
from ..figures.words import table
from ..files import store
from ..profiles import Profile, load_profile, profile_names
from .grades import FAILS, HOLDS, HOLDS_IN_PART, NOT_MEASURED, VERDICTS
from .verdicts import FILE, load_claims, make_command, write_record

DOCUMENT = "CLAIMS.md"
COLUMNS = ("shapes", "cifar10", "cifar10-vgg16", "imagenette", "imagenet")  # profiles of the overview
SYMBOLS = {HOLDS: "●", HOLDS_IN_PART: "◆", FAILS: "✕", NOT_MEASURED: "–"}  # as the marks of the picture


def here(entry: Mapping) -> str:
    """The measured numbers of an entry of ``claims.json`` as text, an interval behind its number.

    Empty where there are none.

    >>> here({"measured": {"rise": 0.3, "low, rise": 0.1, "high, rise": 0.4, "K": "never"}, "interval": None})
    'rise 0.3 [0.1, 0.4]; K never'
    """
    numbers, interval = entry["measured"], entry["interval"]
    parts = [
        f"{name} {_numbers_text(value)}{_ends_text(numbers, name)}"
        for name, value in numbers.items()
        if not name.startswith(("low, ", "high, "))
    ]
    if interval:
        parts.append(f"95% interval {_numbers_text(interval[0])} to {_numbers_text(interval[1])}")
    return "; ".join(parts)


def _ends_text(numbers, name):
    ends = [numbers.get(f"{end}, {name}") for end in ("low", "high")]
    return f" [{_numbers_text(ends)}]" if None not in ends else ""


def _numbers_text(value) -> str:
    return ", ".join(_numbers_text(item) for item in value) if isinstance(value, list) else str(value)


def counts(entries: Sequence[Mapping]) -> str:
    """How many claims have each verdict, as text.

    >>> counts([{"verdict": HOLDS}, {"verdict": HOLDS}, {"verdict": FAILS}])
    '2 holds, 0 holds in part, 1 does not hold, 0 not measured here'
    """
    found = Counter(entry["verdict"] for entry in entries)
    return ", ".join(f"{found[name]} {name}" for name in VERDICTS)


def claims_document(entries: Sequence[Mapping], title: str) -> str:
    """The Markdown of ``CLAIMS.md``, from the entries of ``claims.json``.

    A first table has claim, paper, here, verdict and figure. A second one has how each was measured and
    judged.
    """
    made = (
        f"{counts(entries)}. Made by `unitnb claims` from [{FILE}]({FILE}); "
        "*never* is a threshold that is not reached."
    )
    criteria = [[e["id"], e["measure"], e["criterion"], e["notebook"]] for e in entries]
    parts = [
        f"# The paper's claims: {title}",
        made,
        _escaped_table(["claim", "paper", "here", "verdict", "figure"], [_document_row(e) for e in entries]),
        "## How each was measured and judged",
        "The criteria were fixed before the measurement; they stand as code in `unitnb/claims`. "
        "[ICLR]: the paper's later version.",
        _escaped_table(["claim", "measured", "holds if", "notebook"], criteria),
    ]
    return "\n\n".join(parts) + "\n"


def _document_row(entry) -> list[str]:
    claim = f"**{entry['id']}** {entry['statement']} ({entry['place']})"
    figure = f"[{entry['figure']}]({entry['figure']})" if entry["figure"] else ""
    return [claim, entry["paper"], here(entry), _verdict_text(entry), figure]


def _verdict_text(entry):
    symbol = f"{SYMBOLS[entry['verdict']]} {entry['verdict']}"
    return f"{symbol}: {entry['why']}. `{entry['command']}`" if entry["verdict"] == NOT_MEASURED else symbol


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
