"""Scores of single units from birth points: entropy, rate, effectiveness, rank, stability (Sec. 2.3, 3.5)."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
