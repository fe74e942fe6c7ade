"""Birth points, Betti curves and barcodes of feature maps (Sec. 2.2), and what structureless maps give."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
