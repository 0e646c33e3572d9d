"""Parts that the docks *Train* and *Self-train* are composed of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from math import isfinite, nan
from pathlib import Path
from typing import Any

from magicgui.types import FileDialogMode
from magicgui.widgets import FileEdit
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Points
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QLabel, QToolButton
from superqt.utils import qthrottled

from ...errors import CryopickError
from ...runs.read import is_ensemble, new_run, runs_beside
from ...training.events import (
    Finished,
    Iteration,
    PseudoLabelled,
    Simulating,
    Started,
    Step,
    TrainingEvent,
    Validation,
)
from ...training.settings import TrainSettings
from ..layers.metadata import LABELS, PICKS, find_layer, has_diameter, role_of
from ..layers.results import annotate, ensure_labels, ensure_picks
from ..layers.stack import ensure_stack, write_files
from ..layers.training_data import TrainingData, training_data
from ..widgets.form import SettingsForm
from ..widgets.jobs import JobControl, JobError, LatestWorker, Work, duration, pluralise
from ..widgets.layer_combo import LayerCombo
from ..widgets.layout import Row, beside
from ..widgets.micrographs import MicrographChooser
from ..widgets.models import add_session_model
from ..widgets.plot import TrainingPlot, import_matplotlib

OF_STRUCTURES = ("simulated_micrographs", "voltage_kilovolt", "defocus_angstrom")
"""Settings that only matter where a structure is trained on."""


class TrainingInputs(QObject):
    """What a training learns from, and where its run goes.

    Parameters
    ----------
    viewer
        The viewer whose layers are learned from.
    micrographs
        Of which micrographs.
    form
        The settings, `complete` and `structure` among them.
    """

    told = Signal(str, bool)

    def __init__(
        self, viewer: ViewerModel, micrographs: MicrographChooser, form: SettingsForm[Any]
    ) -> None:
        super().__init__(micrographs)
        self._viewer, self._micrographs, self._form = viewer, micrographs, form
        self.picks = LayerCombo(viewer, _may_hold_picks, "none")
        self.labels = LayerCombo(viewer, lambda layer: isinstance(layer, Labels), "none")
        self.folder = FileEdit(mode=FileDialogMode.EXISTING_DIRECTORY)
        self.summary = QLabel(wordWrap=True)
        self._combos = {PICKS: self.picks, LABELS: self.labels}
        self._watched: list[Any] = []
        self._folder_of: Image | None = None
        self._measuring = LatestWorker(self)
        self._describe_soon = qthrottled(self._describe, timeout=100, leading=False, parent=self)
        self._arrange()
        self._connect()

    @property
    def structure(self) -> Path | None:
        """The structure that is trained on instead of picks."""
        structure: Path | None = self._form.value("structure")
        return structure

    @property
    def runs(self) -> Path:
        """The folder of runs."""
        return Path(str(self.folder.value))

    def rows(self) -> list[Row]:
        """Return the rows of a dock's form."""
        picks, labels = (
            beside(combo, _plus(begin))
            for combo, begin in ((self.picks, self.begin_picks), (self.labels, self.begin_labels))
        )
        structure, complete = self._form.rows("structure", "complete")
        return [("Picks", picks), ("Labels", labels), structure, complete]

    def data(self) -> TrainingData:
        """Return what a training would use as it is now; no labels if there is a structure."""
        image, complete = self._micrographs.image, self._form.value("complete")
        if self.structure is not None:
            return TrainingData({}, {}, len(ensure_stack(image)))
        return training_data(image, self.picks.layer(), self.labels.layer(), complete)

    def new_run(self) -> Path:
        """Return a folder for the next run."""
        return new_run(self.runs)

    def begin_picks(self) -> Points:
        """Go to the picks layer of the micrographs, made if need be, ready to click."""
        return self._begin(ensure_picks, self.picks, "add")

    def begin_labels(self) -> Labels:
        """Go to the labels layer of the micrographs, made if need be, ready to paint."""
        return self._begin(ensure_labels, self.labels, "paint")

    def refresh(self) -> None:
        """Choose the picks, labels and runs that belong to the micrographs chosen."""
        image = self._micrographs.image
        if image is None:
            return
        self._choose_mates(image)
        if image is not self._folder_of:
            self._folder_of = image
            self.folder.value = runs_beside(ensure_stack(image).paths[0])
        self._watch()
        if not has_diameter(image):
            self._measure()

    def leave(self) -> None:
        """Follow the viewer no longer."""
        self._measuring.forget()
        self.picks.leave()
        self.labels.leave()
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)

    # layers

    def _begin(self, ensure: Callable[..., Any], combo: LayerCombo, mode: str) -> Any:
        layer = ensure(self._viewer, self._micrographs.image)
        combo.choose(layer)
        annotate(self._viewer, layer, mode)
        return layer

    def _choose_mates(self, image: Image, only_missing: bool = False) -> None:
        for role, combo in self._combos.items():
            layer = find_layer(self._viewer.layers, ensure_stack(image), role)
            if layer is not None and not (only_missing and combo.layer()):
                combo.refresh()
                combo.choose(layer)

    def _on_inserted(self) -> None:
        """Choose what is made while nothing is chosen."""
        if self._micrographs.image is not None:
            self._choose_mates(self._micrographs.image, only_missing=True)

    def _watch(self) -> None:
        """Follow the edits of the layers chosen."""
        for edited in self._watched:
            edited.disconnect(self._describe_soon)
        picks, labels = self.picks.layer(), self.labels.layer()
        self._watched = [picks.events.features] if picks is not None else []
        if labels is not None:
            self._watched += [labels.events.labels_update, labels.events.set_data]
        for edited in self._watched:
            edited.connect(self._describe_soon)
        self._describe()

    # the structure

    def _on_structure(self) -> None:
        for name in OF_STRUCTURES:
            self._form.fields[name].enabled = self.structure is not None
        self._describe()
        self._measure()

    def _measure(self) -> None:
        """Find out how large the structure is; a map may be large."""
        image, structure = self._micrographs.image, self.structure
        if image is None or structure is None or not structure.is_file():
            return

        def measure() -> tuple[Image, str, float]:
            from ...pretraining.structure import diameter_of

            return image, structure.name, diameter_of(structure)

        self._measuring.ask(measure)

    def _on_measured(self, measured: tuple[Image, str, float] | JobError) -> None:
        if isinstance(measured, JobError):
            self.told.emit(measured.message, True)
            return
        image, name, angstrom = measured
        self._micrographs.set_diameter(image, angstrom)
        self.told.emit(f"Diameter set to {angstrom:.0f} Å, the size of {name}.", False)

    # words

    def _describe(self) -> None:
        if self._micrographs.image is None:
            self.summary.setText("")
            return
        try:
            self.summary.setText(_in_words(self.data(), self.structure))
        except CryopickError as error:
            self.summary.setText(str(error))

    # the parts

    def _connect(self) -> None:
        for combo in self._combos.values():
            combo.chosen.connect(self._watch)
        self._form.fields["complete"].changed.connect(self._describe_soon)
        self._form.fields["structure"].changed.connect(self._on_structure)
        self._measuring.done.connect(self._on_measured)
        self._micrographs.chosen.connect(self.refresh)
        self._viewer.layers.events.inserted.connect(self._on_inserted)
        self._on_structure()

    def _arrange(self) -> None:
        self.picks.setToolTip("Clicked or loaded picks; a model's own picks are left out.")
        self.labels.setToolTip("Painted particles, background and contamination.")
        self.folder.choose_btn.text = "…"
        self.folder.tooltip = "Each training makes a folder of its own in here."
        structure: Any = self._form.fields["structure"]
        structure.line_edit.native.setPlaceholderText("none: train on picks")
        structure.line_edit.native.setClearButtonEnabled(True)


def training_work(
    train: Callable[..., Iterator[TrainingEvent]],
    image: Image,
    data: TrainingData,
    settings: TrainSettings,
    run: Path,
    **options: Any,
) -> Work:
    """Return the work of one training run on the data as it is now."""
    stack = ensure_stack(image)

    def work(stop: threading.Event) -> Iterator[TrainingEvent]:
        import_matplotlib()
        write_files(image, stack)
        yield from train(
            stack.paths, data.picks, settings, run, labels=data.labels, stop=stop, **options
        )

    return work


class TrainingProgress:
    """Shows the events of a training: progress, curves, sentences, the model at the end."""

    def __init__(self, job: JobControl, plot: TrainingPlot) -> None:
        self._job, self._plot = job, plot
        self._expected = ""

    def show(self, event: TrainingEvent) -> None:
        """Show an event."""
        match event:
            case Simulating():
                self._job.show_progress(event.done, event.total, event.seconds_left)
            case Step():
                self._job.show_progress(event.step, event.steps, event.seconds_left)
                self._plot.add(event.step, loss=event.losses["total"])
            case Validation():
                self._plot.add(event.step, F1=event.f1, AP=event.average_precision)
                self._expected = _expected(event)
            case Iteration():
                self._plot.end_iteration()
            case Finished():
                add_session_model(event.run)
        if sentence := self._sentence(event):
            self._job.tell(sentence)

    def _sentence(self, event: TrainingEvent) -> str:
        match event:
            case Simulating():
                return "Simulating micrographs of the structure…"
            case Started():
                return _started(event)
            case PseudoLabelled():
                return (
                    f"Round {event.iteration} trains on {pluralise(event.particles, 'particle')} "
                    f"pseudo-labelled on {pluralise(event.micrographs, 'micrograph')}."
                )
            case Iteration():
                what = "The ensemble" if is_ensemble(event.name) else f"Round {event.number}"
                what = what if event.number else "The initial model"
                return (
                    f"{what} {'was kept' if event.accepted else 'was rolled back'}: {event.reason}"
                )
            case Finished():
                verb = "Stopped" if event.stopped else "Trained"
                measured = _measured(event.metrics) or self._expected
                done = f"{verb} after {duration(event.seconds)}. {measured}".strip()
                return (
                    f"{done} The model is now chosen in Predict particles. {event.advice}".strip()
                )
        return ""


def _started(event: Started) -> str:
    if not event.training_picks:
        return f"Training on {event.device}."
    held_out = f"; {event.held_out_picks:,} are held out" if event.held_out_picks else ""
    return f"Training on {event.device} on {pluralise(event.training_picks, 'pick')}{held_out}."


def _measured(metrics: dict[str, float]) -> str:
    """Return "F1 0.86, AP 0.82 on held-out labels.", or nothing where that is unknown."""
    titles = {"f1": "F1", "average_precision": "AP"}
    known = {title: metrics.get(name, nan) for name, title in titles.items()}
    figures = ", ".join(f"{title} {value:.2f}" for title, value in known.items() if isfinite(value))
    return f"{figures} on held-out labels." if figures else ""


def _expected(event: Validation) -> str:
    if not isfinite(event.expected_precision) or not isfinite(event.expected_recall):
        return ""
    return (
        f"Expected precision {event.expected_precision:.2f}, recall {event.expected_recall:.2f} "
        "(from the model's own scores)."
    )


def _in_words(data: TrainingData, structure: Path | None) -> str:
    if structure is not None:
        return f"Trains on simulated micrographs of {structure.name}, not on picks or labels."
    if not data.labelled:
        return "Nothing is labelled yet: click particles, paint labels or choose a structure."
    parts = [f"{pluralise(data.placed, 'pick')}"] if data.placed else []
    parts += [f"{data.deleted:,} rejected"] if data.deleted else []
    parts += [f"labels painted on {len(data.labels):,}"] if data.labels else []
    where = f"{data.labelled:,} of {pluralise(data.micrographs, 'micrograph')}"
    return f"Labelled on {where}: {', '.join(parts)}."


def _plus(begin: Callable[[], object]) -> QToolButton:
    button = QToolButton()
    button.setText("+")
    button.setToolTip("Make a new layer, or go to the one there is.")
    button.clicked.connect(partial(_call, begin))
    return button


def _call(function: Callable[[], object]) -> None:
    function()


def _may_hold_picks(layer: Layer) -> bool:
    return isinstance(layer, Points) and role_of(layer) in (None, PICKS)
