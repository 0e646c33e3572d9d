"""What the docks have in common: micrographs, a form, and a job about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isclose
from typing import Any, Generic, TypeVar

import numpy as np
from napari.layers import Image, Points
from pydantic import ValidationError
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...errors import CryopickError
from ...settings import ParticleSettings
from ..layers.curation import curate
from ..layers.layers import PICKS, find_layer, frame, pixel_size_angstrom, role_of, set_pixel_size
from ..layers.scratch import adopt
from ..widgets.form import SettingsForm
from ..widgets.job_control import ERROR_COLOUR, JobControl
from ..widgets.jobs import Work
from ..widgets.layer_combo import LayerCombo, shows_micrographs
from ..widgets.ruler_circle import RulerCircle
from ..widgets.scrolled_column import ScrolledColumn

Settings = TypeVar("Settings", bound=ParticleSettings)

_DIAMETER = "cryopick_diameter_angstrom"
_USUAL_DIAMETER_ANGSTROM = 150.0
_WIDTH_PX = 280


class Panel(QWidget, Generic[Settings]):
    """A dock about the micrographs of one image layer.

    A subclass says what `work` the button starts and what is done with its events (`on_event`).
    """

    run_text = "Run"

    def __init__(self, viewer: Any, form: SettingsForm[Settings]) -> None:
        super().__init__()
        self.viewer, self.form = viewer, form
        self.images = LayerCombo(viewer, shows_micrographs)
        self.images.setToolTip("The micrographs: an image, or a stack of them.")
        self.control = JobControl(self.run_text, viewer.theme, self)
        self._worked_on: Image | None = None
        self.circle = RulerCircle(viewer, self)
        self._arrange()
        self.form.set_value("diameter_angstrom", _USUAL_DIAMETER_ANGSTROM)
        self.images.chosen.connect(self._on_chosen)
        self.form.changed.connect(self._on_setting)
        self.control.asked.connect(lambda: self._run())
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        for layer in viewer.layers:
            _curate(layer)

    # what subclasses say

    def work(self, image: Image) -> Work:
        """The work to do, made of the form and the layers as they are now."""
        raise NotImplementedError

    def on_event(self, event: Any) -> Iterator[None]:
        """Something has happened in the work; yields between steps that take long."""
        raise NotImplementedError

    def on_image(self, image: Image) -> None:
        """Other micrographs are chosen, or the dock comes into view."""
        raise NotImplementedError

    # what they can use

    @property
    def diameter_px(self) -> float:
        """The particle's diameter in pixels of the micrographs chosen."""
        size = pixel_size_angstrom(self.images.layer()) or 1.0
        return float(self.form.value("diameter_angstrom")) / size

    def set_diameter(self, image: Image, diameter_angstrom: float) -> None:
        """Enter the diameter of the particles in some micrographs, and draw it."""
        if image == self.images.layer():
            self.form.set_value("diameter_angstrom", diameter_angstrom)
            if pixel_size_angstrom(image) is not None:
                self.circle.show(diameter_angstrom)
        else:
            image.metadata[_DIAMETER] = diameter_angstrom

    def picks_layer(self) -> Points | None:
        """The picks of the micrographs chosen, if there are any."""
        image = self.images.layer()
        stack = image and adopt(image)
        return stack and find_layer(self.viewer.layers, stack, PICKS)

    def slice_in_view(self) -> int:
        """Which of the micrographs chosen is looked at."""
        image = self.images.layer()
        if image.ndim < 3:
            return 0
        scale, translate = frame(image)
        axis = len(self.viewer.dims.point) - 3
        index = round((self.viewer.dims.point[axis] - translate[0]) / scale[0])
        return int(np.clip(index, 0, len(image.data) - 1))

    # the job

    def _run(self, make: Callable[[Image], Work] | None = None) -> None:
        """Start what `work` gives, or something else made of the micrographs."""
        try:
            self._start(make or self.work)
        except CryopickError as error:
            self.control.tell(str(error), wrong=True)
        except ValidationError as error:
            self.control.tell(error.errors()[0]["msg"] + ".", wrong=True)

    def _start(self, make: Callable[[Image], Work]) -> None:
        image = self.images.layer()
        if image is None:
            raise CryopickError("There are no micrographs; open a folder of them.")
        if pixel_size_angstrom(image) is None:
            raise CryopickError("The pixel size is unknown; enter it above.")
        self._work_on(image, make(image))

    def _work_on(self, image: Image, work: Work) -> None:
        self.circle.hide()
        self._worked_on = image
        self.control.start(work, self.on_event)

    # the layers and the form

    def _on_chosen(self) -> None:
        image = self.images.layer()
        self.circle.hide()
        if image is None:
            self.control.tell("Open a folder of micrographs to begin.")
            return
        self.form.set_value("diameter_angstrom", remembered_diameter(image))
        self.form.set_value("pixel_size_angstrom", pixel_size_angstrom(image))
        self._ask_for_pixel_size()
        self.on_image(image)

    def _on_setting(self, name: str) -> None:
        image = self.images.layer()
        if image is None:
            return
        if name == "pixel_size_angstrom":
            self._on_pixel_size(image, self.form.value(name))
        elif name == "diameter_angstrom":
            self._on_diameter(image, self.form.value(name))

    def _on_pixel_size(self, image: Image, size_angstrom: float | None) -> None:
        known = pixel_size_angstrom(image)
        if size_angstrom and not (known and isclose(size_angstrom, known, abs_tol=1e-5)):
            set_pixel_size(self.viewer.layers, image, size_angstrom)
            self.viewer.reset_view()
            self._ask_for_pixel_size()

    def _on_diameter(self, image: Image, diameter_angstrom: float) -> None:
        if diameter_angstrom == remembered_diameter(image):
            return
        image.metadata[_DIAMETER] = diameter_angstrom
        if pixel_size_angstrom(image) is not None and self.control.job is None:
            self.circle.show(diameter_angstrom)
        if (picks := self.picks_layer()) is not None:
            picks.current_size = self.diameter_px
            picks.size = self.diameter_px

    def _ask_for_pixel_size(self) -> None:
        known = pixel_size_angstrom(self.images.layer()) is not None
        editor = self.form.editor("pixel_size_angstrom")
        editor.setStyleSheet("" if known else f"color: {ERROR_COLOUR}")
        if known:
            self.control.tell("")
        else:
            self.control.tell("The files do not say their pixel size; enter it above.", wrong=True)

    def _on_inserted(self, event: Any) -> None:
        _curate(event.value)

    def _on_removed(self, event: Any) -> None:
        if self.control.job is not None and event.value == self._worked_on:
            self.control.stop()
            self.control.tell("The micrographs were removed, and so the work was stopped.")

    # the widgets

    def _arrange(self) -> None:
        column = self.column = ScrolledColumn(_WIDTH_PX)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(column)
        self.body = column.rows
        self.form.rows.insertRow(0, "Micrographs", self.images)
        self.form.editor("pixel_size_angstrom").setSpecialValueText("unknown")
        control = self.control
        for widget in (self.form, control.button, control.progress, control.status):
            self.body.addWidget(widget)
        self.body.addStretch()

    def showEvent(self, event: Any) -> None:  # noqa: N802
        super().showEvent(event)
        self.form.align()
        self._on_chosen()

    def changeEvent(self, event: Any) -> None:  # noqa: N802
        """A dock that napari closes loses its parent, and lives on unseen."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._leave()

    def _leave(self) -> None:
        self.control.leave()
        self.circle.hide()
        self.images.forget_viewer()
        self.viewer.layers.events.inserted.disconnect(self._on_inserted)
        self.viewer.layers.events.removed.disconnect(self._on_removed)


def remembered_diameter(image: Image) -> float:
    """The particle diameter in Å that was last entered for an image."""
    return float(image.metadata.get(_DIAMETER, _USUAL_DIAMETER_ANGSTROM))


def has_diameter(image: Image) -> bool:
    """Whether one was ever entered for an image."""
    return _DIAMETER in image.metadata


def counted(number: int, noun: str) -> str:
    """ "1 pick", "12 picks"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _curate(layer: Any) -> None:
    if role_of(layer) == PICKS:
        curate(layer)
