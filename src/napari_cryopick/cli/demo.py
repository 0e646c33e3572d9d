"""`napari-cryopick demo`: the whole path on simulated micrographs, told like a short story."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CryopickError
from .terminal import ExitCode, echo, echo_command, require_writable

if TYPE_CHECKING:
    from ..io import PickSet
    from ..picks import Picks

MICROGRAPHS, CLICKS = 6, 10


def demo(*, output: Path = Path("demo")) -> ExitCode:
    """Show the whole path on simulated micrographs: no data needed, within three minutes.

    Parameters
    ----------
    output
        Folder for everything the demo makes.
    """
    from ..io import read_picks, write_picks
    from ..simulation.example import example, simulate_example
    from .main import main

    if (output / "run").exists():
        raise CryopickError(f"{output} holds a demo; delete it, or choose another --output.")
    require_writable(output)
    chapter(f"Simulating {MICROGRAPHS} micrographs of a made-up protein.")
    _, truth = simulate_example(output, count=MICROGRAPHS)

    chapter(f"Clicking {CLICKS} particles on the first micrograph, as you would in napari.")
    clicks, unseen = click(read_picks(truth), CLICKS)
    write_picks(output / "clicks.star", clicks)
    write_picks(output / "unseen.star", unseen)

    diameter_angstrom = round(example().diameter_angstrom)
    for title, command in commands(output, f"{diameter_angstrom}"):
        chapter(title)
        echo_command(*command)
        if code := main(command):
            return ExitCode(code)

    chapter("Drawing the picks.")
    draw(output, *list(unseen.by_micrograph.items())[-1], diameter_angstrom)
    finish(output)
    return ExitCode.DONE


def click(truth: PickSet, count: int) -> tuple[PickSet, PickSet]:
    """Some particles of the first micrograph, and all of the others."""
    import numpy as np

    (first, particles), *others = truth.by_micrograph.items()
    rows = np.random.default_rng(0).choice(len(particles), count, replace=False)
    return (
        replace(truth, by_micrograph={first: particles[rows]}),
        replace(truth, by_micrograph=dict(others)),
    )


def commands(folder: Path, diameter: str) -> list[tuple[str, list[str]]]:
    """What is typed after the clicks, and why."""
    micrographs, clicks, unseen = (
        str(folder / name) for name in ("micrographs", "clicks.star", "unseen.star")
    )
    run, picks = str(folder / "run"), str(folder / "picks.star")
    size = ["--diameter", diameter]
    return [
        (
            "Training a model on these clicks; whatever is not clicked counts as unknown.",
            ["train", micrographs, "--picks", clicks, *size, "--output", run],
        ),
        (
            "Picking every micrograph with it.",
            ["predict", micrographs, *size, "--model", run, "--output", picks],
        ),
        (
            "Scoring the picks on the micrographs that nobody clicked on.",
            ["evaluate", picks, "--truth", unseen, *size],
        ),
    ]


def draw(folder: Path, name: str, truth: Picks, diameter_angstrom: float) -> None:
    """A picture of the picks on one micrograph: right, wrong and missed."""
    from ..detection.events import Predicted
    from ..detection.predict import predict_many
    from ..detection.settings import PredictSettings
    from ..runs.pictures import draw_picks

    settings = PredictSettings(diameter_angstrom=diameter_angstrom, model=str(folder / "run"))
    for event in predict_many([folder / name], settings):
        if isinstance(event, Predicted):
            draw_picks(
                folder / "picks.png",
                event.micrograph,
                event.picks,
                diameter_angstrom / (event.micrograph.pixel_size_angstrom or 1),
                truth,
                event.maps.area,
            )


def chapter(title: str) -> None:
    """Begin the next part of the story."""
    echo(f"\n{title}", "bold")


def finish(folder: Path) -> None:
    """Say where everything is and what to try next."""
    chapter(f"Done. In {folder} you find")
    for name, what in (
        ("picks.png", "the picks, drawn on a micrograph the model had never seen"),
        ("picks.star", "the picks, ready for RELION"),
        ("run", "the model"),
    ):
        echo(f"  {name:<12}{what}")
    chapter("Now with your own micrographs: click ten particles in napari, or type")
    echo_command(
        *("train", "MICROGRAPHS", "--picks", "clicks.star", "--diameter", "126", "--output", "run")
    )
