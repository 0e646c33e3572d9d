"""The dock *Predict particles*."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from math import isnan
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFileDialog, QLabel, QPushButton, QSizePolicy
from superqt import QLabeledDoubleSlider
from superqt.utils import qthrottled

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
from ..layers.geometry import slice_in_view
from ..layers.results import ensure_labels, ensure_picks, show_prediction
from ..layers.stack import ensure_stack, write_files
from ..widgets.form import SettingsForm
from ..widgets.jobs import JobControl, Work, pluralise
from ..widgets.layout import beside, folded, form_rows
from ..widgets.micrographs import MicrographChooser
from ..widgets.model_menu import ModelMenu
from ..widgets.models import ModelCombo
from .dock import Dock

_LOWEST_SCORE = 0.05
"""Picks below are hardly ever wanted, and would only slow the layer down."""

_DEFAULT_THRESHOLD = 0.5


class PredictDock(Dock):
    """Find particles, choose how sure the model must be, export."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.micrographs = MicrographChooser(napari_viewer, self)
        self.models = ModelCombo()
        self.menu = ModelMenu(self.models)
        self.form = SettingsForm(PredictSettings, ("min_distance", "border", "averaging", "device"))
        self.estimate = QPushButton("Estimate")
        self.scope = QComboBox()
        self.job = JobControl("Predict", napari_viewer, self)
        self.threshold = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.count = QLabel()
        self.expected = QLabel(wordWrap=True)
        self.export = QPushButton("Export…")
        self._seconds: list[float] = []
        self._failed: list[str] = []
        self._count_soon = qthrottled(self._count, timeout=100, leading=False, parent=self)
        self._arrange()
        self._connect()

    def predict(self) -> tuple[Image, Work]:
        """Return the work of predicting the micrograph in view or the whole stack."""
        image = self.micrographs.require()
        stack, here, run = ensure_stack(image), slice_in_view(self.viewer, image), object()
        paths = stack.paths if self.scope.currentIndex() else stack.paths[here : here + 1]
        settings = self._settings(threshold=_LOWEST_SCORE)
        self._seconds, self._failed = [], []

        def work(stop: threading.Event) -> Iterator[tuple[PredictionEvent, object]]:
            from ...detection.predict import predict_many

            write_files(image, stack)
            for event in predict_many(paths, settings, stop):
                yield event, run

        return image, work

    def estimate_diameter(self) -> tuple[Image, Work]:
        """Return the work of looking for particles of several sizes on a few micrographs."""
        image = self.micrographs.require()
        stack, settings = ensure_stack(image), self._settings()

        self._seconds = []

        def work(stop: threading.Event) -> Iterator[DiameterEvent | None]:
            from ...detection.diameter import estimate_diameter

            write_files(image, stack)
            size, device = settings.pixel_size_angstrom, settings.device
            yield from estimate_diameter(stack.paths, settings.model, size, device, stop)
            if stop.is_set():
                yield None

        return image, work

    def export_to(self, path: Path) -> None:
        """Write the picks that are shown."""
        picks = self.micrographs.picks
        if picks is None:
            return
        try:
            count = write_layer(path, picks)
        except CryopickError as error:
            self.job.tell(str(error), wrong=True)
        else:
            self.job.tell(f"{pluralise(count, 'pick')} exported to {path}.")

    def _settings(self, **others: object) -> PredictSettings:
        return self.form.settings(**self.micrographs.sizes(), model=self.models.model(), **others)

    # estimating

    def _on_diameter(self, event: DiameterEvent | None) -> Iterator[None]:
        match event:
            case None:
                self.job.tell("Stopped. Diameter unchanged.")
            case DiameterProgress():
                self.job.show_progress(event.index + 1, event.total, event.seconds_left)
                self.job.tell(f"Looking for particles of {event.diameter_angstrom:.0f} Å…")
            case DiameterResult():
                self.micrographs.set_diameter(self.job.about, round(event.angstrom))
                self.job.tell(
                    f"Particles seem to be about {event.angstrom:.0f} Å across, estimated on "
                    f"{pluralise(event.micrographs, 'micrograph')}."
                )
        yield

    # predicting

    def _on_prediction(self, happened: tuple[PredictionEvent, object]) -> Iterator[None]:
        """Show what was found, on the micrographs it was found in."""
        event, run = happened
        match event:
            case Predicted():
                yield from self._show(event, run)
                self._seconds.append(event.seconds)
            case Failed():
                self._failed.append(event.message)
        self.job.show_progress(event.index + 1, event.total, self._seconds_left(event))
        self.job.tell(self._account(event), wrong=bool(self._failed))
        self._count_soon()

    def _show(self, event: Predicted, run: object) -> Iterator[None]:
        image = self.job.about
        yield from show_prediction(self.viewer, image, event, run)
        if self._seconds or image not in self.viewer.layers:
            return
        show_above(ensure_picks(self.viewer, image), event.threshold)
        if image == self.micrographs.image:
            self.threshold.setValue(event.threshold)

    def _on_job(self) -> None:
        """At the end, make a layer to paint on; it comes last, for napari takes its time."""
        self.estimate.setEnabled(self.job.running is None)
        image = self.job.about
        if self.job.running is None and self._seconds and image in self.viewer.layers:
            ensure_labels(self.viewer, image)

    def _seconds_left(self, event: PredictionEvent) -> float:
        mean = sum(self._seconds) / max(1, len(self._seconds))
        return mean * (event.total - event.index - 1)

    def _account(self, event: PredictionEvent) -> str:
        if self._failed and event.total == 1:
            return self._failed[-1]
        done = f"{len(self._seconds)} of {pluralise(event.total, 'micrograph')} predicted"
        if self._failed:
            return f"{done}, {len(self._failed)} failed: {self._failed[-1]}"
        return f"{done}, {sum(self._seconds) / len(self._seconds):.1f} s each."

    # what was found

    def _on_image(self) -> None:
        """Show the threshold and the picks of other micrographs."""
        self._name_scope()
        picks = self.micrographs.picks
        self.threshold.setValue(_DEFAULT_THRESHOLD if picks is None else threshold_of(picks))
        self._count()

    def _on_threshold(self) -> None:
        if (picks := self.micrographs.picks) is not None:
            show_above(picks, self.threshold.value())
        self._count_soon()

    def _count(self) -> None:
        image, picks = self.micrographs.image, self.micrographs.picks
        self.export.setEnabled(picks is not None)
        self.expected.setVisible(picks is not None)
        if image is None or picks is None:
            self.count.setText("No picks yet")
            return
        here = int((picks.data[picks.shown, 0].round() == slice_in_view(self.viewer, image)).sum())
        self.count.setText(f"{pluralise(int(picks.shown.sum()), 'pick')}, {here:,} in view")
        expected = expected_scores(picks)
        basis = "" if isnan(expected.precision) else " (from the model's own scores)"
        self.expected.setText(f"{expected}".capitalize() + basis)

    def _name_scope(self) -> None:
        image = self.micrographs.image
        if image is not None:
            count = len(ensure_stack(image))
            here = slice_in_view(self.viewer, image) + 1
            self.scope.setItemText(0, f"this micrograph ({here} of {count})")
            self.scope.setItemText(1, f"all {pluralise(count, 'micrograph')}")
        self._count_soon()

    def _choose_export(self) -> None:
        image = self.micrographs.image
        if image is None:
            return
        start = str(ensure_stack(image).paths[0].parent / "picks.star")
        kinds = "RELION STAR (*.star);;CSV (*.csv)"
        path, _ = QFileDialog.getSaveFileName(self, "Export picks", start, kinds)
        if path:
            self.export_to(Path(path))

    # the parts

    def _connect(self) -> None:
        self.opened.connect(self.micrographs.refresh)
        for part in (self.micrographs, self.menu, self.job):
            self.closed.connect(part.leave)
        self.micrographs.chosen.connect(self._on_image)
        self.threshold.valueChanged.connect(self._on_threshold)
        self.job.asked.connect(lambda: self.job.run(self.predict, self._on_prediction))
        self.estimate.clicked.connect(
            lambda: self.job.run(self.estimate_diameter, self._on_diameter)
        )
        self.job.changed.connect(self._on_job)
        self.menu.told.connect(self.job.tell)
        self.export.clicked.connect(self._choose_export)
        self.viewer.dims.events.point.connect(self._name_scope)

    def _arrange(self) -> None:
        self.estimate.setToolTip("Let the model look for particles of several sizes.")
        self.scope.addItems(["", ""])
        self.scope.setToolTip("Predict only the micrograph in view, or all of them.")
        self.scope.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.threshold.setRange(0, 1)
        self.threshold.setSingleStep(0.01)  # type: ignore[arg-type]
        self.threshold.setDecimals(2)
        self.threshold.setToolTip("Show the model's picks from this score on; yours always show.")
        self.expected.setToolTip(
            "Computed from the model's own scores of the picks shown; not measured on labels."
        )
        self.export.setToolTip("Write the picks that are shown, as a STAR file for RELION or CSV.")
        micrographs, *sizes = self.micrographs.rows(self.estimate)
        rows = (
            ("Model", beside(self.models, self.menu)),
            micrographs,
            ("Predict", self.scope),
            *sizes,
        )
        self.lay_out(
            form_rows(*rows),
            self.micrographs.hint,
            folded("Advanced", form_rows(*self.form.rows())),
            self.job.button,
            self.job.progress,
            form_rows(("Threshold", self.threshold)),
            beside(self.count, self.export),
            self.expected,
            self.job.status,
        )
