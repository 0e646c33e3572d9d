"""Trainings from files to a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import perf_counter

from ..errors import CryopickError
from ..labels import Labels
from ..model.device import choose_device
from ..picks import Picks
from ..pretraining.structure import simulate_structure
from ..training.events import Finished, TrainingEvent
from ..training.examples import MOST_UNLABELLED, fingerprint, load_examples, require_particles
from ..training.loop import TrainedModel, TrainingLoop
from ..training.settings import SelfTrainSettings, TrainSettings
from .folder import RunFolder

MOST_SELF_TRAINED = 32
"""Micrographs without labels in self-training, for time and memory."""


def run_training(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    settings: TrainSettings,
    output: Path,
    labels: Mapping[Path, Labels] | None,
    stop: Event | None,
    resume: bool = False,
) -> Iterator[TrainingEvent]:
    """Run a training and write everything it yields; see `napari_cryopick.runs`."""
    begun, stop, labelled = perf_counter(), stop or Event(), bool(picks or labels)
    if settings.structure and labelled:
        raise CryopickError(
            "Train on picks or on a structure, not both; to use both, train on the structure "
            "first, then on the picks with that run as the initial model."
        )
    device = choose_device(settings.device)
    self_training = isinstance(settings, SelfTrainSettings)
    most = MOST_SELF_TRAINED if self_training else MOST_UNLABELLED
    examples = load_examples(micrographs, picks, labels or {}, settings, most)
    if labelled or not (settings.structure or self_training):
        require_particles(examples)
    open_folder = RunFolder.resume if resume else RunFolder.create
    folder = open_folder(output, settings, fingerprint(examples))
    simulated = (yield from simulate_structure(settings, stop)) if settings.structure else None
    loop = TrainingLoop(examples, settings, device, stop, simulated, folder.earlier())
    for event in loop.events():
        if isinstance(event, TrainedModel):
            event = folder.save(event, settings, examples)
        folder.log(event)
        yield event
    assert loop.best is not None
    figures, seconds = loop.best.figures, perf_counter() - begun
    finished = Finished(output, folder.best, figures, stop.is_set(), seconds, loop.advice)
    folder.log(finished)
    yield _reported(finished) if self_training else finished


def _reported(finished: Finished) -> Finished:
    """Write the report of a run; say in its advice if that does not work."""
    try:
        from .report import write_report

        write_report(finished.run)
    except Exception as error:  # the run itself is safe on disk
        problem = f"The report could not be written: {str(error).rstrip('.')}."
        return replace(finished, advice=f"{finished.advice} {problem}")
    return finished
