"""The dock *Predict particles*."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
)
from superqt import QLabeledDoubleSlider

from ...detection.events import (
    DiameterEvent,
    DiameterProgress,
    DiameterResult,
    Failed,
    Predicted,
    PredictionEvent,
)
from ...detection.settings import PredictSettings
from ...errors import CryopickError
from ..contributions.coordinates import write_layer
from ..layers.curation import expected_scores, show_above, threshold_of
from ..layers.results import ensure_labels, fill_layers, make_layers
from ..layers.scratch import adopt, write_scratch
from ..widgets.form import SettingsForm, beside, compact_rows
from ..widgets.jobs import Soon, Work
from ..widgets.model_combo import ModelCombo
from ..widgets.model_menu import ModelMenu
from .panel import Panel, counted


@dataclass(frozen=True)
class GivenUp:
    """The estimate was stopped before it came to anything."""


def estimation(image: Image, settings: PredictSettings) -> Work:
    """Look for particles of several sizes on a few micrographs of a stack."""
    stack, size, device = adopt(image), settings.pixel_size_angstrom, settings.device

    def estimate(stop: threading.Event) -> Iterator[DiameterEvent | GivenUp]:
        from ...detection.diameter import estimate_diameter

        write_scratch(image, stack)
        for event in estimate_diameter(stack.paths, settings.model, size, device, stop):
            yield event
            if isinstance(event, DiameterResult):
                return
        yield GivenUp()

    return estimate


_LOWEST_SCORE = 0.05
_USUAL_THRESHOLD = 0.5
_ESTIMATE_TIP = "Estimate the diameter: the model looks for particles of several sizes."


class PredictPanel(Panel[PredictSettings]):
    """Find particles, choose how sure the model must be, export."""

    run_text = "Predict"

    def __init__(self, napari_viewer: Any) -> None:
        form = SettingsForm(
            PredictSettings,
            ("diameter_angstrom", "pixel_size_angstrom"),
            advanced=("min_distance", "border", "averaging", "device"),
        )
        super().__init__(napari_viewer, form)
        self.models = ModelCombo()
        self.menu = ModelMenu(self.models)
        self.estimate = QPushButton()
        self.scope = QComboBox()
        self.threshold = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.count = QLabel()
        self.promise = QLabel()
        self.export = QPushButton("Export…")
        self._seconds: list[float] = []
        self._failed: list[str] = []
        self._target: tuple[Image, float, object]
        self._arrange_outcome()
        model = beside(self.models, self.menu, "…", "Look at models, keep, save or open them.")
        form.rows.insertRow(0, "Model", model)
        form.rows.insertRow(2, "Predict", self.scope)
        form.put_beside("diameter_angstrom", self.estimate, "Estimate", _ESTIMATE_TIP)
        self.threshold.valueChanged.connect(self._on_threshold)
        self.control.begun.connect(lambda: self.estimate.setEnabled(False))
        self.control.ended.connect(self._finish)
        self.estimate.clicked.connect(lambda: self._run(self.estimation))
        self.menu.told.connect(self.control.tell)
        self.export.clicked.connect(self._choose_export)
        self._counting = Soon(self._count, self)
        napari_viewer.dims.events.point.connect(self._name_scope)

    def work(self, image: Image) -> Work:
        """Predict the micrograph in view or the whole stack."""
        stack, here = adopt(image), self.slice_in_view()
        paths = stack.paths if self.scope.currentIndex() else stack.paths[here : here + 1]
        settings = self.form.settings(model=self.models.model(), threshold=_LOWEST_SCORE)
        self._seconds, self._failed = [], []
        self._target = (image, self.diameter_px, object())

        def predict(stop: threading.Event) -> Iterator[PredictionEvent]:
            from ...detection.predict import predict_many

            write_scratch(image, stack)
            yield from predict_many(paths, settings, stop)

        return predict

    def estimation(self, image: Image) -> Work:
        """Estimate the diameter."""
        self._seconds, self._failed = [], []
        return estimation(image, self.form.settings(model=self.models.model()))

    def on_event(self, event: PredictionEvent | DiameterEvent | GivenUp) -> Iterator[None]:
        """Show how far it is, and what was found."""
        match event:
            case DiameterProgress():
                self.control.show_progress(event.index + 1, event.total, event.seconds_left)
                self.control.tell(f"Looking for particles of {event.diameter_angstrom:.0f} Å…")
            case DiameterResult():
                self._take_estimate(event)
            case GivenUp():
                self.control.tell("Stopped; the diameter is as it was.")
            case _:
                yield from self._on_prediction(event)

    def _take_estimate(self, event: DiameterResult) -> None:
        if self._worked_on is not None:
            self.set_diameter(self._worked_on, round(event.angstrom))
        self.control.tell(
            f"Particles seem to be about {event.angstrom:.0f} Å across, judged by "
            f"{counted(event.micrographs, 'micrograph')}."
        )

    def _on_prediction(self, event: PredictionEvent) -> Iterator[None]:
        """Show what was found, on the micrographs it was found in."""
        match event:
            case Predicted():
                if not self._seconds:
                    self.threshold.setValue(event.threshold)
                self._seconds.append(event.seconds)
                yield from self._show(event)
            case Failed():
                self._failed.append(event.message)
        self.control.show_progress(event.index + 1, event.total, self._seconds_left(event))
        self.control.tell(self._account(event), wrong=bool(self._failed))
        self._counting.ask()

    def _show(self, event: Predicted) -> Iterator[None]:
        image, diameter_px, run = self._target
        for _ in make_layers(self.viewer, image, event.maps, diameter_px):
            yield
        if image not in self.viewer.layers:
            return
        picks = fill_layers(self.viewer, image, event, diameter_px, run)
        show_above(picks, self.threshold.value())

    def _finish(self) -> None:
        """Lay out what is painted on; it comes last, for napari takes its time to make it."""
        self.estimate.setEnabled(True)
        if not self._seconds:
            return
        image, diameter_px, _ = self._target
        if image in self.viewer.layers:
            ensure_labels(self.viewer, image, diameter_px)

    def _seconds_left(self, event: PredictionEvent) -> float:
        mean = sum(self._seconds) / max(1, len(self._seconds))
        return mean * (event.total - event.index - 1)

    def _account(self, event: PredictionEvent) -> str:
        if self._failed and event.total == 1:
            return self._failed[-1]
        done = f"{len(self._seconds)} of {counted(event.total, 'micrograph')} predicted"
        if self._failed:
            return f"{done}, {len(self._failed)} failed: {self._failed[-1]}"
        return f"{done}, {sum(self._seconds) / len(self._seconds):.1f} s each."

    def on_image(self, image: Image) -> None:
        """Show the threshold and the picks of other micrographs."""
        self._name_scope()
        picks = self.picks_layer()
        self.threshold.setValue(_USUAL_THRESHOLD if picks is None else threshold_of(picks))
        self._count()

    def _on_threshold(self) -> None:
        if (picks := self.picks_layer()) is not None:
            show_above(picks, self.threshold.value())
        self._counting.ask()

    def _count(self) -> None:
        picks = self.picks_layer()
        self.export.setEnabled(picks is not None)
        self.promise.setVisible(picks is not None)
        if picks is None:
            self.count.setText("No picks yet")
        else:
            here = int((picks.data[picks.shown, 0].round() == self.slice_in_view()).sum())
            self.count.setText(f"{counted(int(picks.shown.sum()), 'pick')}, {here:,} here")
            self.promise.setText(str(expected_scores(picks)).capitalize())

    def _name_scope(self, event: Any = None) -> None:
        image = self.images.layer()
        if image is None:
            return
        count = len(adopt(image))
        self.scope.setItemText(0, f"this one ({self.slice_in_view() + 1} of {count})")
        self.scope.setItemText(1, f"all {count}")
        self._counting.ask()

    def _choose_export(self) -> None:
        folder = adopt(self.images.layer()).paths[0].parent
        path, _ = QFileDialog.getSaveFileName(
            self, "Export picks", str(folder / "picks.star"), "STAR (*.star);;CSV (*.csv)"
        )
        if path:
            self.export_to(Path(path))

    def export_to(self, path: Path) -> None:
        """Write the picks that are shown."""
        try:
            count = write_layer(path, self.picks_layer())
        except CryopickError as error:
            self.control.tell(str(error), wrong=True)
        else:
            self.control.tell(f"{counted(count, 'pick')} exported to {path}.")

    def _arrange_outcome(self) -> None:
        self.scope.addItems(["", ""])
        self.scope.setToolTip("Predict only the micrograph in view, or all of them.")
        self.scope.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.threshold.setRange(0, 1)
        self.threshold.setSingleStep(0.01)
        self.threshold.setDecimals(2)
        self.threshold.setToolTip("Show a model's picks from this score on; yours always show.")
        self.promise.setToolTip("What the model's scores promise at this threshold.")
        self.export.setToolTip("Write the picks that are shown, for RELION (STAR) or as CSV.")
        rows = compact_rows()
        rows.addRow("Threshold", self.threshold)
        line = QHBoxLayout()
        line.addWidget(self.count, stretch=1)
        line.addWidget(self.export)
        rows.addRow(line)
        rows.addRow(self.promise)
        self.body.insertLayout(self.body.indexOf(self.control.progress) + 1, rows)

    def _leave(self) -> None:
        super()._leave()
        self.menu.forget()
