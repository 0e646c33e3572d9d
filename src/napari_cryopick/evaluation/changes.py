"""What a later model picks that an earlier one did not, and the other way round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..micrograph import Micrograph
from ..picks import Picks
from .matching import match
from .pictures import ORANGE, SKY, YELLOW, circles, draw_pixels, draw_scale_bar

_INCHES = 7.5


@dataclass(frozen=True, eq=False)
class Change:
    """Positions (y, x) on one micrograph: picked by both models, by the later, by the earlier."""

    micrograph: str
    kept: NDArray[np.float64]
    gained: NDArray[np.float64]
    lost: NDArray[np.float64]

    def __len__(self) -> int:
        """How many picks differ."""
        return len(self.gained) + len(self.lost)

    @property
    def words(self) -> str:
        """How many of what; all are kept where two models are one."""
        if not len(self):
            return f"{len(self.kept)} picks"
        return f"{len(self.kept)} kept, {len(self.gained)} gained, {len(self.lost)} lost"


def changes(
    before: Mapping[str, Picks], after: Mapping[str, Picks], diameter_px: float
) -> list[Change]:
    """Changes by micrograph, the greatest first; picks within half a diameter are the same."""
    names = sorted(before.keys() | after.keys())
    none = Picks.at([])
    found = [
        _change(name, before.get(name, none), after.get(name, none), diameter_px) for name in names
    ]
    return sorted(found, key=len, reverse=True)


def _change(name: str, before: Picks, after: Picks, diameter_px: float) -> Change:
    pairs = match(after.positions, before.positions, diameter_px / 2)
    return Change(
        name,
        after.positions[pairs.found],
        np.delete(after.positions, pairs.found, axis=0),
        np.delete(before.positions, pairs.truth, axis=0),
    )


def draw_change(micrograph: Micrograph, change: Change, diameter_px: float) -> Figure:
    """A micrograph with what was kept, gained and lost, told apart by colour and by line."""
    figure = Figure(
        figsize=tuple(np.array(micrograph.shape[::-1]) * _INCHES / max(micrograph.shape))
    )
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    draw_pixels(axes, micrograph.pixels, diameter_px)
    circles(axes, change.kept, diameter_px, SKY)
    circles(axes, change.gained, diameter_px, YELLOW, width=2.6)
    circles(axes, change.lost, diameter_px, ORANGE, "dashed", width=2.2)
    if micrograph.pixel_size_angstrom:
        draw_scale_bar(axes, micrograph.shape, micrograph.pixel_size_angstrom)
    return figure
