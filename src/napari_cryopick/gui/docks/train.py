"""The dock *Train*."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtWidgets import QFileDialog, QLineEdit

from ...training.events import TrainingEvent
from ...training.settings import TrainSettings
from ..layers.training_data import TrainingData
from ..widgets.form import with_button
from ..widgets.jobs import Work
from .panel import has_diameter
from .teaching_panel import TeachingPanel

_FILES = "Structures (*.pdb *.cif *.mrc *.map *.pdb.gz *.cif.gz *.mrc.gz *.map.gz)"


@dataclass(frozen=True)
class Measured:
    """How large a structure is."""

    structure: Path
    diameter_angstrom: float


class TrainPanel(TeachingPanel[TrainSettings]):
    """Train a model on what is clicked and painted, or on a structure of the particle."""

    run_text = "Train"

    def __init__(self, napari_viewer: Any) -> None:
        in_view = ("diameter_angstrom", "pixel_size_angstrom", "complete")
        super().__init__(napari_viewer, TrainSettings, in_view)
        self.structure = QLineEdit()
        self._arrange_structure()

    def work(self, image: Image) -> Work:
        """Train on the structure if there is one, else on the data as it is now."""
        structure = self.structure.text().strip()
        if not structure:
            return self.teach(image, self.labelled_data(), self.form.settings(), self.new_run())
        settings = self.form.settings(structure=structure, loss=None, learning_rate=None)
        return self.teach(image, TrainingData({}, {}, 0), settings, self.new_run())

    def events_of(self, *what: Any, **how: Any) -> Iterator[TrainingEvent]:
        """Run a training on picks or on a structure."""
        from ...runs import train

        return train(*what, **how)

    def on_event(self, event: TrainingEvent | Measured) -> Iterator[None]:
        """Take the diameter of a structure; all else is as in every training."""
        if not isinstance(event, Measured):
            yield from super().on_event(event)
        elif self._worked_on is not None:
            self.set_diameter(self._worked_on, event.diameter_angstrom)
            self.control.tell(
                f"{event.structure.name} is {event.diameter_angstrom:.0f} Å across, and so is "
                "the diameter now."
            )

    def on_image(self, image: Image) -> None:
        """Of micrographs that were opened after the structure was chosen, it is the particle."""
        super().on_image(image)
        if not has_diameter(image):
            self._measure()

    def describe_data(self, data: TrainingData) -> str:
        """What of the data or the structure is learnt from."""
        structure = self.structure.text().strip()
        if not structure:
            return data.summary
        unused = "; picks and labels are not used" if data.picks or data.labels else ""
        return f"Learns from simulated micrographs of {Path(structure).name}{unused}"

    def _on_structure(self) -> None:
        for name in ("simulated_micrographs", "voltage_kilovolt", "defocus_angstrom"):
            self.form.editor(name).setEnabled(bool(self.structure.text().strip()))
        self.describe()
        self._measure()

    def _measure(self) -> None:
        """Have the diameter be that of the structure, if there are micrographs of it."""
        image, structure = self.images.layer(), Path(self.structure.text().strip())
        if image is not None and structure.is_file() and self.control.job is None:
            self._work_on(image, measuring(structure))

    def _browse_structure(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Structure", self.structure.text(), _FILES)
        if path:
            self.structure.setText(path)

    def _arrange_structure(self) -> None:
        self.structure.setPlaceholderText("none: learn from picks")
        self.structure.setToolTip(
            "Atomic model or density map of the particle, to learn from in place of picks: "
            "micrographs of it are simulated."
        )
        self.structure.setClearButtonEnabled(True)
        self.structure.textChanged.connect(self._on_structure)
        tip = "Choose a structure."
        line = with_button(self.structure, "…", tip, self._browse_structure)
        self.form.rows.insertRow(3, "Structure", line)
        self._on_structure()


def measuring(structure: Path) -> Work:
    """Find out how large a structure is; a map may be large."""

    def measure(stop: threading.Event) -> Iterator[Measured]:
        from ...pretraining.structure import diameter_of

        yield Measured(structure, diameter_of(structure))

    return measure
