"""The dock *Train*."""

from __future__ import annotations

from collections.abc import Iterator

from napari.components import ViewerModel
from napari.layers import Image

from ...errors import CryopickError
from ...runs.read import new_run
from ...training.events import TrainingEvent
from ...training.settings import TrainSettings
from ..widgets.jobs import Work
from ..widgets.layout import Dock
from .training import TrainingParts

_NOTHING_LABELLED = "Nothing is labelled yet: click particles, paint labels or choose a structure."


class TrainDock(Dock):
    """Train a model on what is clicked and painted, or on a structure of the particle."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__(napari_viewer)
        self.parts = TrainingParts(TrainSettings, "Train", self, _NOTHING_LABELLED)
        job = self.parts.job
        job.asked.connect(lambda: job.run(self.train, self._on_event))
        widgets = (job.button, job.progress, self.parts.plot, job.status)
        self.lay_out(*self.parts.inputs(), *widgets)

    def train(self) -> tuple[Image, Work]:
        """Return the work of a training on the labels or the structure as they are now."""
        parts = self.parts
        settings = parts.form.settings(**parts.micrographs.sizes())
        if not parts.data().labelled and parts.structure is None:
            raise CryopickError(_NOTHING_LABELLED)
        return parts.work(settings, new_run(parts.runs))

    def _on_event(self, event: TrainingEvent) -> Iterator[None]:
        self.parts.show(event)
        yield
