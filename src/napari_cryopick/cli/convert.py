"""`napari-cryopick convert`: from one coordinate format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from .. import io
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
    picks = io.read_picks(source)
    if flip_y:
        picks = io.flip_y(picks, flip_y)
        if any((one.positions[:, 0] < -0.5).any() for one in picks.by_micrograph.values()):
            raise CryopickError(
                f"{source} has picks below row {flip_y}; give --flip-y their height in px."
            )
    io.write_picks(output, picks)
    echo(f"{output} holds {len(io.read_picks(output))} of the {len(picks)} picks in {source}.")
    return ExitCode.DONE
