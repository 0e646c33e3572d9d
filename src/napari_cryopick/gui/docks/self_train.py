"""The dock *Self-train*."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari.layers import Image
from qtpy.QtWidgets import QHBoxLayout, QPushButton

from ...runs.read import SelfTrainingRun, latest_self_training
from ...training.events import Finished, Iteration, TrainingEvent
from ...training.settings import SelfTrainSettings
from ..layers.training_data import TrainingData
from ..widgets.jobs import Soon, Work
from .outcomes import Outcomes
from .panel import counted
from .teaching_panel import TeachingPanel

_IN_VIEW = ("diameter_angstrom", "pixel_size_angstrom", "rounds", "complete")


class SelfTrainPanel(TeachingPanel[SelfTrainSettings]):
    """Train on labels, then on what that model finds elsewhere; choose among the outcomes."""

    run_text = "Self-train"

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer, SelfTrainSettings, _IN_VIEW)
        self.resume = QPushButton()
        self.outcomes = Outcomes(napari_viewer)
        self._resumable: SelfTrainingRun | None = None
        self._offering = Soon(self.offer_resume, self)
        self._scrolling = Soon(self._scroll, self)
        self._arrange_outcomes()
        self._connect()

    # the training

    def events_of(self, *what: Any, **how: Any) -> Iterator[TrainingEvent]:
        """Run self-training."""
        from ...runs import self_train

        return self_train(*what, **how)

    def describe_data(self, data: TrainingData) -> str:
        """What is labelled and what is not."""
        return f"{data.summary}, {data.unlabelled or 'none'} without labels"

    def work_on(self, image: Image) -> Work:
        """Go on with the run that is offered, with its own settings; once finished, to more rounds.

        What is labelled is taken as it is now.
        """
        assert self._resumable is not None
        run, data = self._resumable, self.labelled_data()
        rounds = int(run.settings["rounds"])
        if run.finished:
            rounds = max(rounds, self.form.value("rounds"))
        settings = SelfTrainSettings(**{**run.settings, "rounds": rounds})
        return self.teach(image, data, settings, run.path, resume=True)

    def on_event(self, event: TrainingEvent) -> Iterator[None]:
        """Show how the run goes, its iterations, and what the best one has found."""
        yield from super().on_event(event)
        match event:
            case Iteration():
                self.outcomes.show_run(self._worked_on, self.run_path)
            case Finished():
                self.outcomes.show_run(self._worked_on, event.run)
                self.outcomes.show_best()

    # earlier runs

    def on_image(self, image: Image) -> None:
        """Other micrographs may have runs of their own."""
        super().on_image(image)
        self.offer_resume()
        if image is not self.outcomes.image and self.control.job is None:
            run = latest_self_training(Path(self.folder.text()))
            self.outcomes.show_run(image, run.path if run else None)

    def offer_resume(self) -> None:
        """Offer to go on with the latest run, if there is more to do."""
        self.resume.setEnabled(self.control.job is None)
        if self.control.job is not None:
            return
        run, rounds = latest_self_training(Path(self.folder.text())), self.form.value("rounds")
        self._resumable = run if run is not None and run.can_resume(rounds) else None
        self.resume.setVisible(self._resumable is not None)
        if run is not None:
            self.resume.setText(f"Resume {run.path.name}")
            self.resume.setToolTip(_what_is_left(run, rounds))

    def _on_clicked(self) -> None:
        """Nothing of an earlier run is of interest while another one goes on."""
        self.offer_resume()
        if self.control.job is not None:
            self.outcomes.show_run(self._worked_on, self.run_path)

    # the widgets

    def _connect(self) -> None:
        self.resume.clicked.connect(lambda: self._run(self.work_on))
        for button in (self.resume, self.control.button):
            button.clicked.connect(self._on_clicked)
        for changed in (self.folder.textChanged, self.form.changed, self.control.ended):
            changed.connect(self._offering.ask)
        self.outcomes.told.connect(self.control.tell)
        self.outcomes.shown.connect(self._scrolling.ask)

    def _scroll(self) -> None:
        self.column.ensureWidgetVisible(self.outcomes, 0, 8)

    def _arrange_outcomes(self) -> None:
        self.resume.setMinimumHeight(self.control.button.minimumHeight())
        place = self.body.indexOf(self.control.button)
        buttons = QHBoxLayout()
        buttons.addWidget(self.control.button, stretch=3)
        buttons.addWidget(self.resume, stretch=2)
        self.body.insertLayout(place, buttons)
        self.body.insertWidget(self.body.indexOf(self.control.status) + 1, self.outcomes)
        self.resume.hide()

    def _leave(self) -> None:
        super()._leave()
        self.outcomes.forget()


def _what_is_left(run: SelfTrainingRun, rounds: int) -> str:
    if run.finished:
        return f"It has had {counted(run.rounds, 'round')}; go on until there are {rounds}."
    return "It was interrupted; go on from where it was, with its own settings."
