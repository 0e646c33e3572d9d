"""Boxes of other pickers, which are given by a corner and a size: EMAN's .box, crYOLO's .cbox."""

from __future__ import annotations

from pathlib import Path

from ..errors import CryopickError
from ..picks import PickSet
from .star_blocks import read_blocks
from .tables import centred, frame_of, from_table, read_lines

_COLUMNS = ["x", "y", "width", "height", "score"]
_EMAN1_MARK = -3
"""EMAN 1 ends each line with it; others put their score there."""

_CRYOLO = {"CoordinateX": "x", "CoordinateY": "y", "Width": "width", "Height": "height"}
_CRYOLO_SCORE, _CRYOLO_DEPTH = "Confidence", "CoordinateZ"


def read_box(path: Path) -> PickSet:
    """Read lines of x, y, width, height and perhaps a score; the micrograph is the namesake."""
    rows = [(i, line.split()) for i, line in enumerate(read_lines(path), 1) if line.strip()]
    width = len(rows[0][1]) if rows else 4
    if width not in (4, 5):
        raise CryopickError(
            f"{path} has {width} columns; a box has x, y, width, height and perhaps a score."
        )
    table = frame_of(_COLUMNS[:width], rows, path)
    if "score" in table and (table["score"] == _EMAN1_MARK).all():
        table = table.drop(columns="score")
    return PickSet(from_table(centred(table, path), path))


def read_cbox(path: Path) -> PickSet:
    """Read crYOLO's boxes with their confidences; the micrograph is the namesake."""
    needed = {*_CRYOLO}
    tables = [table for _, table in read_blocks(path) if needed <= {*table}]
    if not tables:
        raise CryopickError(f"{path} has no columns {', '.join(_CRYOLO)}; is it crYOLO's?")
    (table,) = tables[:1]
    if _CRYOLO_DEPTH in table and table[_CRYOLO_DEPTH].notna().any():
        raise CryopickError(
            f"{path} holds particles of a tomogram ({_CRYOLO_DEPTH}); give picks on micrographs."
        )
    wanted = _CRYOLO | {_CRYOLO_SCORE: "score"}
    table = table[[name for name in wanted if name in table]].rename(columns=wanted)
    return PickSet(from_table(centred(table, path), path))
