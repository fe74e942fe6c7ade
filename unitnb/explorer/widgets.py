"""The explorer's widgets: each passes its choices to a plain function and shows the result."""

import ipywidgets as widgets

from ..profiles import profile_names
from . import answers
from .pictures import filtration_figure, png, unit_figure

WIDE = widgets.Layout(width="34em")
STYLE = {"description_width": "9em"}


def _slider(kind, low, high, value, name, **settings):
    return kind(
        min=low,
        max=high,
        value=value,
        description=name,
        continuous_update=True,
        layout=WIDE,
        style=STYLE,
        **settings,
    )


class Board:
    """All widgets; ``view`` is for display in a notebook.

    Attributes
    ----------
    profile, model, target_class : dropdowns
    place : slider, the unit's place in the rank
    image : slider, the image in S_100
    level : slider, the level of the filtration
    span : slider, the first and last place of the units that stay
    map_picture, unit_picture : PNG images
    unit_text, span_text : lines of text
    """

    def __init__(self, profile: str = "shapes", model: str = "A", target_class: str | None = None):
        self.profile, self.model, self.target_class = (
            widgets.Dropdown(description=name, style=STYLE) for name in ("profile", "model", "class")
        )
        self.place = _slider(widgets.IntSlider, 1, 1, 1, "place of the unit")
        self.image = _slider(widgets.IntSlider, 0, 0, 0, "image")
        self.level = _slider(widgets.IntSlider, 0, 0, 0, "level of v")
        self.span = _slider(widgets.IntRangeSlider, 1, 1, (1, 1), "units in place")
        self.map_picture, self.unit_picture = (
            widgets.Image(format="png", layout=widgets.Layout(max_width="900px")) for _ in range(2)
        )
        self.unit_text, self.span_text = widgets.HTML(), widgets.HTML()
        self.profile.options, self.profile.value = profile_names(), profile
        self._listen()
        self._choose(model, target_class)

    @property
    def view(self):
        """All widgets as one, for display."""
        choices = widgets.HBox([self.profile, self.model, self.target_class])
        unit = [self.place, self.image, self.unit_text, self.level, self.map_picture, self.unit_picture]
        return widgets.VBox([choices, self.span, self.span_text, *unit])

    def _listen(self):
        self.profile.observe(lambda _: self._choose(), "value")
        for chooser in (self.model, self.target_class):
            chooser.observe(lambda _: self.filling or self._open(), "value")
        shows = {
            self.place: self._show_unit,
            self.image: self._show_map,
            self.level: self._show_level,
            self.span: self._show_span,
        }
        for slider, show in shows.items():
            slider.observe(lambda _, show=show: show(), "value")

    def _choose(self, model="A", target_class=None):
        """Fill the choices with the models and classes of the chosen profile."""
        try:
            known, classes = answers.choices(self.profile.value)
        except (ValueError, FileNotFoundError) as error:
            self.unit_text.value = f"<b>{error.args[0]}</b>"
            return
        self.filling = True  # new options change the values, which must not open anything yet
        self.model.options, self.model.value = list(known.models), model
        self.target_class.options, self.target_class.value = classes, target_class or known.target_class
        self.filling = False
        self._open()

    def _open(self):
        self.unit_text.value = "opening ..."
        try:
            self.opened = answers.open_explorer(self.profile.value, self.model.value, self.target_class.value)
        except (ValueError, KeyError, FileNotFoundError) as error:
            self.unit_text.value = f"<b>{error.args[0]}</b>"
            return
        self.place.max = self.span.max = self.opened.n_units
        self.image.max = len(self.opened.sample) - 1
        self.span.value = (1, self.opened.n_units)
        self._show_unit()
        self._show_span()

    def _show_unit(self):
        self.unit = answers.unit_at(self.opened, self.place.value)
        self.unit_picture.value = png(unit_figure(self.opened, self.unit))
        facts = answers.unit_facts(self.opened, self.unit)
        self.unit_text.value = (
            f"unit {self.unit}: place {facts['place']} of {self.opened.n_units}, "
            f"rate {facts['rate']:.2f}, H {facts['entropy']:.2f} nats, E {facts['effectiveness']:.2f}, "
            f"role {facts['role']} (agreement {facts['agreement']:.0%})"
        )
        self._show_map()

    def _show_map(self):
        self.filtration = answers.filtration(
            self.opened.map_of(self.image.value, self.unit), self.opened.profile.b_max
        )
        self.level.max, before = len(self.filtration.present) - 1, self.level.value
        self.level.value = self.filtration.birth_level
        if self.level.value == before:  # else the slider's change has called it
            self._show_level()

    def _show_level(self):
        picture = filtration_figure(
            self.opened.sample.images[self.image.value], self.filtration, self.level.value
        )
        self.map_picture.value = png(picture)

    def _show_span(self):
        first, last = self.span.value
        shares = answers.span_accuracy(self.opened, first, last)
        self.span_text.value = (
            f"{last - first + 1} of {self.opened.n_units} units in place: accuracy {shares['training']:.2f} "
            f"on training images, {shares['test']:.2f} on test images; "
            f"{shares['others']:.2f} of other classes' images are taken for the class"
        )
