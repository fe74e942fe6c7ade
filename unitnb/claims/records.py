"""What the runs recorded, looked up by name for texts: numbers of claims, verdicts, answers of Fig. 6."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..profiles import load_profile, nearest
from .grades import VERDICTS

Run = Sequence[Mapping] | str  # the entries of claims.json, or a sentence where the profile was not run


class Records:
    """The claims of each profile's own class, and the tables beside them.

    A name that is not recorded is an error with the nearest known ones, so that no text shows an old number.
    """

    def __init__(self, runs: Mapping[str, Run]):
        self.runs = {name: run for name, run in runs.items() if not isinstance(run, str)}
        self.profiles = {name: load_profile(name) for name in self.runs}

    def claim(self, profile: str, claim: str) -> Mapping:
        """An entry of a profile's ``claims.json``."""
        return next(entry for entry in self.runs[profile] if entry["id"] == claim)

    def number(self, profile: str, claim: str, name: str) -> float:
        """A measured number of a claim; KeyError for an unknown name."""
        measured = self.claim(profile, claim)["measured"]
        if name not in measured:
            known = nearest(name, measured) if measured else "nothing was measured"
            raise KeyError(f"{profile}: claim {claim} has no number '{name}': {known}")
        return measured[name]

    def verdict(self, profile: str, claim: str) -> str:
        """The verdict of a claim."""
        return self.claim(profile, claim)["verdict"]

    def statements(self, profile: str, verdict: str, notebook: str) -> list[str]:
        """What the paper says in the claims of a notebook that have a verdict, with the claims' names."""
        found = [e for e in self.runs[profile] if e["verdict"] == verdict and e["notebook"] == notebook]
        return [f"{entry['statement']} ({entry['id']})" for entry in found]

    def count(self, profile: str, verdict: str) -> int:
        """How many claims have a verdict."""
        return sum(entry["verdict"] == verdict for entry in self.runs[profile])

    def judged(self, profile: str) -> int:
        """How many claims have been measured and could hold or not."""
        return sum(self.count(profile, verdict) for verdict in VERDICTS[:3])

    def answers(self, profile: str) -> dict[str, dict[str, str]]:
        """The rows of ``controls.md`` by question: "experiment", "answer", "number" with its interval."""
        header, _, *rows = table_rows(self.folder(profile) / "controls.md")
        return {row[0]: dict(zip(("experiment", "answer", "number"), row[1:], strict=True)) for row in rows}

    def answer(self, profile: str, question: str) -> dict[str, str]:
        """One row of ``controls.md``; KeyError for an unknown question."""
        found = self.answers(profile)
        if question not in found:
            raise KeyError(f"{profile}: controls.md has no question '{question}': {nearest(question, found)}")
        return found[question]

    def questions(self) -> list[str]:
        """Every question of any profile's ``controls.md``, in its order."""
        return list(dict.fromkeys(question for name in self.runs for question in self.answers(name)))

    def folder(self, profile: str) -> Path:
        """The folder of a profile's figures."""
        return self.profiles[profile].figures_folder

    def place(self, profile: str) -> str:
        """That folder as a link from ``figures/``."""
        return f"{profile}/{self.folder(profile).name}"

    def shown(self, name: str) -> list[str]:
        """The profiles that have a figure of this name."""
        return [profile for profile in self.runs if (self.folder(profile) / f"{name}.png").exists()]

    def tables(self, profile: str) -> list[str]:
        """The names of a profile's tables, without their ending."""
        return sorted(path.stem for path in self.folder(profile).glob("*.md") if path.stem != "CLAIMS")

    def text(self, profile: str, table: str) -> str:
        """A table as Markdown; "" where the profile has none."""
        path = self.folder(profile) / f"{table}.md"
        return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def table_rows(path: Path) -> list[list[str]]:
    """The cells of a Markdown table, a list a row."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]
