"""Files that are whole or not there: storage by key, atomic writing, progress of long runs."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
