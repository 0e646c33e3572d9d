"""The iterations of a run, and what each of them has found."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, isfinite
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QLabel, QListWidget, QListWidgetItem, QPushButton, QWidget

from ...detection.uncertain_picks import uncertain_picks
from ...picks import Picks
from ...runs.read import RunIteration, iterations
from ..layers.create import ensure_picks
from ..layers.curation import replace_model_picks, show_above
from ..layers.differences import CHANGE_COLOURS, Outcome, read_outcome, show_differences
from ..layers.layers import diameter_px
from ..layers.stack import ensure_stack
from ..layers.training_data import training_data
from ..widgets.jobs import JobError, LatestWorker, StepQueue, pluralise, throttled
from ..widgets.layout import stack_up
from ..widgets.models import add_session_model, model_title
from .review import Review

_LINES_IN_VIEW = 5
_UNDONE_TOGETHER = "an iteration's picks"


class Iterations(QListWidget):
    """The finished iterations of a run, a line each; `chosen` once the user has selected one."""

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setStyleSheet("QListWidget::item { padding: 2px; }")
        choose_soon = throttled(self.chosen.emit, self, 30)
        self.itemSelectionChanged.connect(choose_soon)
        self.itemClicked.connect(choose_soon)
        self._listed: list[RunIteration] = []

    def show_run(self, run: Path | None) -> None:
        """List the iterations of a run; what was selected stays so."""
        selected = self.selected()
        self._listed = [] if run is None else iterations(run)
        with QSignalBlocker(self):
            self.clear()
            for iteration in self._listed:
                item = QListWidgetItem(_line(iteration), self)
                item.setToolTip(iteration.reason)
                if selected is not None and iteration.path == selected.path:
                    item.setSelected(True)
        height = self.sizeHintForRow(0) * min(len(self._listed), _LINES_IN_VIEW)
        self.setFixedHeight(height + 2 * self.frameWidth())

    def selected(self) -> RunIteration | None:
        """Return the iteration whose line is selected."""
        items = self.selectedItems()
        return self._listed[self.row(items[0])] if items else None

    def before(self, iteration: RunIteration) -> RunIteration | None:
        """Return the iteration in the line above."""
        row = self._listed.index(iteration)
        return self._listed[row - 1] if row else None

    def choose_best(self) -> None:
        """Select the run's model."""
        for row, iteration in enumerate(self._listed):
            if iteration.best:
                self.setCurrentRow(row)
                self.chosen.emit()


class Outcomes(QWidget):
    """The iterations of a run; the picks of the one selected are shown.

    A person's points, deletions and paint stay as they are.
    """

    reported = Signal(str, bool)
    shown = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self.image: Image | None = None
        self.iterations = Iterations()
        self.difference = QLabel(wordWrap=True)
        self.use = QPushButton(
            "Use this model", toolTip="Choose the model of this iteration in Predict particles."
        )
        self.review = Review(viewer)
        self._steps = StepQueue(self)
        self.worker = LatestWorker(self)
        stack_up(self, self.iterations, self.difference, self.use, self.review)
        self.iterations.chosen.connect(self._on_chosen)
        self.use.clicked.connect(self._use_selected)
        self.worker.done.connect(self._on_read)
        self.hide()

    def show_run(self, image: Image | None, run: Path | None) -> None:
        """List the iterations of a run about an image; what was selected stays so."""
        if image is not self.image:
            self.iterations.clearSelection()
        self.image = image
        self.iterations.show_run(run)
        self.setVisible(self.iterations.count() > 0)
        self._on_selection()

    def show_best(self) -> None:
        """Select the run's model, and show what it has found."""
        self.iterations.choose_best()

    def _on_selection(self) -> None:
        selected = self.iterations.selected() is not None
        self.use.setEnabled(selected)
        if not selected:
            self.difference.hide()
            self.review.hide()

    def _on_chosen(self) -> None:
        """Read what the iteration selected has found."""
        self._on_selection()
        iteration, image = self.iterations.selected(), self.image
        if iteration is not None and image is not None:
            before, stack = self.iterations.before(iteration), ensure_stack(image)
            diameter = diameter_px(image)
            self.worker.ask(lambda: (image, read_outcome(iteration, before, stack, diameter)))

    def _on_read(self, read: tuple[Image, Outcome] | JobError) -> None:
        if isinstance(read, JobError):
            self.reported.emit(read.message, True)
        else:
            self._steps.add(self._show(*read))

    def _show(self, image: Image, outcome: Outcome) -> Iterator[None]:
        """Show an iteration's picks, its difference and its uncertain picks."""
        for step in (self._show_picks, self._show_difference, self._show_uncertain):
            if image in self._viewer.layers:
                step(image, outcome)
                yield
        self.shown.emit()

    def _show_picks(self, image: Image, outcome: Outcome) -> None:
        picks, threshold = ensure_picks(self._viewer, image), outcome.iteration.threshold
        # Where labels are complete, a model's picks would count as labels for the next training.
        labelled = self._labelled(image) if outcome.iteration.complete else {}
        found = {i: table for i, table in outcome.picks.items() if i not in labelled}
        replace_model_picks(picks, found, _UNDONE_TOGETHER)
        if isfinite(threshold):
            show_above(picks, floor(threshold * 100) / 100)

    def _show_difference(self, image: Image, outcome: Outcome) -> None:
        """Show how many were gained and lost, with the colours and signs of their points."""
        show_differences(self._viewer, image, outcome)
        self.difference.setVisible(outcome.before is not None)
        if outcome.before is None:
            return
        changed = (("○", "gained", outcome.gained), ("✕", "lost", outcome.lost))
        counts = [
            f'<span style="color: {CHANGE_COLOURS[kind]}">{sign}</span> {len(points):,} {kind}'
            for sign, kind, points in changed
        ]
        self.difference.setText(f"{', '.join(counts)}, compared with {outcome.before.phrase}")

    def _show_uncertain(self, image: Image, outcome: Outcome) -> None:
        labelled, threshold = self._labelled(image), outcome.iteration.threshold
        uncertain = uncertain_picks(outcome.picks, labelled, threshold, diameter_px(image) / 2)
        self.review.begin(image, uncertain)

    def _labelled(self, image: Image) -> dict[int, Picks]:
        """Return what a person has picked and deleted, by slice."""
        data = training_data(image, ensure_picks(self._viewer, image), None, complete=False)
        return {ensure_stack(image).index(path): table for path, table in data.picks.items()}

    def _use_selected(self) -> None:
        """Have the iteration selected chosen in *Predict particles*."""
        iteration = self.iterations.selected()
        if iteration is not None:
            add_session_model(iteration.path)
            title = model_title(iteration.path)
            self.reported.emit(f"{title} is now chosen in Predict particles.", False)


def _line(iteration: RunIteration) -> str:
    """Return "★ Round 1: F1 0.80, AP 0.75, 952 picks above 0.50"; what is unknown is left out."""
    figures = {"F1": iteration.f1, "AP": iteration.average_precision}
    parts = [f"{name} {value:.2f}" for name, value in figures.items() if isfinite(value)]
    if iteration.count is not None:
        parts.append(pluralise(iteration.count, "pick"))
    if isfinite(iteration.threshold):
        parts[-1:] = [f"{''.join(parts[-1:])} above {iteration.threshold:.2f}".strip()]
    if not iteration.accepted:
        parts.append("not kept")
    star = "★ " if iteration.best else ""
    return f"{star}{iteration.title.capitalize()}: {', '.join(parts)}"
