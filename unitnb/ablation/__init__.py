"""Cumulative ablation and insertion of units (Sec. 3.4), and what single units do to the loss."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
