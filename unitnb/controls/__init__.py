"""Rivals and null models: does the topology matter?"""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
