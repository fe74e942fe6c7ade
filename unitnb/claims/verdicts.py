"""The verdicts: what the notebooks measured, recorded and judged by the claims' criteria.

``figures/<profile>/<class>/claims.json`` is the record. A verdict in it is never an input: every read makes
the verdicts from the numbers.
"""

import json
import math
from collections.abc import Mapping

import numpy as np

from ..figures.saving import recording
from ..files import store
from ..profiles import Profile, load_profile, nearest
from .criteria import BY_ID, CLAIMS
from .grades import NOT_MEASURED, Claim

FILE = "claims.json"
NEVER = "never"  # stands for infinity: a threshold that is not reached


# ---- recording ----


def record_claims(profile: Profile, notebook: str, measured: Mapping[str, Mapping]) -> str:
    """Write what a notebook measured into ``claims.json``, and give the verdicts of its claims, a line each.

    Other notebooks' numbers stay. Numbers are kept to three significant digits and four decimals, so that
    noise of 1e-5 leaves the file as it is.

    Parameters
    ----------
    notebook : the notebook that calls, without the ending
    measured : numbers by name, by claim
        Each is a number or a list of numbers, with infinity for a threshold that is not reached.
        ``interval`` (low, high) is among them where there is one. A claim that cannot be measured has
        ``{"reason": ...}``.

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
        recorded = _recorded_numbers(path, but=notebook) if path.exists() else {}
        new = {claim: _storable(found) for claim, found in measured.items()}
        entries = _judged_entries(profile, recorded | new)
        write_record(path, entries)
    return "\n".join(
        f"{e['id']}  {e['verdict']:<17}  {e['statement']}" for e in entries if e["notebook"] == notebook
    )


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
    undefined = [
        name for name, value in found.items() if name != "reason" and np.isnan(np.asarray(value, float)).any()
    ]
    if undefined:
        reason = f"{' and '.join(undefined)}: undefined on these images"
        return {"measured": {}, "interval": None, "reason": reason}
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
    """One of ``VERDICTS``, from the numbers and the interval as they are recorded.

    NOT_MEASURED where there are no numbers, or where they come from too few training seeds.
    """
    too_few = claim.seeds and measured.get("seeds", 0) < claim.seeds
    if not measured or too_few:
        return NOT_MEASURED
    return claim.judge(
        {name: _with_infinity(value) for name, value in {**measured, "interval": interval}.items()}
    )


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
        numbers = {e["id"]: {name: e[name] for name in ("measured", "interval", "reason")} for e in entries}
        numbers = {claim: found for claim, found in numbers.items() if BY_ID[claim].notebook != but}
        for claim, found in numbers.items():
            verdict(BY_ID[claim], found["measured"], found["interval"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise store.DamagedFileError(
            f"{path} is no record of claims ({error!r}); remove it, then: make figures"
        ) from error
    return {claim: found for claim, found in numbers.items() if found["measured"] or found["reason"]}


def _judged_entries(profile, numbers) -> list[dict]:
    command = make_command(profile)
    nothing: dict = {"measured": {}, "interval": None, "reason": ""}
    return [_judged_entry(profile, command, claim, **numbers.get(claim.id, nothing)) for claim in CLAIMS]


def _judged_entry(profile, command, claim, measured, interval, reason) -> dict:
    found = verdict(claim, measured, interval)
    stored = reason if not measured else ""
    why = {"why": "", "command": ""}
    if found == NOT_MEASURED:
        why = _why_not(profile, command, claim, measured, stored)
    return {
        **{name: getattr(claim, name) for name in ("id", "place", "statement", "paper")},
        "measured": measured,
        "interval": interval,
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
    """Why a claim has no verdict, and the command that would give it one."""
    if claim.id in UNDONE:
        return UNDONE[claim.id]
    if not claim.seeds:
        return {"why": reason or f"{claim.notebook} has not recorded it", "command": command}
    train = f"make train PROFILE={profile.name}{' DATA=...' if profile.is_given else ''} EXTRA=1 && {command}"
    if profile.own_network:
        train = "networks of several seeds, with a profile of their own (notebooks/profiles)"
    return {"why": reason or _too_few(profile, claim, measured.get("seeds", 0)), "command": train}


def _too_few(profile, claim, seeds) -> str:
    trained = "the pretrained network is none of them" if profile.is_given else "only one was trained"
    there = f"{seeds} were measured" if seeds else trained
    missing = f", and notebooks/profiles/{profile.name}.yaml has no recipes for more under 'extra'"
    recipes = "" if profile.extra else missing
    return f"at least {claim.seeds} training seeds are needed; {there}{recipes}"


UNDONE = {
    "C44": {
        "why": "the network of this profile is not residual, and maps must be square",
        "command": "make figures PROFILE=imagenette DATA=...",
    }
}
