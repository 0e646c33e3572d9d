"""The iterations of a run, and what each of them has found."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, isfinite
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from ...picks import Picks
from ...runs.read import iterations
from ..layers.curation import replace_all_model_picks, show_above
from ..layers.differences import COLOURS, GAINED, LOST, Outcome, read_outcome, show_differences
from ..layers.layers import pixel_size_angstrom
from ..layers.results import ensure_picks
from ..layers.scratch import adopt
from ..layers.training_data import training_data
from ..widgets.iterations_table import IterationsTable
from ..widgets.jobs import Errand, Refused, Turns
from ..widgets.model_combo import offer, title
from .panel import remembered_diameter
from .review import Review, doubts

_SHOWN = "an iteration's picks"


class Outcomes(QWidget):
    """A table of a run's iterations; the one selected is laid over its micrographs.

    A person's points, deletions and paint stay as they are.

    Parameters
    ----------
    viewer
        Where the picks are shown.
    """

    told = Signal(str, bool)
    shown = Signal()

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self.image: Image | None = None
        self.table = IterationsTable()
        self.difference = QLabel()
        self.use = QPushButton("Use this model")
        self.review = Review(viewer)
        self._turns = Turns(self)
        self._errand = Errand(self)
        self._arrange()
        self.table.chosen.connect(self._on_chosen)
        self.use.clicked.connect(self._use_selected)
        self._errand.done.connect(self._on_fetched)

    def show_run(self, image: Image | None, run: Path | None) -> None:
        """List the iterations of a run about an image; what was selected stays so."""
        if image is not self.image:
            self.table.clearSelection()
        self.image = image
        self.table.show_iterations([] if run is None else iterations(run))
        self.setVisible(self.table.rowCount() > 0)
        self._on_selection()

    def show_best(self) -> None:
        """Select the run's model, and show what it has found."""
        self.table.choose_best()

    def forget(self) -> None:
        """Show nothing any more of what is still being read."""
        self._errand.forget()

    def _on_selection(self) -> None:
        selected = self.table.selected() is not None
        self.use.setEnabled(selected)
        if not selected:
            self.difference.hide()
            self.review.hide()

    def _on_chosen(self) -> None:
        """Read what the iteration selected has found."""
        self._on_selection()
        judged, image = self.table.selected(), self.image
        if judged is not None and image is not None:
            before, stack, diameter_px = self.table.before(judged), adopt(image), _diameter(image)
            self._errand.ask(lambda: (image, read_outcome(judged, before, stack, diameter_px)))

    def _on_fetched(self, fetched: tuple[Image, Outcome] | Refused) -> None:
        if isinstance(fetched, Refused):
            self.told.emit(fetched.message, True)
        else:
            self._turns.add(self._show(*fetched))

    def _show(self, image: Image, outcome: Outcome) -> Iterator[None]:
        """Lay an iteration's picks, its difference and its doubts over the micrographs."""
        for step in (self._show_picks, self._show_difference, self._show_doubts):
            if image in self._viewer.layers:
                step(image, outcome)
                yield
        self.shown.emit()

    def _show_picks(self, image: Image, outcome: Outcome) -> None:
        diameter_px, threshold = _diameter(image), outcome.judged.threshold
        picks = ensure_picks(self._viewer, image, diameter_px)
        found = dict(outcome.picks)
        if outcome.judged.complete:  # else they would count as the person's own
            for index in self._taught(image):
                found.pop(index, None)
        replace_all_model_picks(picks, found, diameter_px / 2, _SHOWN)
        if isfinite(threshold):
            show_above(picks, floor(threshold * 100) / 100)

    def _show_difference(self, image: Image, outcome: Outcome) -> None:
        show_differences(self._viewer, image, outcome, _diameter(image))
        self.difference.setText(_in_words(outcome))
        self.difference.setVisible(outcome.before is not None)

    def _show_doubts(self, image: Image, outcome: Outcome) -> None:
        diameter_px, threshold = _diameter(image), outcome.judged.threshold
        found = doubts(outcome.picks, self._taught(image), threshold, diameter_px / 2)
        self.review.begin(image, found, diameter_px)

    def _taught(self, image: Image) -> dict[int, Picks]:
        """What a person has picked and deleted, by slice."""
        stack = adopt(image)
        picks = ensure_picks(self._viewer, image, _diameter(image))
        data = training_data(image, stack, picks, None, complete=False)
        return {stack.index(path): table for path, table in data.picks.items()}

    def _use_selected(self) -> None:
        """Have the iteration selected chosen in *Predict particles*."""
        judged = self.table.selected()
        if judged is not None:
            offer(judged.path)
            self.told.emit(f"{title(judged.path)} is chosen in Predict particles.", False)

    def _arrange(self) -> None:
        self.use.setToolTip("Have Predict particles use the model of this iteration.")
        self.difference.setWordWrap(True)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(8)
        for widget in (self.table, self.difference, self.use, self.review):
            rows.addWidget(widget)
        self.difference.hide()
        self.hide()


def _diameter(image: Image) -> float:
    """The particle's diameter in pixels."""
    return remembered_diameter(image) / (pixel_size_angstrom(image) or 1.0)


def _in_words(outcome: Outcome) -> str:
    """How many were gained and lost, in the colours and with the signs of their points."""
    if outcome.before is None:
        return ""
    parts = (("○", GAINED, len(outcome.gained)), ("✕", LOST, len(outcome.lost)))
    counts = [
        f'<span style="color: {COLOURS[kind]}">{sign}</span> {number:,} {kind}'
        for sign, kind, number in parts
    ]
    return f"{', '.join(counts)} against {outcome.before.phrase}"
