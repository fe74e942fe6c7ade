"""One model, class and layer, opened once and asked many times."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
