"""Every figure and table: panels, their composition, and saving with a manifest of what was plotted."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
