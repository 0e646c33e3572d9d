"""`napari-cryopick ablate`: what each part of a recipe is worth, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..runs.ablation import AblationSettings
from .progress import Progress, training_input
from .terminal import ExitCode, echo


def ablate(
    micrographs: list[str],
    /,
    *,
    picks: Path,
    output: Path,
    settings: Annotated[AblationSettings, Parameter(name="*")],
) -> ExitCode:
    """Measure what each part of a recipe is worth.

    Trains with one part more from row to row (loss, thresholds, augmentation, rounds of
    self-training), over several random splits of the annotated micrographs, and tests each model
    on micrographs that it was not trained on. The same command goes on where it was stopped.

    Parameters
    ----------
    micrographs
        Files, folders, quoted globs or lists.
    picks
        Every particle of the annotated micrographs: .star or .csv.
    output
        Folder for the models and the tables.
    """
    from ..runs.ablation import ablate as run_ablation

    inputs = training_input(micrographs, picks, output)
    with inputs as (paths, matched, stop), Progress("Training") as progress:
        for at in run_ablation(paths, matched, settings, output, stop):
            progress.update(int(100 * at.done), 100 * at.total, f"{at.training}, seed {at.seed}")
    if stop.is_set():
        echo("Stopped; the same command goes on from here.")
        return ExitCode.STOPPED
    print((output / "ablation.md").read_text(encoding="utf-8"))
    echo(f"The table is in {output}, in ablation.md and ablation.csv.")
    return ExitCode.DONE
