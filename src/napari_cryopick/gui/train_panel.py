"""The dock *Train*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..training.events import Finished, TrainingEvent
from ..training.settings import TrainSettings
from .job_control import duration
from .models import offer
from .teaching_panel import TeachingPanel, scores


class TrainPanel(TeachingPanel[TrainSettings]):
    """Train a model on what is clicked and painted."""

    run_text = "Train"

    def __init__(self, napari_viewer: Any) -> None:
        in_view = ("diameter_angstrom", "pixel_size_angstrom", "complete")
        super().__init__(napari_viewer, TrainSettings, in_view)

    def events_of(self, *what: Any, **how: Any) -> Iterator[TrainingEvent]:
        """Run a supervised training."""
        from ..training.supervised import train

        return train(*what, **how)

    def on_event(self, event: TrainingEvent) -> Iterator[None]:
        """Show how the training goes, and offer its model at the end."""
        yield from super().on_event(event)
        if isinstance(event, Finished):
            offer(event.run)
            self.control.tell(
                f"{'Stopped' if event.stopped else 'Trained'} after {duration(event.seconds)}"
                f"{scores(event.metrics)}. The model is chosen in Predict particles."
            )
