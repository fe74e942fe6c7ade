"""The verdicts: what the notebooks measured, recorded and judged by the claims' criteria.

``figures/<profile>/<class>/claims.json`` is the record. A verdict in it is never an input: every read makes
the verdicts from the numbers.
"""

import json
import math
from collections.abc import Mapping

import numpy as np

from ..figures.saving import recording
from ..figures.words import table
from ..files import store
from ..profiles import Profile, load_profile, nearest
from .criteria import BY_ID, CLAIMS
from .grades import NOT_MEASURED, ONE_TRAINING, Claim
from .stored import NEVER, recorded

FILE = "claims.json"
BY_CLASS = "by class"  # the same reading in every class, beside that of the target class


# ---- recording ----


def record_claims(profile: Profile, notebook: str, measured: Mapping[str, Mapping]) -> str:
    """Write what a notebook measured into ``claims.json``, and give its verdicts as a Markdown table.

    Other notebooks' numbers stay. Numbers are kept to three significant digits and four decimals, so that
    noise of 1e-5 leaves the file as it is.

    Parameters
    ----------
    notebook : the notebook that calls, without the ending
    measured : numbers by name, by claim
        Each is a number or a list of numbers, with infinity for a threshold that is not reached.
        ``interval`` (low, high) is among them where there is one, and ``n``, how many of what is resampled.
        "by class" holds the same numbers for each class, where those of the claim are of one. A claim that
        cannot be measured has ``{"reason": ...}``.

    Raises
    ------
    ValueError
        For an unknown claim, or one of another notebook.
    DamagedFileError
        If there is a ``claims.json`` that cannot be read.
    """
    for claim in measured:
        _check_claim(claim, notebook)
    path = profile.figures_folder / FILE
    with recording(profile):  # notebooks may run side by side
        kept = _recorded_numbers(path, but=notebook) if path.exists() else {}
        new = {claim: _storable(found) for claim, found in measured.items()}
        entries = _judged_entries(profile, kept | new)
        write_record(path, entries)
    rows = [(e["id"], e["statement"], e["verdict"]) for e in entries if e["notebook"] == notebook]
    return table(("claim", "the paper says", "verdict here"), rows)


def _check_claim(claim, notebook):
    if claim not in BY_ID:
        raise ValueError(f"unknown claim '{claim}': {nearest(claim, BY_ID)}")
    if BY_ID[claim].notebook != notebook:
        raise ValueError(
            f"claim {claim} is measured by {BY_ID[claim].notebook}, not by {notebook}; "
            "change its entry in unitnb/claims"
        )


def _storable(found: Mapping) -> dict:
    """Measured numbers as JSON keeps them. A claim with a NaN among them is not measured."""
    others = {name: _storable(numbers) for name, numbers in found.get(BY_CLASS, {}).items()}
    given = {name: value for name, value in found.items() if name not in ("interval", "reason", BY_CLASS)}
    ends = list(found["interval"]) if "interval" in found else [0]
    undefined = [name for name, value in given.items() if np.isnan(np.asarray(value, float)).any()]
    if undefined := undefined + ["interval"] * bool(np.isnan(np.asarray(ends, float)).any()):
        reason = f"{' and '.join(undefined)}: undefined on these images"
        return {"measured": {}, "interval": None, "reason": reason}
    numbers = {name: _rounded(value) for name, value in given.items()}
    interval = _rounded(ends) if "interval" in found else None
    stored = {"measured": numbers, "interval": interval, "reason": found.get("reason", "")}
    return stored | ({"classes": others} if others else {})


def _rounded(value):
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_rounded(item) for item in value]
    if isinstance(value, (int, np.integer)):
        return int(value)
    return NEVER if math.isinf(value) else float(f"{round(float(value), 4) + 0:.3g}")


def write_record(path, entries) -> None:
    """Write ``claims.json``, a line a claim; the same entries give the same bytes."""
    lines = [json.dumps(entry, ensure_ascii=False) for entry in entries]
    store.write_text(path, "[\n" + ",\n".join(lines) + "\n]\n")


# ---- judging ----


def verdict(claim: Claim, measured: Mapping, interval=None) -> str:
    """One of ``VERDICTS``, from the numbers and the interval as they are recorded.

    NOT_MEASURED where there are no numbers, or where an older version recorded others than the criterion
    asks for; ONE_TRAINING where they come from too few training seeds.
    """
    if not measured:
        return NOT_MEASURED
    if claim.seeds and measured.get("seeds", 0) < claim.seeds:
        return ONE_TRAINING
    try:
        return claim.judge(
            {name: _with_infinity(value) for name, value in {**measured, "interval": interval}.items()}
        )
    except (KeyError, TypeError):
        return NOT_MEASURED


def _with_infinity(value):
    """A recorded number, or a list of them, with infinity for "never"."""
    if isinstance(value, list):
        return [_with_infinity(item) for item in value]
    return math.inf if value == NEVER else value


def load_claims(profile: Profile) -> list[dict]:
    """All claims for a profile and class, C01 first, as objects of ``claims.json``.

    Their verdicts are made anew from the recorded numbers.

    Raises
    ------
    FileNotFoundError
        If no notebook has recorded any.
    DamagedFileError
        If the file is no record of claims.
    """
    path = profile.figures_folder / FILE
    if not path.exists():
        raise FileNotFoundError(f"no {path}; make it with: {make_command(profile)}")
    return _judged_entries(profile, _recorded_numbers(path))


def _recorded_numbers(path, but="") -> dict[str, dict]:
    """The recorded numbers by claim, without those of one notebook. Nothing else of the file counts."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise TypeError("not a list of claims")
        numbers = {e["id"]: recorded(e) for e in entries}
        numbers = {claim: found for claim, found in numbers.items() if BY_ID[claim].notebook != but}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise store.DamagedFileError(
            f"{path} is no record of claims ({error!r}); remove it, then: make figures"
        ) from error
    return {claim: found for claim, found in numbers.items() if found["measured"] or found["reason"]}


def _judged_entries(profile, numbers) -> list[dict]:
    command = make_command(profile)
    nothing: dict = {"measured": {}, "interval": None, "reason": "", "classes": {}}
    return [_judged_entry(profile, command, claim, **numbers.get(claim.id, nothing)) for claim in CLAIMS]


def _judged_entry(profile, command, claim, measured, interval, reason, classes=None) -> dict:
    found = verdict(claim, measured, interval)
    stored = reason if not measured else ""
    why = {"why": "", "command": ""}
    if found in (NOT_MEASURED, ONE_TRAINING):
        why = _why_not(profile, command, claim, measured, stored)
    return {
        **{name: getattr(claim, name) for name in ("id", "place", "statement", "paper")},
        "measured": measured,
        "interval": interval,
        "effect": claim.effect,
        "resampled": claim.resampled,
        "classes": classes or {},
        "criterion": claim.criterion,
        "verdict": found,
        "figure": claim.figure,
        "measure": claim.measure,
        "notebook": claim.notebook,
        "reason": stored,
        **why,
    }


def make_command(profile: Profile) -> str:
    """The command that runs a profile's notebooks for its class."""
    if profile.own_network:
        layer = f" LAYER={profile.layer}" if profile.layer else ""
        named = f"DATA={profile.data_folder} CLASS={profile.target_class}"
        return f"make figures MODEL={profile.network}{layer} {named}"
    own = load_profile(profile.name).target_class
    files = " DATA=... WEIGHTS=..." if profile.weights else " DATA=..." if profile.network else ""
    named = f" CLASS={profile.target_class}" if profile.target_class != own else ""
    return f"make figures PROFILE={profile.name}{named}{files}"


def _why_not(profile, command, claim, measured, reason) -> dict:
    """Why a claim has no verdict, and what would give it one."""
    if claim.id in UNDONE and not measured:
        return UNDONE[claim.id]
    if measured and (not claim.seeds or measured.get("seeds", 0) >= claim.seeds):
        return {"why": "the record is of an older version, which measured otherwise", "command": command}
    if not claim.seeds:
        return {"why": reason or f"{claim.notebook} has not recorded it", "command": command}
    return {
        "why": reason or _too_few(claim, measured.get("seeds", 0)),
        "command": _more_seeds(profile, command),
    }


def _too_few(claim, seeds) -> str:
    there = f"{seeds} {'was' if seeds == 1 else 'were'} measured" if seeds else "none was measured"
    return f"at least {claim.seeds} training seeds are needed; {there}"


def _more_seeds(profile, command) -> str:
    """What gives a profile the training seeds that it lacks: a command that works, or an edit before it."""
    if profile.is_given:
        return "a given network is one training; make figures PROFILE=cifar10 has several"
    train = f"make train PROFILE={profile.name} EXTRA=1 && {command}"
    if profile.extra:
        return train
    edit = f"add recipes A1: {{<<: *A, seed: 1}}, ... under extra in notebooks/profiles/{profile.name}.yaml"
    return f"{edit}, then {train}"


UNDONE = {
    "C44": {
        "why": "the network of this profile is not residual, and maps must be square",
        "command": "make figures PROFILE=imagenette DATA=...",
    }
}
