"""`napari-cryopick self-train`: rounds of training on pseudo-labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..runs import self_train as run_self_training
from ..training.settings import SelfTrainSettings
from .options import JsonFile
from .progress import training_input
from .terminal import ExitCode, echo
from .train import TrainOptions, conclude, follow, with_diameter


class SelfTrainOptions(TrainOptions, SelfTrainSettings):
    """The settings, with a diameter that may be 0 for unknown."""


def self_train(
    micrographs: list[str],
    /,
    *,
    picks: Path | None = None,
    output: Path,
    settings: Annotated[SelfTrainOptions, Parameter(name="*")] = SelfTrainOptions(),  # noqa: B008
    resume: bool = False,
    json: JsonFile = None,
) -> ExitCode:
    """Train a model, then train it further on its own labels of all micrographs, in rounds.

    Each round adds pseudo-labels of the best model so far to your picks. With --complete some
    picks are held out, and a round is kept only if it is better on them. Without, no round
    replaces the initial model by itself: compare their picks. Ctrl-C stops and keeps the best
    model so far; --resume goes on.

    Parameters
    ----------
    micrographs
        Files, folders or quoted globs: those with picks, and as many without as you have.
    picks
        Particles picked by hand, .star or .csv; without any the initial model is used as it is.
    output
        Folder for the run; predict takes it as --model.
    resume
        Go on with the run in the output folder, or add rounds to it.
    """
    chosen = with_diameter(settings)
    with training_input(micrographs, picks, output) as (paths, matched, stop):
        run = run_self_training(paths, matched, chosen, output, stop=stop, resume=resume)
        finished = follow(run, "Self-training")
    if (output / "report.html").is_file():
        echo(f"A report of the run is in {output / 'report.html'}.")
    return conclude(micrographs, chosen, finished, json)
