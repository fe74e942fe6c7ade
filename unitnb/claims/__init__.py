"""The paper's claims with their criteria, measures and verdicts."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
