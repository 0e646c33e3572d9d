"""`napari-cryopick self-train`: rounds of training on pseudo-labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..training.settings import SelfTrainSettings
from .options import ClassOptions, Endings, JsonFile
from .terminal import ExitCode
from .train import TrainOptions, run_to_end


class SelfTrainOptions(TrainOptions, SelfTrainSettings):
    """The settings, with a diameter that may be 0 for unknown."""


def self_train(
    micrographs: list[str],
    /,
    *,
    picks: Path | None = None,
    classes: Annotated[ClassOptions | None, Parameter(name="*")] = None,
    output: Path,
    settings: Annotated[SelfTrainOptions, Parameter(name="*")] = SelfTrainOptions(),  # noqa: B008
    resume: bool = False,
    endings: Endings = (),
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
        Files, folders, quoted globs or lists: those with picks, and as many without as you have.
    picks
        Particles picked by hand, .star or .csv; without picks and classes the initial model is
        used as it is.
    output
        Folder for the run; predict takes it as --model.
    resume
        Go on with the run in the output folder, or add rounds to it.
    """
    marks, title = classes.marks if classes else None, "Self-training"
    return run_to_end(title, micrographs, picks, marks, output, settings, json, endings, resume)
