"""`napari-cryopick convert`: from one coordinate format to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from ..errors import CryopickError
from .terminal import ExitCode, echo

if TYPE_CHECKING:
    from ..picks import PickSet


def convert(
    source: Annotated[Path, Parameter(name="IN")],
    output: Annotated[Path, Parameter(name="OUT")],
    /,
    *,
    flip_y: Annotated[int | None, Parameter(validator=Number(gt=0))] = None,
) -> ExitCode:
    """Convert picks from one format to another; the suffixes say which.

    Parameters
    ----------
    source
        Picks: .star or .csv.
    output
        File to write: .star or .csv.
    flip_y
        Flip y, for micrographs of this height in pixels.
    """
    from ..io import read_picks, write_picks

    picks = read_picks(source)
    write_picks(output, flipped(picks, flip_y, source) if flip_y else picks)
    echo(f"{output} holds {len(read_picks(output))} of the {len(picks)} picks in {source}.")
    return ExitCode.DONE


def flipped(picks: PickSet, height_px: int, source: Path) -> PickSet:
    """Return picks with y flipped, or raise a `CryopickError` if some leave the micrograph."""
    from ..io import flip_y

    turned = flip_y(picks, height_px)
    if any((one.positions[:, 0] < -0.5).any() for one in turned.by_micrograph.values()):
        raise CryopickError(
            f"{source} has picks below row {height_px}; give --flip-y their height in px."
        )
    return turned
