"""The dock *Train*."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from math import isfinite, nan
from pathlib import Path
from typing import Any

from napari.layers import Image, Labels, Points
from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit

from ..errors import CryopickError
from ..training.events import Finished, Started, Step, TrainingEvent, Validation
from ..training.settings import TrainSettings
from .combos import LayerCombo
from .form import SettingsForm, with_button
from .job_control import duration
from .jobs import Soon, Work
from .layers import LABELS, PICKS, find_layer
from .models import TRAINED
from .panel import Panel, counted
from .plot import TrainingPlot, import_matplotlib
from .results import annotate, ensure_labels, ensure_picks
from .scratch import adopt, write_scratch
from .training_data import TrainingData, training_data

_BEGIN_TIP = "Begin a new layer, or go to the one there is."
_IN_VIEW = ("diameter_angstrom", "pixel_size_angstrom", "complete")


class TrainPanel(Panel[TrainSettings]):
    """Train a model on what is clicked and painted."""

    run_text = "Train"

    def __init__(self, napari_viewer: Any) -> None:
        advanced = [name for name in TrainSettings.model_fields if name not in _IN_VIEW]
        super().__init__(napari_viewer, SettingsForm(TrainSettings, _IN_VIEW, advanced))
        self.picks = LayerCombo(napari_viewer, lambda layer: isinstance(layer, Points), "none")
        self.labels = LayerCombo(napari_viewer, lambda layer: isinstance(layer, Labels), "none")
        self.folder = QLineEdit()
        self.summary = QLabel()
        self.plot = TrainingPlot(napari_viewer.theme)
        self._watched: list[Any] = []
        self._arrange_teaching()
        self._describing = Soon(self.describe, self)
        for combo in (self.picks, self.labels):
            combo.chosen.connect(self._watch)
        self.form.editor("complete").toggled.connect(self._describing.ask)

    def work(self, image: Image) -> Work:
        """Train on the data as it is now; later edits are for the next training."""
        stack, data = adopt(image), self.data()
        if not data.picks and not data.labels:
            raise CryopickError("Nothing is labelled yet; click some particles first.")
        settings = self.form.settings()
        run = _new_run(Path(self.folder.text()))
        self.plot.clear()

        def train(stop: threading.Event) -> Iterator[TrainingEvent]:
            from ..training.supervised import train as train_supervised

            import_matplotlib()
            write_scratch(image, stack)
            yield from train_supervised(
                stack.paths, data.picks, settings, run, labels=data.labels, stop=stop
            )

        return train

    def on_event(self, event: TrainingEvent) -> Iterator[None]:
        """Show how the training goes, and offer its model at the end."""
        match event:
            case Started():
                self.control.tell(
                    f"Training on {event.device}; {counted(event.training_picks, 'pick')} to learn "
                    f"from, {event.held_out_picks} held out to judge."
                )
            case Step():
                self.control.show_progress(event.step, event.steps, event.seconds_left)
                self.plot.add(event.step, loss=event.losses["total"])
            case Validation():
                self.plot.add(event.step, F1=event.f1, AP=event.average_precision)
            case Finished():
                TRAINED.append(event.run)
                self.control.tell(
                    f"{'Stopped' if event.stopped else 'Trained'} after {duration(event.seconds)}"
                    f"{_scores(event.metrics)}. The model is chosen in Predict particles."
                )
        yield

    def on_image(self, image: Image) -> None:
        """Choose the picks and labels that belong to other micrographs."""
        for combo, role in ((self.picks, PICKS), (self.labels, LABELS)):
            self._choose_mate(image, combo, role)
        self.folder.setText(str(_runs_beside(adopt(image).paths[0])))
        self._watch()

    def data(self) -> TrainingData:
        """What a training would use."""
        image = self.images.layer()
        complete = self.form.value("complete")
        return training_data(image, adopt(image), self.picks.layer(), self.labels.layer(), complete)

    def describe(self) -> None:
        """Say what would be used."""
        if self.images.layer() is None:
            return
        try:
            self.summary.setText(self.data().summary)
        except CryopickError as error:
            self.summary.setText(str(error))

    def begin_picks(self) -> Points:
        """Go to the picks layer of the micrographs, made if need be, ready to click."""
        return self._begin(ensure_picks, self.picks, "add")

    def begin_labels(self) -> Labels:
        """Go to the labels layer of the micrographs, made if need be, ready to paint."""
        return self._begin(ensure_labels, self.labels, "paint")

    def _begin(self, ensure: Callable[..., Any], combo: LayerCombo, mode: str) -> Any:
        layer = ensure(self.viewer, self.images.layer(), self.diameter_px)
        combo.choose(layer)
        annotate(self.viewer, layer, mode)
        return layer

    def _choose_mate(self, image: Image, combo: LayerCombo, role: str) -> None:
        layer = find_layer(self.viewer.layers, adopt(image), role)
        if layer is not None:
            combo.refresh()
            combo.choose(layer)

    def _on_inserted(self, event: Any) -> None:
        """What is laid out while nothing is chosen is chosen."""
        super()._on_inserted(event)
        image = self.images.layer()
        for combo, role in ((self.picks, PICKS), (self.labels, LABELS)):
            if image is not None and combo.layer() is None:
                self._choose_mate(image, combo, role)

    def _watch(self) -> None:
        """Follow the edits of the layers chosen."""
        for edited in self._watched:
            edited.disconnect(self._describing.ask)
        picks, labels = self.picks.layer(), self.labels.layer()
        self._watched = [picks.events.features] if picks is not None else []
        if labels is not None:
            self._watched += [labels.events.labels_update, labels.events.set_data]
        for edited in self._watched:
            edited.connect(self._describing.ask)
        self.describe()

    def _arrange_teaching(self) -> None:
        self.picks.setToolTip("Clicked or loaded picks; a model's own picks are not learnt from.")
        self.labels.setToolTip("Painted particles, background and contamination.")
        self.folder.setToolTip("Each training makes a folder of its own in here.")
        self.summary.setWordWrap(True)
        rows = self.form.rows
        rows.insertRow(1, "Picks", with_button(self.picks, "+", _BEGIN_TIP, self.begin_picks))
        rows.insertRow(2, "Labels", with_button(self.labels, "+", _BEGIN_TIP, self.begin_labels))
        rows.addRow("Output", with_button(self.folder, "…", "Choose a folder.", self._browse))
        self.body.insertWidget(self.body.indexOf(self.control.button), self.summary)
        self.body.insertWidget(self.body.indexOf(self.control.progress) + 1, self.plot)

    def _browse(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Output", self.folder.text()):
            self.folder.setText(folder)

    def _leave(self) -> None:
        super()._leave()
        self.picks.forget_viewer()
        self.labels.forget_viewer()


def _new_run(folder: Path) -> Path:
    """The first of run_1, run_2, … that is free."""
    return next(run for n in count(1) if not (run := folder / f"run_{n}").exists())


def _runs_beside(micrograph: Path) -> Path:
    return micrograph.absolute().parent.parent / "cryopick_runs"


def _scores(metrics: dict[str, float]) -> str:
    titles = {"f1": "F1", "average_precision": "AP"}
    known = {name: metrics[name] for name in titles if isfinite(metrics.get(name, nan))}
    figures = ", ".join(f"{titles[name]} {value:.2f}" for name, value in known.items())
    return f": {figures}" if figures else ""
