"""The explorer's beginning. Its widgets need the extra ``lab``, and are imported when they are asked for."""

from ..files.extras import what_is_missing
from . import answers


def explore(profile: str | None = None, model: str = "A", target_class: str | None = None):
    """The explorer as widgets, for display in a notebook.

    Parameters
    ----------
    profile, model, target_class : the choices at the start
        ``None`` is the pretrained network's profile, ``imagenette``, where its images and weights are at
        hand, else ``shapes``; and the profile's own class.

    Raises
    ------
    ModuleNotFoundError
        Without ipywidgets. The text has the command that installs it.
    """
    try:
        from .widgets import Board
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(what_is_missing(error), name=error.name) from None
    return Board(profile or answers.first_profile(), model, target_class).view
