"""The verdicts as documents: ``CLAIMS.md`` of a run, README's table of all profiles, and the difference of two runs."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..figures.saving import recording
from ..figures.words import table
from ..files import store
from ..profiles import Profile, load_profile
from .criteria import CLAIMS, FAILS, HOLDS, NOT, PART, VERDICTS
from .verdicts import FILE, load_claims, make_command, write_record

DOCUMENT = "CLAIMS.md"
COLUMNS = ("shapes", "cifar10", "cifar10-vgg16", "imagenet")  # profiles of the overview
SYMBOLS = {HOLDS: "●", PART: "◆", FAILS: "✕", NOT: "–"}  # as the marks of the picture
MARKERS = ("<!-- claims: made by `unitnb claims` -->", "<!-- end of claims -->")


def here(entry: Mapping) -> str:
    """The measured numbers of an entry as text, an interval behind its number; empty where there are none."""
    numbers, interval = entry["measured"], entry["interval"]
    parts = [
        f"{name} {_text(value)}{_ends(numbers, name)}"
        for name, value in numbers.items()
        if not name.startswith(("low, ", "high, "))
    ]
    return "; ".join(
        [*parts, *([f"95% interval {_text(interval[0])} to {_text(interval[1])}"] if interval else [])]
    )


def _ends(numbers, name):
    ends = [numbers.get(f"{end}, {name}") for end in ("low", "high")]
    return f" [{_text(ends)}]" if None not in ends else ""


def _text(value) -> str:
    return ", ".join(_text(item) for item in value) if isinstance(value, list) else str(value)


def counts(entries: Sequence[Mapping]) -> str:
    """How many claims have each verdict, as text."""
    found = Counter(entry["verdict"] for entry in entries)
    return ", ".join(f"{found[name]} {name}" for name in VERDICTS)


def claims_document(entries: Sequence[Mapping], title: str) -> str:
    """The Markdown of ``CLAIMS.md``: claim, paper, here, verdict, figure; below, how each was measured and judged."""
    rows = [
        [
            f"**{e['id']}** {e['statement']} ({e['place']})",
            e["paper"],
            here(e),
            _verdict_cell(e),
            _figure_cell(e),
        ]
        for e in entries
    ]
    criteria = [[e["id"], e["measure"], e["criterion"], e["notebook"]] for e in entries]
    made = f"{counts(entries)}. Made by `unitnb claims` from [{FILE}]({FILE}); *never* is a threshold that is not reached."
    parts = [f"# The paper's claims: {title}", made,
             _escaped(["claim", "paper", "here", "verdict", "figure"], rows), "## How each was measured and judged",
             "The criteria were fixed before the measurement; they stand as code in `unitnb/claims`. [ICLR]: the paper's later version.",
             _escaped(["claim", "measured", "holds if", "notebook"], criteria)]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _escaped(header, rows):
    return table(header, [[str(cell).replace("|", "\\|") for cell in row] for row in rows])


def _figure_cell(entry):
    return f"[{entry['figure']}]({entry['figure']})" if entry["figure"] else ""


def _verdict_cell(entry):
    symbol = f"{SYMBOLS[entry['verdict']]} {entry['verdict']}"
    return f"{symbol}: {entry['why']}. `{entry['command']}`" if entry["verdict"] == NOT else symbol


def write_claims(profile: Profile) -> list[dict]:
    """Judge the record anew and write ``claims.json`` and ``CLAIMS.md``; for a profile's own class, the picture and README's table too."""
    with recording(profile):
        entries = load_claims(profile)
        write_record(profile.figures_folder / FILE, entries)
        title = f"{profile.name}, class {profile.target_class}"
        store.write_text(profile.figures_folder / DOCUMENT, claims_document(entries, title))
    return entries


def difference(entries: Sequence[Mapping], others: Sequence[Mapping], names: tuple[str, str]) -> str:
    """The claims whose verdicts differ between two runs, with the numbers of both, and how many agree."""
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
    return {name: _column(name) for name in COLUMNS}


def _column(name):
    profile = load_profile(name)
    if not (profile.figures_folder / FILE).exists():
        return f"not run here: `{make_command(profile)}`"
    return load_claims(profile)


def readme_table() -> str:
    """The table of all claims for README: a row a claim, a column a profile, and the counts."""
    columns = overview()
    legend = ", ".join(f"{symbol} {name}" for name, symbol in SYMBOLS.items())
    rows = [
        [f"{c.id} ({c.place})", c.statement, c.paper, *(_cell(column, n) for column in columns.values())]
        for n, c in enumerate(CLAIMS)
    ]
    summary = [
        f"- {_titled(name)}: {column if isinstance(column, str) else counts(column)}"
        for name, column in columns.items()
    ]
    return "\n".join(
        [
            *summary,
            "",
            legend + ".",
            "",
            _escaped(["claim", "what the paper says", "its number", *columns], rows),
        ]
    )


def _titled(name):
    path = load_profile(name).figures_folder / DOCUMENT
    return f"[`{name}`](figures/{name}/{path.parent.name}/{DOCUMENT})" if path.exists() else f"`{name}`"


def _cell(column, number):
    return SYMBOLS[NOT] if isinstance(column, str) else SYMBOLS[column[number]["verdict"]]


def update_readme(path: Path) -> bool:
    """Put the table between the markers of a README; whether there are markers."""
    text = path.read_text(encoding="utf-8")
    if not all(marker in text for marker in MARKERS):
        return False
    before, rest = text.split(MARKERS[0], 1)
    after = rest.split(MARKERS[1], 1)[1]
    new = f"{before}{MARKERS[0]}\n{readme_table()}\n{MARKERS[1]}{after}"
    if new != text:
        store.write_text(path, new)
    return True


def own_class(profile: Profile) -> Profile:
    """The same profile with its own class."""
    return replace(profile, target_class=load_profile(profile.name).target_class)


def is_committed(profile: Profile) -> bool:
    """Whether the run's figures are those that README shows: a profile's own class, in ``figures/``."""
    return own_class(profile) == profile and "UNITNB_FIGURES" not in os.environ
