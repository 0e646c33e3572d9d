"""`napari-cryopick convert`: from one coordinate format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from ..errors import CryopickError
from .terminal import ExitCode, echo


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
    from ..io import flip_y as flip
    from ..io import read_picks, write_picks

    picks = read_picks(source)
    converted = flip(picks, flip_y) if flip_y else picks
    if flip_y and any(
        (one.positions[:, 0] < -0.5).any() for one in converted.by_micrograph.values()
    ):
        raise CryopickError(
            f"{source} has picks below row {flip_y}; give --flip-y the height of the micrographs."
        )
    write_picks(output, converted)
    echo(f"{output} holds {len(read_picks(output))} of the {len(picks)} picks in {source}.")
    return ExitCode.DONE
