"""`napari-cryopick demo`: everything once, on simulated micrographs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import CryopickError
from ..io import read_picks, write_picks
from ..picks import Picks, PickSet
from .terminal import ExitCode, echo, echo_command, require_writable

COUNT, CLICKS = 6, 10


def demo(*, output: Path = Path("demo")) -> ExitCode:
    """Show everything once on simulated micrographs: no data needed, less than three minutes.

    Parameters
    ----------
    output
        Folder for everything the demo makes.
    """
    from ..simulation.simulate import simulate_example
    from ..simulation.synthetic import example_particle
    from .main import main

    if (output / "run").exists():
        raise CryopickError(f"{output} holds a demo; delete it, or choose another --output.")
    require_writable(output)
    heading(f"Simulating {COUNT} micrographs of an example protein.")
    _, truth = simulate_example(output, count=COUNT)
    heading(f"Clicking {CLICKS} particles on the first micrograph, as you would in napari.")
    clicks, unseen = click(read_picks(truth), CLICKS)
    write_picks(output / "clicks.star", clicks)
    write_picks(output / "unseen.star", unseen)
    diameter_angstrom = round(example_particle().diameter_angstrom)
    for title, command in commands(output, diameter_angstrom).items():
        heading(title)
        echo_command(*command)
        if code := main(command):
            return ExitCode(code)
    draw(output, *list(unseen.by_micrograph.items())[-1], diameter_angstrom)
    heading(f"Done. Open this picture to see the picks:\n  {(output / 'picks.png').absolute()}")
    heading("Beside it are")
    echo("  micrographs  the simulated micrographs; drag this folder into napari")
    echo("  picks.star   the picks, ready for RELION")
    echo("  run          the model")
    heading("Now with your own micrographs; 126 stands for the particle's diameter in Å:")
    echo_command("predict", "MICROGRAPHS", "--diameter", "126", "--output", "picks.star")
    return ExitCode.DONE


def heading(title: str) -> None:
    """Begin the next part."""
    echo(f"\n{title}", "bold")


def click(truth: PickSet, count: int) -> tuple[PickSet, PickSet]:
    """Return some particles of the first micrograph, and all of the others."""
    (first, particles), *others = truth.by_micrograph.items()
    rows = np.random.default_rng(0).choice(len(particles), count, replace=False)
    clicks = replace(truth, by_micrograph={first: particles[rows]})
    return clicks, replace(truth, by_micrograph=dict(others))


def commands(folder: Path, diameter_angstrom: float) -> dict[str, list[str]]:
    """Return the commands to type after the clicks, by heading."""
    names = ("micrographs", "clicks.star", "unseen.star", "run", "picks.star")
    micrographs, clicks, unseen, run, picks = (str(folder / name) for name in names)
    size = ["--diameter", f"{diameter_angstrom:g}"]
    return {
        "Training a model on these clicks; what is not clicked counts as unknown.": [
            *("train", micrographs, "--picks", clicks, *size, "--output", run)
        ],
        "Picking every micrograph with it.": [
            *("predict", micrographs, *size, "--model", run, "--output", picks)
        ],
        "Scoring the picks on the micrographs without clicks.": [
            *("evaluate", picks, "--truth", unseen, *size)
        ],
    }


def draw(folder: Path, name: str, truth: Picks, diameter_angstrom: float) -> None:
    """Draw the picks on one micrograph: right, wrong and missed."""
    from ..detection import PredictSettings
    from ..detection.events import Predicted
    from ..detection.predict import predict_many
    from ..runs.pictures import draw_picks

    settings = PredictSettings(diameter_angstrom=diameter_angstrom, model=str(folder / "run"))
    (event,) = predict_many([folder / name], settings)
    assert isinstance(event, Predicted)
    diameter_px = diameter_angstrom / (event.micrograph.pixel_size_angstrom or 1)
    picture = folder / "picks.png"
    draw_picks(picture, event.micrograph, event.picks, diameter_px, truth, event.maps.area)
