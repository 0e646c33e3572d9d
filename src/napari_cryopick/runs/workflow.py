"""Trainings from files to a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import perf_counter

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
    labels: Mapping[Path, Labels] | None = None,
    stop: Event | None = None,
    resume: bool = False,
) -> Iterator[TrainingEvent]:
    """Run a training and write everything it yields; see `napari_cryopick.runs`."""
    begun, stop = perf_counter(), stop or Event()
    device = choose_device(settings.device)
    self_training = isinstance(settings, SelfTrainSettings)
    most = MOST_SELF_TRAINED if self_training else MOST_UNLABELLED
    told = {} if settings.structure else picks
    examples = load_examples(micrographs, told, labels or {}, settings, most)
    if not settings.structure and not (self_training and not picks and not labels):
        require_particles(examples)
    open_folder = RunFolder.resume if resume else RunFolder.create
    folder = open_folder(output, settings, fingerprint(examples))
    simulated = (yield from simulate_structure(settings, stop)) if settings.structure else None
    loop = TrainingLoop(examples, settings, device, stop, simulated, folder.earlier())
    best = _best_of(folder)
    for event in loop.events():
        if isinstance(event, TrainedModel):
            event = folder.save(event, settings, examples)
            best = event.path if event.accepted else best
        folder.log(event)
        yield event
    assert loop.best is not None
    assert best is not None
    seconds, advice = perf_counter() - begun, loop.advice
    finished = Finished(output, best, loop.best.figures, stop.is_set(), seconds, advice)
    folder.log(finished)
    if self_training:
        _report(output)
    yield finished


def _best_of(folder: RunFolder) -> Path | None:
    """Return the weights of the best iteration of an earlier session."""
    accepted = [one["name"] for one in folder.finished() if one["accepted"]]
    return folder.weights(accepted[-1]) if accepted else None


def _report(run: Path) -> None:
    """Write report.html; whatever goes wrong there, the run itself is safe on disk."""
    with suppress(Exception):
        from .report import write_report

        write_report(run)
