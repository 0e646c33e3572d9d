"""The dock *Self-train*."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtWidgets import QHBoxLayout, QPushButton
from superqt.utils import qthrottled

from ...runs import self_train
from ...runs.read import SelfTrainingRun, latest_self_training
from ...training.events import Finished, Iteration, TrainingEvent
from ...training.settings import SelfTrainSettings
from ..widgets.form import SettingsForm
from ..widgets.jobs import JobControl, Work, pluralise
from ..widgets.layout import folded, form_rows
from ..widgets.micrographs import MicrographChooser
from ..widgets.plot import TrainingPlot
from .dock import Dock
from .outcomes import Outcomes
from .training import TrainingInputs, TrainingProgress, training_work

_ELSEWHERE = ("diameter_angstrom", "pixel_size_angstrom", "recipe")
_IN_VIEW = ("complete", "structure", "rounds")


class SelfTrainDock(Dock):
    """Train a model, let it label more micrographs and train on these; compare the outcomes."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        fields = [name for name in SelfTrainSettings.model_fields if name not in _ELSEWHERE]
        self.micrographs = MicrographChooser(napari_viewer, self)
        self.form = SettingsForm(SelfTrainSettings, fields)
        self.inputs = TrainingInputs(napari_viewer, self.micrographs, self.form)
        self.job = JobControl("Self-train", napari_viewer, self)
        self.resume = QPushButton()
        self.plot = TrainingPlot(napari_viewer.theme)
        self.outcomes = Outcomes(napari_viewer)
        self._progress = TrainingProgress(self.job, self.plot)
        self._resumable: SelfTrainingRun | None = None
        self._offer_soon = qthrottled(self.offer_resume, timeout=100, leading=False, parent=self)
        self._scroll_soon = qthrottled(self._scroll, timeout=100, leading=False, parent=self)
        self._arrange()
        self._connect()

    def self_train(self) -> tuple[Image, Work]:
        """Return the work of a new run, on what is labelled now."""
        image = self.micrographs.require()
        settings, run = self.form.settings(**self.micrographs.sizes()), self.inputs.new_run()
        return image, self._work(image, settings, run)

    def go_on(self) -> tuple[Image, Work]:
        """Return the work of resuming the run that is offered, with its own settings."""
        assert self._resumable is not None
        image, run = self.micrographs.require(), self._resumable
        rounds = int(run.settings["rounds"])
        if run.finished:
            rounds = max(rounds, self.form.value("rounds"))
        settings = SelfTrainSettings(**{**run.settings, "rounds": rounds})
        return image, self._work(image, settings, run.path, resume=True)

    def offer_resume(self) -> None:
        """Offer to resume the latest run, if there is more to do."""
        self.resume.setEnabled(self.job.running is None)
        if self.job.running is not None:
            return
        run, rounds = latest_self_training(self.inputs.runs), self.form.value("rounds")
        self._resumable = run if run is not None and run.can_resume(rounds) else None
        self.resume.setVisible(self._resumable is not None)
        if run is not None:
            self.resume.setText(f"Resume {run.path.name}")
            self.resume.setToolTip(_what_is_left(run, rounds))

    def _work(
        self, image: Image, settings: SelfTrainSettings, run: Path, resume: bool = False
    ) -> Work:
        self.plot.clear()
        self.outcomes.show_run(image, run)
        data = self.inputs.data()
        return training_work(self_train, image, data, settings, run, resume=resume)

    def _on_event(self, event: TrainingEvent) -> Iterator[None]:
        """Show how the run goes, its iterations, and what the best one has found."""
        self._progress.show(event)
        yield
        if isinstance(event, Iteration):
            self.outcomes.show_run(self.job.about, event.path.parents[1])
        if isinstance(event, Finished):
            self.outcomes.show_run(self.job.about, event.run)
            self.outcomes.show_best()

    def _on_image(self) -> None:
        """Show the runs about other micrographs."""
        self.offer_resume()
        image = self.micrographs.image
        if image is not self.outcomes.image and self.job.running is None:
            run = latest_self_training(self.inputs.runs)
            self.outcomes.show_run(image, run.path if run else None)

    def _scroll(self) -> None:
        self.column.ensureWidgetVisible(self.outcomes, 0, 8)

    def _connect(self) -> None:
        self.opened.connect(self.micrographs.refresh)
        for part in (self.micrographs, self.inputs, self.job, self.outcomes):
            self.closed.connect(part.leave)
        self.micrographs.chosen.connect(self._on_image)
        for told in (self.inputs.told, self.outcomes.told):
            told.connect(self.job.tell)
        self.job.asked.connect(lambda: self.job.run(self.self_train, self._on_event))
        self.resume.clicked.connect(lambda: self.job.run(self.go_on, self._on_event))
        for changed in (self.inputs.folder.changed, self.form.changed, self.job.changed):
            changed.connect(self._offer_soon)
        self.outcomes.shown.connect(self._scroll_soon)

    def _arrange(self) -> None:
        self.resume.setMinimumHeight(self.job.button.minimumHeight())
        self.resume.hide()
        buttons = QHBoxLayout()
        buttons.addWidget(self.job.button, stretch=3)
        buttons.addWidget(self.resume, stretch=2)
        micrographs, *sizes = self.micrographs.rows()
        advanced = [name for name in self.form.fields if name not in _IN_VIEW]
        output = ("Output", self.inputs.folder.native)
        self.lay_out(
            form_rows(micrographs, *sizes, *self.inputs.rows(), *self.form.rows("rounds"), output),
            self.micrographs.hint,
            folded("Advanced", form_rows(*self.form.rows(*advanced))),
            self.inputs.summary,
            buttons,
            self.job.progress,
            self.plot,
            self.job.status,
            self.outcomes,
        )


def _what_is_left(run: SelfTrainingRun, rounds: int) -> str:
    if run.finished:
        return f"It has had {pluralise(run.rounds, 'round')}; add more until there are {rounds}."
    return "It was interrupted; resume it with its own settings."
