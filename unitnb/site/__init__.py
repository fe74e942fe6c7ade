"""The notebooks as a static site that is read without a network."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
