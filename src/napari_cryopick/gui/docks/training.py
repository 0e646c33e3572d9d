"""What the docks *Train* and *Self-train* have in common: data, settings, a job, and its words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from math import isfinite, nan
from pathlib import Path
from typing import Any, Generic, TypeVar

from magicgui.types import FileDialogMode
from magicgui.widgets import FileEdit
from napari.layers import Image, Labels, Layer, Points
from napari.utils.notifications import show_warning
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QLabel, QToolButton

from ...detection.calibration import ExpectedScores
from ...errors import CryopickError
from ...picks import Status
from ...runs import train
from ...runs.read import is_ensemble, runs_beside
from ...training.events import (
    Finished,
    Iteration,
    LeftOut,
    PseudoLabelled,
    Simulating,
    Started,
    Step,
    TrainingEvent,
    Validation,
)
from ...training.settings import TrainSettings
from ..layers.create import annotate, ensure_labels, ensure_picks
from ..layers.layers import LABELS, PICKS, find_layer, has_diameter, role_of, stack_of
from ..layers.stack import ensure_stack, write_files
from ..layers.training_data import TrainingData, painted_slices, training_data
from ..widgets.form import SettingsForm
from ..widgets.jobs import JobControl, JobError, LatestWorker, Work, duration, pluralise, throttled
from ..widgets.layout import Dock, Row, beside, folded, form_rows
from ..widgets.micrographs import LayerCombo, MicrographChooser
from ..widgets.models import add_session_model
from ..widgets.plot import TrainingPlot, import_matplotlib

Training = TypeVar("Training", bound=TrainSettings)

_ELSEWHERE = {"diameter_angstrom", "pixel_size_angstrom", "recipe"}
_OF_STRUCTURES = ("simulated_micrographs", "voltage_kilovolt", "defocus_angstrom")


class TrainingParts(QObject, Generic[Training]):
    """The parts of a dock that trains: inputs, settings, a folder for runs, a job and a plot.

    `text` stands on the button; `unlabelled` is what to say where nothing is labelled. `chosen`
    says that other micrographs are chosen, and that the parts show what belongs to them.
    """

    chosen = Signal()

    def __init__(self, model: type[Training], text: str, dock: Dock, unlabelled: str) -> None:
        super().__init__(dock)
        self._unlabelled = unlabelled
        self._viewer = dock.viewer
        self.micrographs = MicrographChooser(dock)
        self.form = SettingsForm(model, [n for n in model.model_fields if n not in _ELSEWHERE])
        self.job = JobControl(text, dock)
        self.plot = TrainingPlot(dock.viewer.theme)
        self.picks = LayerCombo(dock, _may_hold_picks, "none")
        self.labels = LayerCombo(dock, lambda layer: isinstance(layer, Labels), "none")
        self.folder = FileEdit(mode=FileDialogMode.EXISTING_DIRECTORY)
        self.summary = QLabel(wordWrap=True)
        self._watched: list[tuple[Any, Callable[[], None]]] = []
        self._painted: Collection[int] = ()
        self._folder_of: Image | None = None
        self._expected = ""
        self._measuring = LatestWorker(self)
        self._describe_soon = throttled(self._describe, self)
        self._connect(dock)
        self._on_structure()

    @property
    def structure(self) -> Path | None:
        """The structure that is trained on instead of picks."""
        structure: Path | None = self.form.value("structure")
        return structure

    @property
    def runs(self) -> Path:
        """The folder of runs."""
        return Path(str(self.folder.value))

    def inputs(self, *names: str) -> list[Any]:
        """Return the upper parts; `names` are fields to show besides those of every training."""
        in_view = ("structure", "complete", *names)
        advanced = [name for name in self.form.fields if name not in in_view]
        self.folder.choose_btn.text = "…"
        self.folder.tooltip = "Each training makes a folder of its own in here."
        field: Any = self.form.fields["structure"]
        field.line_edit.native.setPlaceholderText("none: train on picks")
        field.line_edit.native.setClearButtonEnabled(True)
        clicked = "Clicked or loaded picks; a model's own picks are left out."
        painted = "Painted particles, background and contamination."
        rows = form_rows(
            *self.micrographs.rows(),
            self._layer_row("Picks", self.picks, self.begin_picks, clicked),
            self._layer_row("Labels", self.labels, self.begin_labels, painted),
            *self.form.rows(*in_view),
            ("Output", self.folder.native),
        )
        advanced_rows = folded("Advanced", *self.form.rows(*advanced))
        return [rows, self.micrographs.hint, advanced_rows, self.summary]

    def data(self) -> TrainingData:
        """Return what a training would use as it is now; no labels if there is a structure."""
        image = self.micrographs.require()
        if self.structure is not None:
            return TrainingData({}, {}, len(ensure_stack(image)))
        complete = self.form.value("complete")
        return training_data(image, self.picks.layer(), self.labels.layer(), complete)

    def work(self, settings: TrainSettings, run: Path, resume: bool = False) -> tuple[Image, Work]:
        """Return the work of one training run on the data as it is now."""
        image, data = self.micrographs.require(), self.data()
        if settings.structure is not None:  # of a run to resume, whatever the form says by now
            data = TrainingData({}, {}, data.micrographs)
        stack = ensure_stack(image)
        self.plot.clear()

        def work(stop: threading.Event) -> Iterator[TrainingEvent]:
            import_matplotlib()
            write_files(image, stack)
            picks, labels = data.picks, data.labels
            yield from train(stack.paths, picks, settings, run, labels, stop, resume)

        return image, work

    def show(self, event: TrainingEvent) -> None:
        """Show an event of a training, and offer its model at the end."""
        match event:
            case LeftOut():
                unused = pluralise(len(event.messages), "unlabelled micrograph")
                show_warning(f"{unused} could not be used: {event.messages[0]}")
            case Simulating():
                self.job.show_progress(event.done, event.total, event.seconds_left)
            case Step():
                self.job.show_progress(event.step, event.steps, event.seconds_left)
                self.plot.add(event.step, loss=event.losses["total"])
            case Validation():
                self.plot.add(event.step, F1=event.f1, AP=event.average_precision)
                self._expected = _expected(event)
            case Iteration():
                self.plot.end_iteration()
            case Finished():
                add_session_model(event.run)
        if sentence := _sentence(event, self._expected):
            self.job.say(sentence)

    def begin_picks(self) -> Points:
        """Go to the picks layer of the micrographs, made if need be, ready to click."""
        return self._begin(ensure_picks, self.picks, "add")

    def begin_labels(self) -> Labels:
        """Go to the labels layer of the micrographs, made if need be, ready to paint."""
        return self._begin(ensure_labels, self.labels, "paint")

    # layers

    def _begin(self, ensure: Callable[..., Any], combo: LayerCombo, mode: str) -> Any:
        layer = ensure(self._viewer, self.micrographs.image)
        combo.choose(layer)
        annotate(self._viewer, layer, mode)
        return layer

    def _on_image(self) -> None:
        image = self.micrographs.image
        if image is None:
            return
        self._choose_layers(image)
        if image is not self._folder_of:
            self._folder_of = image
            self.folder.value = runs_beside(ensure_stack(image).paths[0])
        self._watch()
        if not has_diameter(image):
            self._measure()
        self.chosen.emit()

    def _on_inserted(self) -> None:
        self._choose_layers(self.micrographs.image, only_missing=True)

    def _choose_layers(self, image: Image | None, only_missing: bool = False) -> None:
        """Choose the picks and labels that belong to an image."""
        for role, combo in ((PICKS, self.picks), (LABELS, self.labels)):
            layer, chosen = image and find_layer(self._viewer.layers, image, role), combo.layer()
            strange = image and chosen and stack_of(chosen) not in (None, stack_of(image))
            if strange or (layer is not None and not (only_missing and chosen)):
                combo.refresh()
                combo.choose(layer)

    def _watch(self) -> None:
        """Follow the edits of the layers chosen."""
        self._stop_watching()
        picks, labels = self.picks.layer(), self.labels.layer()
        if picks is not None:
            changes = (picks.events.features, picks.events.metadata)
            self._watched = [(changed, self._describe_soon) for changed in changes]
        if labels is not None:
            edits = (labels.events.labels_update, labels.events.set_data)
            self._watched += [(edited, self._on_painted) for edited in edits]
            self._painted = painted_slices(labels).keys()
        for edited, do in self._watched:
            edited.connect(do)
        self._describe()

    def _stop_watching(self) -> None:
        for edited, do in self._watched:
            edited.disconnect(do)
        self._watched = []

    def _on_painted(self) -> None:
        """Describe the labels anew if other slices are painted; a step to another is told too."""
        painted = painted_slices(self.labels.layer()).keys()
        if painted != self._painted:
            self._painted = painted
            self._describe_soon()

    # the structure

    def _on_structure(self) -> None:
        for name in _OF_STRUCTURES:
            self.form.fields[name].enabled = self.structure is not None
        self._describe()
        self._measure()

    def _measure(self) -> None:
        """Find out how large the structure is; a map may be large."""
        image, structure = self.micrographs.image, self.structure
        if image is None or structure is None or not structure.is_file():
            return

        def measure() -> tuple[Image, str, float]:
            from ...pretraining.structure import diameter_of

            return image, structure.name, diameter_of(structure)

        self._measuring.ask(measure)

    def _on_measured(self, measured: tuple[Image, str, float] | JobError) -> None:
        if isinstance(measured, JobError):
            self.job.say(measured.message, wrong=True)
            return
        image, name, angstrom = measured
        self.micrographs.set_diameter(image, angstrom)
        self.job.say(f"Diameter set to {angstrom:.0f} Å, the size of {name}.")

    # the widgets

    def _describe(self) -> None:
        try:
            sentence = _in_words(self.data(), self.structure) or self._unlabelled
        except CryopickError as error:
            sentence = "" if self.micrographs.hint.text() else str(error)
        self.summary.setText(sentence)

    def _connect(self, dock: Dock) -> None:
        self.micrographs.chosen.connect(self._on_image)
        for combo in (self.picks, self.labels):
            combo.chosen.connect(self._watch)
        self.form.fields["complete"].changed.connect(self._describe_soon)
        self.form.fields["structure"].changed.connect(self._on_structure)
        self._measuring.done.connect(self._on_measured)
        dock.closed.connect(self._stop_watching)
        dock.follow(self._viewer.layers.events.inserted, self._on_inserted)

    def _layer_row(
        self, title: str, combo: LayerCombo, begin: Callable[[], Layer], tip: str
    ) -> Row:
        combo.setToolTip(tip)
        plus = QToolButton(text="+", toolTip="Make a new layer, or go to the one there is.")
        plus.clicked.connect(lambda: begin())
        return title, beside(combo, plus)


def _sentence(event: TrainingEvent, expected: str) -> str:
    """Return what to say about an event, if anything."""
    match event:
        case Simulating():
            return "Simulating micrographs of the structure…"
        case Started():
            picks = f" on {pluralise(event.training_picks, 'pick')}" * bool(event.training_picks)
            held_out = f"; {event.held_out_picks:,} are held out" * bool(event.held_out_picks)
            return f"Training on {event.device}{picks}{held_out}."
        case PseudoLabelled():
            return (
                f"Round {event.iteration} trains on {pluralise(event.particles, 'particle')} "
                f"pseudo-labelled on {pluralise(event.micrographs, 'micrograph')}."
            )
        case Iteration():
            what = "The ensemble" if is_ensemble(event.name) else f"Round {event.number}"
            what = what if event.number else "The initial model"
            return f"{what}: {event.reason}"
        case Finished():
            done = (
                f"{'Stopped after' if event.stopped else 'Trained in'} {duration(event.seconds)}."
            )
            chosen = "The model is now chosen in Predict particles."
            parts = (done, _measured(event.metrics) or expected, chosen, event.advice)
            return " ".join(filter(None, parts))
    return ""


def _measured(metrics: dict[str, float]) -> str:
    """Return "F1 0.86, AP 0.82 on held-out labels.", or nothing where that is unknown."""
    titles = {"f1": "F1", "average_precision": "AP"}
    known = {title: metrics.get(name, nan) for name, title in titles.items()}
    figures = ", ".join(f"{title} {value:.2f}" for title, value in known.items() if isfinite(value))
    return f"{figures} on held-out labels." if figures else ""


def _expected(event: Validation) -> str:
    scores = ExpectedScores(event.expected_precision, event.expected_recall)
    return f"{scores} (from the scores).".capitalize() if scores.known else ""


def _in_words(data: TrainingData, structure: Path | None) -> str:
    if structure is not None:
        return f"Trains on simulated micrographs of {structure.name}, not on picks or labels."
    if not data.labelled:
        return ""
    placed, deleted = data.count(Status.OK), data.count(Status.DELETED)
    parts = [f"{pluralise(placed, 'pick')}"] * bool(placed)
    parts += [f"{deleted:,} rejected"] * bool(deleted)
    parts += [f"{data.marked:,} of them by their 2D class"] * bool(data.marked)
    parts += [f"labels painted on {len(data.labels):,}"] * bool(data.labels)
    where = f"{data.labelled:,} of {pluralise(data.micrographs, 'micrograph')}"
    return f"Labelled on {where}: {', '.join(parts)}."


def _may_hold_picks(layer: Layer) -> bool:
    return isinstance(layer, Points) and role_of(layer) in (None, PICKS)
