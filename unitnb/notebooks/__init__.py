"""The notebooks: what each depends on, headless runs, committed pairs."""

from .. import names_on_first_use

__getattr__, __dir__ = names_on_first_use(__name__)
