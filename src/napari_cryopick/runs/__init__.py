"""Run folders: written, read, reported. No other room knows their format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event

from ..labels import Labels
from ..picks import Picks
from ..training.events import TrainingEvent
from ..training.settings import SelfTrainSettings, TrainSettings


def train(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    settings: TrainSettings,
    output: Path,
    labels: Mapping[Path, Labels] | None = None,
    stop: Event | None = None,
) -> Iterator[TrainingEvent]:
    """Train a model on picks, or on a structure.

    Parameters
    ----------
    micrographs
        All of them; some of those without labels show the background.
    picks
        Particles by micrograph, in micrograph pixels; deleted ones are negatives.
    settings
        Of the training.
    output
        A new folder for the run.
    labels
        Painted classes by micrograph.
    stop
        Once set, training ends and what has been learned so far is kept.

    Yields
    ------
    TrainingEvent
        `Simulating` for a structure; `Started`, `Step`, `Validation`, `Iteration` and `Finished`.

    Raises
    ------
    CryopickError
        Before any step, if the input cannot be trained on, or if there are picks or labels although
        the settings name a structure.
    """
    from .workflow import run_training

    return run_training(micrographs, picks, settings, output, labels, stop)


def self_train(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    settings: SelfTrainSettings,
    output: Path,
    labels: Mapping[Path, Labels] | None = None,
    stop: Event | None = None,
    resume: bool = False,
) -> Iterator[TrainingEvent]:
    """Train a model, then let it label micrographs and train on these pseudo-labels in rounds.

    Parameters
    ----------
    micrographs, picks, settings, output, labels, stop
        As for `train`. Without picks and labels the initial model is used as it is.
    resume
        Go on with the run in `output` that was killed or stopped, or add rounds to a finished one.
        Finished iterations are not repeated.

    Yields
    ------
    TrainingEvent
        As `train`, and `PseudoLabelled` at the beginning of each round.

    Raises
    ------
    CryopickError
        As `train`, and if the run cannot be resumed.
    """
    from .workflow import run_training

    return run_training(micrographs, picks, settings, output, labels, stop, resume)
