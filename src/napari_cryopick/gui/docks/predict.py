"""The dock *Predict particles*."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFileDialog, QLabel, QPushButton, QSizePolicy
from superqt import QLabeledDoubleSlider

from ...detection import PredictSettings
from ...detection.events import (
    DiameterEvent,
    DiameterProgress,
    DiameterResult,
    Predicted,
    PredictionEvent,
    describe_margins,
)
from ...errors import CryopickError
from ...micrograph import Failed
from ...picks import Picks
from ..contributions.coordinates import write_layer
from ..layers.create import ensure_labels, ensure_picks, show_maps
from ..layers.curation import expected_scores, replace_model_picks, show_above, threshold_of
from ..layers.layers import OFFSET_SD, slice_in_view
from ..layers.stack import ensure_stack, write_files
from ..widgets.form import SettingsForm
from ..widgets.jobs import JobControl, Work, pluralise, throttled
from ..widgets.layout import Dock, beside, folded, form_rows
from ..widgets.micrographs import MicrographChooser
from ..widgets.models import ModelCombo, ModelMenu

_LOWEST_SCORE = 0.05
"""Picks below are hardly ever wanted, and would only slow the layer down."""

_DEFAULT_THRESHOLD = 0.5
_PAUSES = 9
"""How many times longer than showing picks took one waits to show more: the more a layer holds, the
longer it takes, and the window should stand still for a tenth of the time at most."""

_EXPECTED_TIP = (
    "Expected from the scores of the picks shown, where these are certain enough. Train on "
    "micrographs that you have picked completely to know more."
)
_ADVANCED = ("min_distance", "border", "averaging", "device")


class PredictDock(Dock):
    """Find particles, choose how sure the model must be, export."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.micrographs = MicrographChooser(self)
        self.models = ModelCombo()
        self.menu = ModelMenu(self.models)
        self.form = SettingsForm(PredictSettings, _ADVANCED)
        self.job = JobControl("Predict", self)
        self.estimate = QPushButton("Estimate")
        self.scope = QComboBox()
        self.threshold = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.count = QLabel()
        self.expected = QLabel(wordWrap=True)
        self.export = QPushButton("Export…")
        self._seconds: list[float] = []
        self._failed: list[str] = []
        self._margins_px: list[tuple[int, ...] | None] = []
        self._found: dict[int, Picks] = {}
        self._run, self._next_shown = object(), 0.0
        self._count_soon = throttled(self._count, self)
        self._count_in_view_soon = throttled(self._count_in_view, self)
        self._arrange()
        self._connect()

    def predict(self) -> tuple[Image, Work]:
        """Return the work of predicting the micrograph in view or the whole stack."""
        image, settings = self.micrographs.require(), self._settings(threshold=_LOWEST_SCORE)
        stack, here = ensure_stack(image), slice_in_view(self.viewer, image)
        paths = stack.paths if self.scope.currentIndex() else stack.paths[here : here + 1]
        self._seconds, self._failed, self._margins_px, self._found = [], [], [], {}
        self._run, self._next_shown = object(), 0.0

        def work(stop: threading.Event) -> Iterator[PredictionEvent]:
            from ...detection.predict import predict_many

            write_files(image, stack)
            yield from predict_many(paths, settings, stop)

        return image, work

    def estimate_diameter(self) -> tuple[Image, Work]:
        """Return the work of looking for particles of several sizes on a few micrographs."""
        image, settings = self.micrographs.require(), self._settings()
        stack, self._seconds = ensure_stack(image), []

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
        try:
            count = write_layer(path, self.micrographs.picks)
        except CryopickError as error:
            self.job.say(str(error), wrong=True)
        else:
            self.job.say(f"{pluralise(count, 'pick')} exported to {path}.")

    def _settings(self, **others: object) -> PredictSettings:
        sizes = self.micrographs.sizes()
        return self.form.settings(**sizes, model=self.models.model(), **others)

    # estimating

    def _on_diameter(self, event: DiameterEvent | None) -> Iterator[None]:
        match event:
            case None:
                self.job.say("Stopped. Diameter unchanged.")
            case DiameterProgress():
                self.job.show_progress(event.index + 1, event.total, event.seconds_left)
                self.job.say(f"Looking for particles of {event.diameter_angstrom:.0f} Å…")
            case DiameterResult():
                self.micrographs.set_diameter(self.job.about, round(event.angstrom))
                self.job.say(
                    f"Particles seem to be about {event.angstrom:.0f} Å across, estimated on "
                    f"{pluralise(event.micrographs, 'micrograph')}."
                )
        yield

    # predicting

    def _on_prediction(self, event: PredictionEvent) -> Iterator[None]:
        """Show what was found, on the micrographs it was found in."""
        match event:
            case Predicted():
                yield from self._show(event)
                self._seconds.append(event.seconds)
                self._margins_px.append(event.margins_px)
            case Failed():
                self._failed.append(event.message)
        mean = sum(self._seconds) / max(1, len(self._seconds))
        left = mean * (event.total - event.index - 1)
        self.job.show_progress(event.index + 1, event.total, left)
        self.job.say(self._account(event.total, mean), wrong=bool(self._failed))
        self.job.status.setToolTip("\n".join(self._failed))

    def _show(self, event: Predicted) -> Iterator[None]:
        image = self.job.about
        yield from show_maps(self.viewer, image, event)
        index = ensure_stack(image).index(event.path)
        self._found[index] = event.picks
        if perf_counter() > self._next_shown or index == slice_in_view(self.viewer, image):
            self._show_picks()
        if self._seconds or image not in self.viewer.layers:
            return
        picks = ensure_picks(self.viewer, image)
        picks.metadata[OFFSET_SD] = event.offset_sd
        show_above(picks, event.threshold)
        if image == self.micrographs.image:
            self.threshold.setValue(event.threshold)

    def _show_picks(self) -> None:
        """Show the picks found since the last time."""
        image, begun = self.job.about, perf_counter()
        if self._found and image in self.viewer.layers:
            replace_model_picks(ensure_picks(self.viewer, image), self._found, self._run)
            self._found, now = {}, perf_counter()
            self._next_shown = now + _PAUSES * (now - begun)
            self._count_soon()

    def _account(self, total: int, mean_seconds: float) -> str:
        if self._failed and total == 1:
            return self._failed[-1]
        done = f"{len(self._seconds)} of {pluralise(total, 'micrograph')} predicted"
        if self._failed:
            return f"{done}, {len(self._failed)} left out: {self._failed[-1]}"
        return f"{done}, {mean_seconds:.1f} s each. {describe_margins(self._margins_px)}".strip()

    def _on_job(self) -> None:
        """At the end, make a layer to paint on; it comes last, for napari takes its time."""
        running, image = self.job.running is not None, self.job.about
        self.estimate.setEnabled(not running)
        if not running and self._seconds and image in self.viewer.layers:
            self._show_picks()
            ensure_labels(self.viewer, image)

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
        self._count_in_view()
        expected = expected_scores(picks)
        self.expected.setText(f"{expected}.".capitalize())

    def _count_in_view(self) -> None:
        image, picks = self.micrographs.image, self.micrographs.picks
        if image is not None and picks is not None:
            here = np.round(picks.data[:, 0]) == slice_in_view(self.viewer, image)
            shown, in_view = picks.shown.sum(), (picks.shown & here).sum()
            self.count.setText(f"{pluralise(int(shown), 'pick')}, {in_view:,} in view")

    def _name_scope(self) -> None:
        image = self.micrographs.image
        if image is not None:
            count, here = len(ensure_stack(image)), slice_in_view(self.viewer, image) + 1
            self.scope.setItemText(0, f"this one ({here} of {count})")
            self.scope.setItemText(1, f"all {pluralise(count, 'micrograph')}")
        self._count_in_view_soon()

    def _choose_export(self) -> None:
        start = str(ensure_stack(self.micrographs.require()).paths[0].parent / "picks.star")
        kinds = "RELION STAR (*.star);;CSV (*.csv)"
        path, _ = QFileDialog.getSaveFileName(self, "Export picks", start, kinds)
        if path:
            self.export_to(Path(path))

    # the parts

    def _connect(self) -> None:
        run = self.job.run
        self.micrographs.chosen.connect(self._on_image)
        self.threshold.valueChanged.connect(self._on_threshold)
        self.job.asked.connect(lambda: run(self.predict, self._on_prediction))
        self.estimate.clicked.connect(lambda: run(self.estimate_diameter, self._on_diameter))
        self.job.changed.connect(self._on_job)
        self.menu.reported.connect(self.job.say)
        self.export.clicked.connect(self._choose_export)
        self.follow(self.viewer.dims.events.point, self._name_scope)

    def _arrange(self) -> None:
        self.scope.addItems(["", ""])
        self.scope.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.threshold.setRange(0, 1)
        self.threshold.setDecimals(2)
        for widget, tip in (
            (self.scope, "Predict only the micrograph in view, or all of them."),
            (self.estimate, "Let the model look for particles of several sizes."),
            (self.threshold, "Show the model's picks from this score on; yours always show."),
            (self.expected, _EXPECTED_TIP),
            (self.export, "Write the picks that are shown, as a STAR file for RELION or CSV."),
        ):
            widget.setToolTip(tip)
        micrographs, *sizes = self.micrographs.rows(self.estimate)
        model, scope = ("Model", beside(self.models, self.menu)), ("Predict", self.scope)
        self.lay_out(
            form_rows(model, micrographs, scope, *sizes),
            self.micrographs.hint,
            folded("Advanced", *self.form.rows(*_ADVANCED)),
            self.job.button,
            self.job.progress,
            form_rows(("Threshold", self.threshold)),
            beside(self.count, self.export),
            self.expected,
            self.job.status,
        )
