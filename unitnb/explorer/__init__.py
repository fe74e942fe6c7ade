"""One model, class and layer with everything about the units, and widgets that show it."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
