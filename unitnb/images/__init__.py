"""Images and their sample sets: where they come from, and which are drawn (Sec. 3.1, 3.2, 3.5)."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
