"""`napari-cryopick convert`: from one coordinate format to another."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
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
    micrographs: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    flip_y: Annotated[int | None, Parameter(validator=Number(gt=0))] = None,
    no_tiff_flip: bool = False,
) -> ExitCode:
    """Convert picks from one format to another; the suffixes say which.

    Parameters
    ----------
    source
        Picks: .star, .csv, Topaz's .txt, EMAN's .box, crYOLO's .cbox, .coords of x and y, or a
        folder of them.
    output
        File to write: .star or .csv; or a folder for one STAR file per micrograph, as RELION's
        particle extraction reads them.
    micrographs
        Files, folders or quoted globs of the micrographs, for the height of TIFF files; needed
        only where the names in IN do not lead to them.
    flip_y
        Flip y, for micrographs of this height in pixels.
    no_tiff_flip
        Count y of TIFF micrographs from the first row in STAR files; RELION counts from the last.
    """
    picks = io.read_picks(source, _paths(micrographs), not no_tiff_flip)
    if flip_y:
        picks = io.flip_y(picks, flip_y)
        if any((one.positions[:, 0] < -0.5).any() for one in picks.by_micrograph.values()):
            raise CryopickError(
                f"{source} has picks below row {flip_y}; give --flip-y their height in px."
            )
    io.write_picks(output, picks, flip_tiff=not no_tiff_flip)
    with warnings.catch_warnings(action="ignore"):
        written = len(io.read_picks(output))
    echo(f"{output} holds {written} of the {len(picks)} picks in {source}.")
    return ExitCode.DONE


def _paths(micrographs: Sequence[str]) -> list[Path]:
    return io.find_micrographs(micrographs) if micrographs else []
