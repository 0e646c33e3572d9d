"""The dock *Self-train*."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtWidgets import QHBoxLayout, QPushButton

from ...runs.read import SelfTrainingRun, latest_self_training, new_run
from ...training.events import Finished, Iteration, TrainingEvent
from ...training.settings import SelfTrainSettings
from ..widgets.jobs import Work, pluralise, throttled
from ..widgets.layout import Dock
from .outcomes import Outcomes
from .training import TrainingParts


class SelfTrainDock(Dock):
    """Train a model, let it label more micrographs and train on these; compare the outcomes."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.parts = TrainingParts(
            SelfTrainSettings,
            "Self-train",
            self,
            "Nothing is labelled yet: the rounds begin with the initial model as it is.",
        )
        self.resume = QPushButton()
        self.outcomes = Outcomes(napari_viewer)
        self._resumable: SelfTrainingRun | None = None
        self._offer_soon = throttled(self.offer_resume, self)
        self._scroll_soon = throttled(self._scroll, self)
        self._arrange()
        self._connect()

    def self_train(self) -> tuple[Image, Work]:
        """Return the work of a new run, on what is labelled now."""
        settings = self.parts.form.settings(**self.parts.micrographs.sizes())
        return self._work(settings, new_run(self.parts.runs))

    def go_on(self) -> tuple[Image, Work]:
        """Return the work of resuming the run that is offered, with its own settings."""
        assert self._resumable is not None
        run, rounds = self._resumable, int(self._resumable.settings["rounds"])
        if run.finished:
            rounds = max(rounds, self.parts.form.value("rounds"))
        settings = SelfTrainSettings(**{**run.settings, "rounds": rounds})
        return self._work(settings, run.path, resume=True)

    def offer_resume(self) -> None:
        """Offer to resume the latest run, if there is more to do."""
        running = self.parts.job.running is not None
        self.resume.setEnabled(not running)
        if running:
            return
        run, rounds = latest_self_training(self.parts.runs), self.parts.form.value("rounds")
        self._resumable = run if run is not None and run.can_resume(rounds) else None
        self.resume.setVisible(self._resumable is not None)
        if run is not None:
            self.resume.setText(f"Resume {run.path.name}")
            self.resume.setToolTip(_what_is_left(run, rounds))

    def _work(
        self, settings: SelfTrainSettings, run: Path, resume: bool = False
    ) -> tuple[Image, Work]:
        image, work = self.parts.work(settings, run, resume)
        self.outcomes.show_run(image, run)
        return image, work

    def _on_event(self, event: TrainingEvent) -> Iterator[None]:
        """Show how the run goes, its iterations, and what the best one has found."""
        self.parts.show(event)
        yield
        if isinstance(event, Iteration):
            self.outcomes.show_run(self.parts.job.about, event.path.parents[1])
        if isinstance(event, Finished):
            self.outcomes.show_run(self.parts.job.about, event.run)
            self.outcomes.show_best()

    def _on_image(self) -> None:
        """Show the runs about other micrographs."""
        self.offer_resume()
        image = self.parts.micrographs.image
        if image is not self.outcomes.image and self.parts.job.running is None:
            run = latest_self_training(self.parts.runs)
            self.outcomes.show_run(image, run.path if run else None)

    def _scroll(self) -> None:
        bar = self.area.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _connect(self) -> None:
        parts, job = self.parts, self.parts.job
        self.closed.connect(self.outcomes.worker.leave)
        parts.chosen.connect(self._on_image)
        job.asked.connect(lambda: job.run(self.self_train, self._on_event))
        self.resume.clicked.connect(lambda: job.run(self.go_on, self._on_event))
        for changed in (parts.folder.changed, parts.form.changed, job.changed):
            changed.connect(self._offer_soon)
        self.outcomes.reported.connect(job.say)
        self.outcomes.shown.connect(self._scroll_soon)

    def _arrange(self) -> None:
        job = self.parts.job
        self.resume.setMinimumHeight(job.button.minimumHeight())
        self.resume.hide()
        buttons = QHBoxLayout()
        buttons.addWidget(job.button, stretch=3)
        buttons.addWidget(self.resume, stretch=2)
        widgets = (buttons, job.progress, self.parts.plot, job.status, self.outcomes)
        self.lay_out(*self.parts.inputs("rounds"), *widgets)


def _what_is_left(run: SelfTrainingRun, rounds: int) -> str:
    if run.finished:
        return f"It has had {pluralise(run.rounds, 'round')}; add more until there are {rounds}."
    return "It was interrupted; resume it with its own settings."
