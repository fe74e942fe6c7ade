"""Networks: architectures, weights, training, and a model split after the studied layer (Sec. 3.1)."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
