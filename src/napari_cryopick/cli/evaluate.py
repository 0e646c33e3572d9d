"""`napari-cryopick evaluate`: how well picks agree with annotated particles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Group, RenderableType

from ..errors import CryopickError
from ..settings import ParticleSettings
from .options import JsonFile
from .terminal import ExitCode, echo, format_number, pluralise, print_result, table

if TYPE_CHECKING:
    from ..io import PickSet
    from ..metrics.particles import ParticleScores
    from ..picks import Picks


def evaluate(
    picks: Path,
    /,
    *,
    truth: Path,
    settings: Annotated[ParticleSettings, Parameter(name="*")],
    json: JsonFile = None,
) -> ExitCode:
    """Score picks against annotated particles.

    A pick is right if it lies within half a diameter of a particle that no closer pick has
    taken. Every micrograph in the truth counts, with picks or without.

    Parameters
    ----------
    picks
        Picks to score: .star or .csv.
    truth
        Every particle of the annotated micrographs: .star or .csv.
    """
    from ..io import read_picks
    from ..metrics.particles import score_particles

    found, annotated = read_picks(picks), read_picks(truth)
    pixel_size = (
        settings.pixel_size_angstrom or annotated.pixel_size_angstrom or found.pixel_size_angstrom
    )
    if not pixel_size:
        raise CryopickError(
            f"Neither {picks} nor {truth} says the pixel size; give it with --pixel-size (in Å)."
        )
    scores = score_particles(
        pair(found, annotated),
        {Path(name): particles for name, particles in annotated.by_micrograph.items()},
        settings.diameter_angstrom / pixel_size,
        pixel_size,
    )
    print_result(as_table(scores), scores.to_dict(), json)
    return ExitCode.DONE


def pair(found: PickSet, annotated: PickSet) -> dict[Path, Picks]:
    """The picks of each annotated micrograph; says what finds no partner."""
    from ..io import match_picks

    truth = [Path(name) for name in annotated.by_micrograph]
    paired = match_picks(found, truth)
    used = {id(picks) for picks in paired.values()}
    unused = [name for name, picks in found.by_micrograph.items() if id(picks) not in used]
    missed = [str(path) for path in truth if path not in paired]
    if unused:
        echo(f"Not annotated, so these picks do not count: {_some(unused)}.", "yellow")
    if missed:
        echo(f"Annotated but without picks, so all missed: {_some(missed)}.", "yellow")
    return paired


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def as_table(scores: ParticleScores) -> RenderableType:
    """The rates, and below them the other figures."""
    counts = (
        f"{pluralise(scores.micrographs, 'micrograph')} with "
        f"{pluralise(scores.truth, 'particle')}; "
        f"{pluralise(scores.found, 'pick')}, {scores.matched} of them right"
    )
    rates = table("", "precision", "recall", "F1")
    for name, of in (("mean of micrographs", scores.macro), ("all pooled", scores.micro)):
        rates.add_row(
            name, format_number(of.precision), format_number(of.recall), format_number(of.f1)
        )
    others = table("", "", show_header=False)
    for name, value in (
        ("average precision", format_number(scores.average_precision)),
        ("best F1", format_number(scores.best_f1)),
        ("   at threshold", format_number(scores.best_f1_threshold)),
        ("calibration error", format_number(scores.calibration_error)),
        ("centre error (Å)", format_number(scores.centre_error_angstrom, 1)),
    ):
        others.add_row(name, value)
    return Group(counts, rates, others)
