"""`napari-cryopick evaluate`: how well picks agree with annotated particles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.console import Group

from .. import api
from ..io import PickSet, match_picks, read_picks, unmatched
from ..settings import ParticleSettings
from .options import Endings, JsonFile
from .terminal import ExitCode, echo, format_number, pluralise, print_result, table

if TYPE_CHECKING:
    from ..metrics.particles import ParticleScores


def evaluate(
    picks: Path,
    /,
    *,
    truth: Path,
    ignore: Path | None = None,
    settings: Annotated[ParticleSettings, Parameter(name="*")],
    endings: Endings = (),
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
    ignore
        Places that may or may not be particles, .star or .csv: picks there do not count.
    """
    found, annotated = read_picks(picks), read_picks(truth)
    figures = settings.model_dump()
    scores = api.evaluate(found, annotated, **figures, ignored=ignore, endings=endings)
    note_unpaired(found, annotated, endings)
    print_result(as_table(scores), scores.to_dict(), json)
    return ExitCode.DONE


def note_unpaired(found: PickSet, annotated: PickSet, endings: Sequence[str] = ()) -> None:
    """Say which picks do not count, and which micrographs have none."""
    truth = [Path(name) for name in annotated.by_micrograph]
    paired = match_picks(found, truth, endings)
    missed = [str(path) for path in truth if path not in paired]
    unused = unmatched(found, paired)
    _note(f"Not annotated, so {sum(unused.values()):,} picks do not count", list(unused))
    _note("Annotated but without picks, so all missed", missed)


def _note(text: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - 1} more" if names[1:] else ""
        echo(f"{text}: {names[0]}{more}.", "yellow")


def as_table(scores: ParticleScores) -> Group:
    """Return the rates, and below them the other figures."""
    counts = (
        f"{pluralise(scores.micrographs, 'micrograph')} with "
        f"{pluralise(scores.truth, 'particle')}; "
        f"{pluralise(scores.found, 'pick')}, {scores.matched} of them right"
    )
    if scores.ignored:
        counts += f"; {pluralise(scores.ignored, 'pick')} ignored"
    rates = table("", "precision", "recall", "F1")
    for name, of in (("mean of micrographs", scores.macro), ("all pooled", scores.micro)):
        rates.add_row(name, *map(format_number, (of.precision, of.recall, of.f1)))
    others = table("", "", show_header=False)
    others.add_row("average precision", format_number(scores.average_precision))
    others.add_row("best F1", format_number(scores.best_f1))
    others.add_row("   at threshold", format_number(scores.best_f1_threshold))
    others.add_row("calibration error", format_number(scores.calibration_error))
    others.add_row("centre error (Å)", format_number(scores.centre_error_angstrom, 1))
    return Group(counts, rates, others)
