"""What the docks have in common: a form, a button that runs and stops, and a status sentence."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, isclose
from typing import Any, Generic, TypeVar

import numpy as np
from napari.layers import Image, Points
from napari.utils.theme import get_theme
from pydantic import ValidationError
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ..errors import CryopickError
from ..ruler import Ruler
from .combos import LayerCombo, shows_micrographs
from .curation import curate
from .form import SettingsForm
from .jobs import Job, Refused, Turns, Work
from .layers import PICKS, find_layer, frame, pixel_size_angstrom, role_of, set_pixel_size
from .ruler_circle import RulerCircle
from .scratch import adopt

Settings = TypeVar("Settings", bound=Ruler)

_DIAMETER = "cryopick_diameter_angstrom"
_USUAL_DIAMETER_ANGSTROM = 150.0
_WIDTH_PX = 280
_ERROR_COLOUR = "#ff6b6b"


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
        self.run = QPushButton(self.run_text)
        self.progress = QProgressBar()
        self.status = QLabel()
        self.job: Job | None = None
        self.job_image: Image | None = None
        self.circle = RulerCircle(viewer, self)
        self._turns = Turns(self)
        self._arrange()
        self.images.chosen.connect(self._on_chosen)
        self.form.changed.connect(self._on_setting)
        self.run.clicked.connect(self.run_or_stop)
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

    def tell(self, sentence: str, wrong: bool = False) -> None:
        """Show a sentence below everything else; in red if something is wrong."""
        self.status.setText(sentence)
        self.status.setStyleSheet(f"color: {_ERROR_COLOUR}" if wrong else "")

    def show_progress(self, done: int, total: int, seconds_left: float) -> None:
        """How far the work is."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(f"{done} of {total}, {duration(seconds_left)} left")

    # the job

    def run_or_stop(self) -> None:
        """Start the work, or stop it and keep what was reached."""
        if self.job is not None:
            self.job.stop()
            self.run.setText("Stopping…")
            self.run.setEnabled(False)
            return
        try:
            self._start()
        except CryopickError as error:
            self.tell(str(error), wrong=True)
        except ValidationError as error:
            self.tell(error.errors()[0]["msg"] + ".", wrong=True)

    def _start(self) -> None:
        image = self.images.layer()
        if image is None:
            raise CryopickError("There are no micrographs; open a folder of them.")
        if pixel_size_angstrom(image) is None:
            raise CryopickError("The pixel size is unknown; enter it above.")
        self.job_image = image
        self.job = Job(self.work(image), self)
        self.job.happened.connect(lambda event: self._turns.add(self._take(event)))
        self.job.ended.connect(lambda: self._turns.add(self._end()))
        self.circle.hide()
        self.run.setText("Stop")
        self.progress.setRange(0, 0)
        self.progress.setFormat("")
        self.progress.show()
        self.tell("Loading…")
        self.job.start()

    def _take(self, event: Any) -> Iterator[None]:
        if isinstance(event, Refused):
            self.tell(event.message, wrong=True)
        elif self.job_image is not None:
            yield from self.on_event(event)

    def _end(self) -> Iterator[None]:
        self.job = self.job_image = None
        self.run.setText(self.run_text)
        self.run.setEnabled(True)
        self.progress.hide()
        yield

    # the layers and the form

    def _on_chosen(self) -> None:
        image = self.images.layer()
        self.circle.hide()
        self.run.setEnabled(image is not None)
        if image is None:
            self.tell("Open a folder of micrographs to begin.")
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
        if pixel_size_angstrom(image) is not None and self.job is None:
            self.circle.show(diameter_angstrom)
        if (picks := self.picks_layer()) is not None:
            picks.current_size = self.diameter_px
            picks.size = self.diameter_px

    def _ask_for_pixel_size(self) -> None:
        known = pixel_size_angstrom(self.images.layer()) is not None
        editor = self.form.editor("pixel_size_angstrom")
        editor.setStyleSheet("" if known else f"color: {_ERROR_COLOUR}")
        if known:
            self.tell("")
        else:
            self.tell("The files do not say their pixel size; enter it above.", wrong=True)

    def _on_inserted(self, event: Any) -> None:
        _curate(event.value)

    def _on_removed(self, event: Any) -> None:
        if self.job is not None and event.value == self.job_image:
            self.job.stop()
            self.job_image = None
            self.tell("The micrographs were removed, and so the work was stopped.")

    # the widgets

    def _arrange(self) -> None:
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(10, 8, 10, 8)
        self.body.setSpacing(8)
        self.setMinimumWidth(_WIDTH_PX)
        self.form.rows.insertRow(0, "Micrographs", self.images)
        self.form.editor("pixel_size_angstrom").setSpecialValueText("unknown")
        self.run.setStyleSheet(_primary(self.viewer.theme))
        self.run.setMinimumHeight(30)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.progress.hide()
        self.status.setWordWrap(True)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.status.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        for widget in (self.form, self.run, self.progress, self.status):
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
        if self.job is not None:
            self.job.abandon()
        self.circle.hide()
        self.images.forget_viewer()
        self.viewer.layers.events.inserted.disconnect(self._on_inserted)
        self.viewer.layers.events.removed.disconnect(self._on_removed)


def remembered_diameter(image: Image) -> float:
    """The particle diameter in Å that was last entered for an image."""
    return float(image.metadata.get(_DIAMETER, _USUAL_DIAMETER_ANGSTROM))


def duration(seconds: float) -> str:
    """Roughly, as a person would say it."""
    if seconds < 90:
        return f"{ceil(seconds)} s"
    return f"{round(seconds / 60)} min"


def counted(number: int, noun: str) -> str:
    """ "1 pick", "12 picks"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _curate(layer: Any) -> None:
    if role_of(layer) == PICKS:
        curate(layer)


def _primary(theme: str) -> str:
    colour = get_theme(theme).current.as_hex()
    return f"QPushButton {{ background: {colour}; color: white; font-weight: bold; }}"
