"""The four roles of units (Sec. 3.6), by place in the rank, by unit, over many models and between classes."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
