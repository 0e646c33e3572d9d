"""A folder of 2D class averages: `classes.mrcs`, `classes.star` and `particles.star`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..picks import PickSet
from .files import atomic_path, reading
from .pick_formats import read_picks, write_picks
from .stacks import StackWriter
from .star_blocks import NO_NUMBER, read_blocks, write_blocks
from .tables import numbers

if TYPE_CHECKING:
    from pandas import DataFrame

CLASS = "rlnClassNumber"
"""The column of picks that holds the number of their class, or 0."""

AVERAGES, TABLE, PARTICLES = "classes.mrcs", "classes.star", "particles.star"
PICTURE = "classes.png"
_IMAGE, _SHARE, _MEMBERS = "rlnReferenceImage", "rlnClassDistribution", "cryopickMembers"
_EXPECTED, _VERDICT = "cryopickExpectedShare", "cryopickVerdict"
_RESOLUTION = "rlnEstimatedResolution"


@dataclass(frozen=True, eq=False)
class ClassFolder:
    """K classes, numbered from 1, and the picks that they were made of.

    Attributes
    ----------
    averages
        (K, h, w) images.
    pixel_size_angstrom
        Of the averages.
    members
        (K,) numbers of particles.
    expected_shares
        (K,) shares of true particles to expect; NaN where not known.
    resolutions_angstrom
        (K,) resolutions.
    verdicts
        (K,) words: particle, unsure or junk.
    picks
        The picks, with the number of their class, or 0, in the column `CLASS`.
    """

    averages: NDArray[np.float32]
    pixel_size_angstrom: float
    members: NDArray[np.int_]
    expected_shares: NDArray[np.float64]
    resolutions_angstrom: NDArray[np.float64]
    verdicts: NDArray[np.str_]
    picks: PickSet

    def __len__(self) -> int:
        return len(self.members)

    @property
    def ranking(self) -> NDArray[np.int_]:
        """Rows of the classes, best first: by expected share, then by resolution."""
        return np.lexsort((self.resolutions_angstrom, -np.nan_to_num(self.expected_shares, nan=-1)))


def write_classes(folder: str | Path, classes: ClassFolder) -> None:
    """Write the files of a folder of classes; files of these names are replaced."""
    import pandas as pd

    folder = Path(folder)
    with atomic_path(folder / AVERAGES) as part, part.open("wb") as file:
        writer = StackWriter(file, classes.averages.shape[-1])
        writer.append(classes.averages)
        writer.finish(classes.pixel_size_angstrom)
    stack = (folder / AVERAGES).as_posix()
    every = range(1, len(classes) + 1)
    table = pd.DataFrame(
        {
            _IMAGE: [f"{number:06d}@{stack}" for number in every],
            CLASS: every,
            _SHARE: classes.members / max(1, classes.members.sum()),
            _MEMBERS: classes.members,
            _EXPECTED: classes.expected_shares,
            _RESOLUTION: classes.resolutions_angstrom,
            _VERDICT: classes.verdicts,
        }
    )
    write_picks(folder / PARTICLES, classes.picks)
    write_blocks(folder / TABLE, {"model_classes": table})


def read_classes(folder: str | Path) -> ClassFolder:
    """Read a folder of classes.

    Raises
    ------
    CryopickError
        If the folder holds no classes, or files that do not belong together.
    """
    import mrcfile

    folder = Path(folder)
    table = _table(folder / TABLE)
    path = folder / AVERAGES
    with reading(path, "a stack of class averages"), mrcfile.open(path) as file:
        averages, size = file.data.astype(np.float32), float(file.voxel_size.x)
        averages = averages.reshape(-1, *averages.shape[-2:])  # one image has two dimensions
    if len(averages) != len(table):
        raise CryopickError(
            f"{path} holds {len(averages)} averages, {folder / TABLE} names {len(table)}; "
            "classify again."
        )
    members, shares, resolutions = (
        numbers(table, name, folder / TABLE) for name in (_MEMBERS, _EXPECTED, _RESOLUTION)
    )
    picks = read_picks(folder / PARTICLES)
    if any(CLASS not in one.extra for one in picks.by_micrograph.values()):
        raise CryopickError(f"{folder / PARTICLES} has no column {CLASS}; classify again.")
    known = np.where(shares == NO_NUMBER, np.nan, shares)
    words = table[_VERDICT].to_numpy(dtype=str)
    return ClassFolder(averages, size, members.astype(int), known, resolutions, words, picks)


def _table(path: Path) -> DataFrame:
    with reading(path, "a STAR file of classes"):
        tables = [table for _, table in read_blocks(path)]
    wanted = {CLASS, _MEMBERS, _EXPECTED, _RESOLUTION, _VERDICT}
    for table in tables:
        if wanted <= {*table}:
            return table.sort_values(CLASS)
    raise CryopickError(
        f"{path} has no columns {', '.join(sorted(wanted))}; give a folder that "
        "classification has written."
    )
