"""Run folders: written, read, reported. No other room knows their format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING

from ..errors import CryopickError
from ..labels import Labels
from ..picks import Picks
from ..training.events import Finished, LeftOut, TrainingEvent
from ..training.settings import SelfTrainSettings, TrainSettings

if TYPE_CHECKING:
    from ..training.examples import Example

MOST_SELF_TRAINED = 32
"""Micrographs without labels in self-training, for time and memory."""


def train(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    settings: TrainSettings,
    output: Path,
    labels: Mapping[Path, Labels] | None = None,
    stop: Event | None = None,
    resume: bool = False,
) -> Iterator[TrainingEvent]:
    """Train a model on picks or on a structure, then in rounds if the settings are for those.

    Self-training without picks and labels uses the initial model as it is.

    Parameters
    ----------
    micrographs
        All of them; some of those without labels show the background.
    picks, labels
        Particles in micrograph pixels, of which deleted ones are negatives and those of source
        `class` members of marked classes, which count where a person has said nothing; painted
        classes.
    settings
        Of the training; `SelfTrainSettings` for rounds on pseudo-labels after it.
    output
        A new folder for the run.
    stop
        Once set, training ends and what has been learned so far is kept.
    resume
        Go on with the run in `output` that was killed or stopped, or add rounds to a finished one.
        Finished iterations are not repeated.

    Yields
    ------
    TrainingEvent
        `LeftOut` where micrographs cannot be used; `Simulating` for a structure; `Started`, `Step`,
        `Validation`, `Iteration` and `Finished`; `PseudoLabelled` at the beginning of each round.

    Raises
    ------
    CryopickError
        Before any step, if the input cannot be trained on, there are picks or labels although the
        settings name a structure, or the run cannot be resumed.
    """
    from ..model.device import choose_device
    from ..pretraining.structure import simulate_structure
    from ..training.examples import fingerprint
    from ..training.loop import TrainedModel, TrainingLoop
    from .folder import RunFolder

    begun, stop, device = perf_counter(), stop or Event(), choose_device(settings.device)
    left_out: list[str] = []
    examples = _examples(micrographs, picks, labels or {}, settings, left_out)
    open_folder = RunFolder.resume if resume else RunFolder.create
    folder = open_folder(output, settings, fingerprint(examples))
    if left_out:
        folder.log(LeftOut(left_out))
        yield LeftOut(left_out)
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
    yield _reported(finished) if isinstance(settings, SelfTrainSettings) else finished


def _examples(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    labels: Mapping[Path, Labels],
    settings: TrainSettings,
    left_out: list[str],
) -> list[Example]:
    """Read what to train on, and what is `left_out`; say what is missing, or too much."""
    from ..training.examples import MOST_UNLABELLED, load_examples, require_particles

    labelled, self_training = bool(picks or labels), isinstance(settings, SelfTrainSettings)
    if settings.structure and labelled:
        raise CryopickError(
            "Train on picks or on a structure, not both; to use both, train on the structure "
            "first, then on the picks with that run as the initial model."
        )
    most = MOST_SELF_TRAINED if self_training else MOST_UNLABELLED
    examples = load_examples(micrographs, picks, labels, settings, most, left_out)
    if labelled or not (settings.structure or self_training):
        require_particles(examples, not (settings.from_scratch or settings.complete))
        if settings.complete and not any(example.has_particles for example in examples):
            raise CryopickError(
                "Marked classes are not complete labels; pick every particle of some micrographs, "
                "or train without saying that labels are complete."
            )
    return examples


def _reported(finished: Finished) -> Finished:
    """Write the report of a run; say in its advice if that does not work."""
    try:
        from .report import write_report

        write_report(finished.run)
    except Exception as error:  # the run itself is safe on disk
        problem = f"The report could not be written: {str(error).rstrip('.')}."
        return replace(finished, advice=f"{finished.advice} {problem}")
    return finished
