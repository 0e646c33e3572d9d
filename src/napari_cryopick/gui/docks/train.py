"""The dock *Train*."""

from __future__ import annotations

from collections.abc import Iterator

from napari.components import ViewerModel
from napari.layers import Image

from ...errors import CryopickError
from ...runs import train
from ...training.events import TrainingEvent
from ...training.settings import TrainSettings
from ..widgets.form import SettingsForm
from ..widgets.jobs import JobControl, Work
from ..widgets.layout import folded, form_rows
from ..widgets.micrographs import MicrographChooser
from ..widgets.plot import TrainingPlot
from .dock import Dock
from .training import TrainingInputs, TrainingProgress, training_work

_SIZES = ("diameter_angstrom", "pixel_size_angstrom")
_IN_VIEW = ("complete", "structure")


class TrainDock(Dock):
    """Train a model on what is clicked and painted, or on a structure of the particle."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        fields = [name for name in TrainSettings.model_fields if name not in _SIZES]
        self.micrographs = MicrographChooser(napari_viewer, self)
        self.form = SettingsForm(TrainSettings, fields)
        self.inputs = TrainingInputs(napari_viewer, self.micrographs, self.form)
        self.job = JobControl("Train", napari_viewer, self)
        self.plot = TrainingPlot(napari_viewer.theme)
        self._progress = TrainingProgress(self.job, self.plot)
        self._arrange()
        self._connect()

    def train(self) -> tuple[Image, Work]:
        """Return the work of a training on the labels or the structure as they are now."""
        image, data = self.micrographs.require(), self.inputs.data()
        if not data.labelled and self.inputs.structure is None:
            raise CryopickError("Nothing is labelled yet; click some particles first.")
        settings = self.form.settings(**self.micrographs.sizes())
        self.plot.clear()
        return image, training_work(train, image, data, settings, self.inputs.new_run())

    def _on_event(self, event: TrainingEvent) -> Iterator[None]:
        self._progress.show(event)
        yield

    def _connect(self) -> None:
        self.opened.connect(self.micrographs.refresh)
        for part in (self.micrographs, self.inputs, self.job):
            self.closed.connect(part.leave)
        self.inputs.told.connect(self.job.tell)
        self.job.asked.connect(lambda: self.job.run(self.train, self._on_event))

    def _arrange(self) -> None:
        micrographs, *sizes = self.micrographs.rows()
        advanced = [name for name in self.form.fields if name not in _IN_VIEW]
        output = ("Output", self.inputs.folder.native)
        self.lay_out(
            form_rows(micrographs, *sizes, *self.inputs.rows(), output),
            self.micrographs.hint,
            folded("Advanced", form_rows(*self.form.rows(*advanced))),
            self.inputs.summary,
            self.job.button,
            self.job.progress,
            self.plot,
            self.job.status,
        )
