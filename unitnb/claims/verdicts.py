"""The verdicts: what the notebooks measured, recorded and judged by the claims' criteria.

``figures/<profile>/<class>/claims.json`` is the record. A verdict in it is never an input: it is made from the numbers whenever it is read.
"""

import json
import math
from collections.abc import Mapping

import numpy as np

from ..figures.saving import recording
from ..files import store
from ..profiles import Profile, load_profile, nearest
from .criteria import BY_ID, CLAIMS, NOT, Claim

FILE = "claims.json"
NEVER = "never"  # stands for infinity: a threshold that is not reached


# ---- recording ----


def record_claims(profile: Profile, notebook: str, measured: Mapping[str, Mapping]) -> str:
    """Write what a notebook measured for its claims into ``claims.json``, and give their verdicts, a line each.

    Other notebooks' numbers stay. Numbers are kept to three significant digits and four decimals, so that noise of 1e-5
    leaves the file as it is.

    Parameters
    ----------
    notebook : the notebook that calls, without the ending
    measured : by claim, the numbers by name (a number or a list of them; infinity for a threshold that is not reached), among them
        ``interval`` (low, high) where there is one; or ``{"reason": ...}`` where the claim cannot be measured

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
        kept = _kept(path, but=notebook) if path.exists() else {}
        entries = _judged(profile, kept | {claim: _plain(found) for claim, found in measured.items()})
        write_record(path, entries)
    return "\n".join(
        f"{e['id']}  {e['verdict']:<17}  {e['statement']}" for e in entries if e["notebook"] == notebook
    )


def _check_claim(claim, notebook):
    if claim not in BY_ID:
        raise ValueError(f"unknown claim '{claim}': {nearest(claim, BY_ID)}")
    if BY_ID[claim].notebook != notebook:
        raise ValueError(
            f"claim {claim} is measured by {BY_ID[claim].notebook}, not by {notebook}; change its entry in claims.py"
        )


def _plain(found: Mapping) -> dict:
    """Measured numbers as JSON keeps them; a NaN makes the claim one that is not measured."""
    undefined = [
        name for name, value in found.items() if name != "reason" and np.isnan(np.asarray(value, float)).any()
    ]
    if undefined:
        return {
            "measured": {},
            "interval": None,
            "reason": f"{' and '.join(undefined)}: undefined on these images",
        }
    numbers = {name: _rounded(value) for name, value in found.items() if name not in ("interval", "reason")}
    interval = _rounded(list(found["interval"])) if "interval" in found else None
    return {"measured": numbers, "interval": interval, "reason": found.get("reason", "")}


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
    """The verdict from numbers as they are recorded; NOT where there are none, or where they come from too few training seeds."""
    if (
        not measured
        or measured.get("seeds", claim.seeds) < claim.seeds
        or (claim.seeds and "seeds" not in measured)
    ):
        return NOT
    numbers = {name: _number(value) for name, value in {**measured, "interval": interval}.items()}
    return claim.judge(numbers)


def _number(value):
    return (
        [_number(item) for item in value]
        if isinstance(value, list)
        else math.inf
        if value == NEVER
        else value
    )


def load_claims(profile: Profile) -> list[dict]:
    """All claims for a profile and class, C01 first, as objects of ``claims.json``, their verdicts made anew from the recorded numbers.

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
    return _judged(profile, _kept(path))


def _kept(path, but="") -> dict[str, dict]:
    """The recorded numbers by claim, but not those of one notebook; nothing else of the file counts."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise TypeError("not a list of claims")
        kept = {
            entry["id"]: {name: entry[name] for name in ("measured", "interval", "reason")}
            for entry in entries
        }
        kept = {claim: entry for claim, entry in kept.items() if BY_ID[claim].notebook != but}
        for claim, entry in kept.items():
            verdict(BY_ID[claim], entry["measured"], entry["interval"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise store.DamagedFileError(
            f"{path} is no record of claims ({error!r}); remove it, then: make figures"
        ) from error
    return {claim: entry for claim, entry in kept.items() if entry["measured"] or entry["reason"]}


def _judged(profile, kept) -> list[dict]:
    command, nothing = make_command(profile), {"measured": {}, "interval": None, "reason": ""}
    return [_entry(profile, command, claim, **kept.get(claim.id, nothing)) for claim in CLAIMS]


def _entry(profile, command, claim, measured, interval, reason) -> dict:
    found = verdict(claim, measured, interval)
    stored = reason if not measured else ""
    fields = {name: getattr(claim, name) for name in ("id", "place", "statement", "paper")}
    fields |= {
        "measured": measured,
        "interval": interval,
        "criterion": claim.criterion,
        "verdict": found,
        "figure": claim.figure,
    }
    why = _why_not(profile, command, claim, measured, stored) if found == NOT else {"why": "", "command": ""}
    return {**fields, "measure": claim.measure, "notebook": claim.notebook, "reason": stored, **why}


def make_command(profile: Profile) -> str:
    """The command that runs a profile's notebooks for its class."""
    own = load_profile(profile.name).target_class
    files = " DATA=... WEIGHTS=..." if profile.weights else ""
    return (
        f"make figures PROFILE={profile.name}"
        + (f" CLASS={profile.target_class}" if profile.target_class != own else "")
        + files
    )


def _why_not(profile, command, claim, measured, reason) -> dict:
    """Why a claim has no verdict, and the command that would give it one."""
    if claim.id in UNDONE:
        return UNDONE[claim.id]
    if not claim.seeds:
        return {"why": reason or f"{claim.notebook} has not recorded it", "command": command}
    train = f"make train PROFILE={profile.name}{' DATA=...' if profile.weights else ''} EXTRA=1 && {command}"
    return {"why": reason or _too_few(profile, claim, measured.get("seeds", 0)), "command": train}


def _too_few(profile, claim, seeds) -> str:
    trained = "the pretrained network is none of them" if profile.weights else "only one was trained"
    there = f"{seeds} were measured" if seeds else trained
    recipes = (
        ""
        if profile.extra
        else f", and notebooks/profiles/{profile.name}.yaml has no recipes for more under 'extra'"
    )
    return f"at least {claim.seeds} training seeds are needed; {there}{recipes}"


UNDONE = {
    "C44": {
        "why": "no profile has a residual network yet, and maps must be square",
        "command": "README, 'Your own network': split_model(your network, layer), then ablation_curve",
    }
}
