"""Packages that only a part of unitnb needs, by the extra that installs them. Standard library only."""

import re
from importlib.metadata import PackageNotFoundError, requires

BY_MODULE = {"distributed": "cluster", "ipywidgets": "lab"}  # where the package is not installed by its name


def extra_of(module: str) -> str:
    """The extra of unitnb that installs a module, "" if none does.

    >>> extra_of("papermill"), extra_of("numpy"), extra_of("nowhere")
    ('lab', '', '')
    """
    try:
        declared = requires("unitnb") or []
    except PackageNotFoundError:  # a copy of the folder that was not installed
        return BY_MODULE.get(module, "")
    pattern = re.compile(rf"{re.escape(module)}\b[^;]*; extra == ['\"](\w+)")
    found = [match[1] for entry in declared if (match := pattern.match(entry.replace("-", "_")))]
    return found[0] if found else ""


def what_is_missing(error: ModuleNotFoundError) -> str:
    """A sentence on a module that is not installed, with the command that installs it.

    >>> what_is_missing(ModuleNotFoundError("no", name="papermill.execute"))
    "the package 'papermill' is not installed; it comes with: pip install 'unitnb[lab]'"
    """
    module = (error.name or "").split(".")[0]
    extra = extra_of(module)
    command = f"unitnb[{extra}]" if extra else module
    return f"the package '{module}' is not installed; it comes with: pip install '{command}'"
