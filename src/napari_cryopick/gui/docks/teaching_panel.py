"""What the docks *Train* and *Self-train* have in common."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import Any, TypeVar

from napari.layers import Image, Labels, Layer, Points
from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit

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
from ..layers.layers import LABELS, PICKS, find_layer, role_of
from ..layers.results import annotate, ensure_labels, ensure_picks
from ..layers.scratch import adopt, write_scratch
from ..layers.training_data import TrainingData, training_data
from ..widgets.form import SettingsForm, with_button
from ..widgets.job_control import duration
from ..widgets.jobs import Soon, Work
from ..widgets.layer_combo import LayerCombo
from ..widgets.model_combo import offer
from ..widgets.plot import TrainingPlot, import_matplotlib
from .panel import Panel, counted


def in_words(event: TrainingEvent) -> str:
    """One or two sentences about an event; "" where there is nothing to say."""
    match event:
        case Simulating():
            return "Simulating micrographs of the structure."
        case Started():
            return _begun(event)
        case PseudoLabelled():
            return (
                f"Round {event.iteration} learns from {counted(event.particles, 'particle')} "
                f"that the model is sure of, on {counted(event.micrographs, 'micrograph')}."
            )
        case Iteration():
            verdict = "is accepted" if event.accepted else "is rolled back"
            what = "The ensemble" if is_ensemble(event.name) else f"Iteration {event.number}"
            return f"{what} {verdict}: {event.reason}"
        case Finished():
            return _ended(event)
    return ""


def _begun(event: Started) -> str:
    if not event.labelled_micrographs:
        return f"Training on {event.device}; simulated particles to learn from."
    return (
        f"Training on {event.device}; {counted(event.training_picks, 'pick')} to learn from, "
        f"{event.held_out_picks} held out to judge."
    )


def _ended(event: Finished) -> str:
    verb = "Stopped" if event.stopped else "Trained"
    told = f"{verb} after {duration(event.seconds)}{_scores(event.metrics)}."
    return " ".join([told, event.advice or "The model is chosen in Predict particles."])


def _scores(metrics: dict[str, float]) -> str:
    """ ": F1 0.86, AP 0.82", as far as they are known."""
    titles = {"f1": "F1", "average_precision": "AP"}
    known = {name: metrics[name] for name in titles if isfinite(metrics.get(name, nan))}
    figures = ", ".join(f"{titles[name]} {value:.2f}" for name, value in known.items())
    return f": {figures}" if figures else ""


Teaching = TypeVar("Teaching", bound=TrainSettings)

_BEGIN_TIP = "Begin a new layer, or go to the one there is."


class TeachingPanel(Panel[Teaching]):
    """Learn from what is clicked and painted: data, a folder for runs, a live plot.

    A subclass says which training to run (`events_of`) and what to make of its end.

    Parameters
    ----------
    viewer
        The viewer whose layers are learnt from.
    model
        The settings of the training.
    in_view
        Those of them that are not folded away.
    """

    def __init__(self, viewer: Any, model: type[Teaching], in_view: Sequence[str]) -> None:
        hidden = (*in_view, "structure", "recipe")
        advanced = [name for name in model.model_fields if name not in hidden]
        super().__init__(viewer, SettingsForm(model, in_view, advanced))
        self.picks = LayerCombo(viewer, _may_hold_picks, "none")
        self.labels = LayerCombo(viewer, lambda layer: isinstance(layer, Labels), "none")
        self.folder = QLineEdit()
        self.summary = QLabel()
        self.plot = TrainingPlot(viewer.theme)
        self.run_path: Path | None = None
        self._watched: list[Any] = []
        self._runs_of: Image | None = None
        self._arrange_teaching()
        self._describing = Soon(self.describe, self)
        for combo in (self.picks, self.labels):
            combo.chosen.connect(self._watch)
        self.form.editor("complete").toggled.connect(self._describing.ask)

    # what subclasses say

    def events_of(self, *what: Any, **how: Any) -> Iterator[TrainingEvent]:
        """Run the training; it takes what `training.supervised.train` takes."""
        raise NotImplementedError

    def describe_data(self, data: TrainingData) -> str:
        """What a training would learn from."""
        return data.summary

    # the training

    def work(self, image: Image) -> Work:
        """Train on the data as it is now; later edits are for the next training."""
        return self.teach(image, self.labelled_data(), self.form.settings(), self.new_run())

    def teach(
        self, image: Image, data: TrainingData, settings: TrainSettings, run: Path, **how: Any
    ) -> Work:
        """The work of one training run."""
        stack, self.run_path = adopt(image), run
        self.plot.clear()

        def train(stop: threading.Event) -> Iterator[TrainingEvent]:
            import_matplotlib()
            write_scratch(image, stack)
            yield from self.events_of(
                stack.paths, data.picks, settings, run, labels=data.labels, stop=stop, **how
            )

        return train

    def on_event(self, event: TrainingEvent) -> Iterator[None]:
        """Show how the training goes, and offer its model at the end."""
        match event:
            case Simulating():
                self.control.show_progress(event.done, event.total, event.seconds_left)
            case Step():
                self.control.show_progress(event.step, event.steps, event.seconds_left)
                self.plot.add(event.step, loss=event.losses["total"])
            case Validation():
                self.plot.add(event.step, F1=event.f1, AP=event.average_precision)
            case Iteration():
                self.plot.mark()
            case Finished():
                offer(event.run)
        if sentence := in_words(event):
            self.control.tell(sentence)
        yield

    def new_run(self) -> Path:
        """A folder for the next run."""
        return new_run(Path(self.folder.text()))

    # the data

    def on_image(self, image: Image) -> None:
        """Choose the picks and labels that belong to other micrographs."""
        for combo, role in ((self.picks, PICKS), (self.labels, LABELS)):
            self._choose_mate(image, combo, role)
        if image is not self._runs_of:
            self._runs_of = image
            self.folder.setText(str(runs_beside(adopt(image).paths[0])))
        self._watch()

    def data(self) -> TrainingData:
        """What a training would use."""
        image = self.images.layer()
        complete = self.form.value("complete")
        return training_data(image, adopt(image), self.picks.layer(), self.labels.layer(), complete)

    def labelled_data(self) -> TrainingData:
        """The same, if there is anything."""
        data = self.data()
        if not data.picks and not data.labels:
            raise CryopickError("Nothing is labelled yet; click some particles first.")
        return data

    def describe(self) -> None:
        """Say what would be used."""
        if self.images.layer() is None:
            return
        try:
            self.summary.setText(self.describe_data(self.data()))
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

    # the widgets

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


def _may_hold_picks(layer: Layer) -> bool:
    return isinstance(layer, Points) and role_of(layer) in (None, PICKS)
