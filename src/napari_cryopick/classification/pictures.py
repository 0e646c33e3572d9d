"""A picture of class averages, drawn without a display."""

from __future__ import annotations

from math import ceil, isnan
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..io import atomic_path
from ..io.class_folder import ClassFolder
from .quality import Verdict

COLUMNS, TILE_INCHES, CAPTION_INCHES, DPI = 8, 1.3, 0.36, 150
COLOURS = {Verdict.PARTICLE: "#56b4e9", Verdict.UNSURE: "#e8eaed", Verdict.JUNK: "#e69f00"}
"""Told apart with any colour vision: from the palette of Okabe and Ito."""

_DARK = "#14171a"


def draw_classes(path: str | Path, classes: ClassFolder) -> None:
    """Save the averages, best first, each with number, members, expected share and resolution."""
    columns = min(COLUMNS, len(classes))
    rows, tall = ceil(len(classes) / columns), TILE_INCHES + CAPTION_INCHES
    figure = Figure((columns * TILE_INCHES, rows * tall), facecolor=_DARK)
    for place, row in enumerate(map(int, classes.ranking)):
        height = TILE_INCHES / tall / rows
        bottom = 1 - place // columns / rows - height
        axes = figure.add_axes((place % columns / columns, bottom, 0.98 / columns, height))
        _draw_average(axes, classes.averages[row])
        colour = COLOURS[Verdict(classes.verdicts[row])]
        axes.set_xlabel(_caption(classes, row), color=colour, fontsize=7, labelpad=2)
    with atomic_path(path) as part:
        figure.savefig(part, dpi=DPI)


def _draw_average(axes: Axes, image: np.ndarray) -> None:
    low, high = np.percentile(image, [1, 99.8])
    axes.imshow(image, "gray", vmin=low, vmax=high, interpolation="bicubic")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _caption(classes: ClassFolder, row: int) -> str:
    share = classes.expected_shares[row]
    known = "" if isnan(share) else f"{share:.0%}, "
    resolution = f"{classes.resolutions_angstrom[row]:.0f} Å"
    number = f"{row + 1}: {classes.members[row]:,} ({classes.verdicts[row]})"
    return f"{number}\n{known}{resolution}"
