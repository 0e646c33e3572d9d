"""Pictures of picks on their micrographs, drawn without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar
from numpy.typing import NDArray
from scipy import ndimage

from ..io import atomic_path
from ..metrics.matching import compare
from ..micrograph import Micrograph
from ..picks import Picks, Status

DPI = 140
BLUE, YELLOW, ORANGE = "#56b4e9", "#f0e442", "#e66f00"
"""Told apart with any colour vision: from the palette of Okabe and Ito, the orange darker."""
_DARK, _LIGHT = "#14171a", "#e8eaed"
_WIDTH_INCHES, _LONGEST_PX, _BAR_NM = 7.5, 1200, 50


class Circles(NamedTuple):
    """Picks that are drawn alike, at (n, 2) positions (y, x) in micrograph pixels."""

    label: str
    positions: NDArray[np.float64]
    colour: str = BLUE
    line: Literal["solid", "dashed"] = "solid"


def draw_picks(
    path: str | Path,
    micrograph: Micrograph,
    picks: Picks,
    diameter_px: float,
    truth: Picks,
    probability: NDArray | None = None,
) -> None:
    """Save a picture of right, missed and false picks, and a map of the micrograph beside it."""
    true, found = (table.with_status(Status.OK).positions for table in (truth, picks))
    right, false, missed = compare(true, found, diameter_px / 2)
    circles = [
        Circles("found", right),
        Circles("missed", missed, YELLOW, "dashed"),
        Circles("false", false, ORANGE),
    ]
    figure = draw_circles(micrograph, circles, diameter_px, probability)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=DPI)


def draw_circles(
    micrograph: Micrograph,
    circles: Sequence[Circles],
    diameter_px: float,
    probability: NDArray | None = None,
) -> Figure:
    """Draw picks as circles of the particle's diameter, with their number and label below."""
    height, width = micrograph.shape
    panels = 1 if probability is None else 2
    size = panels * _WIDTH_INCHES, _WIDTH_INCHES * height / width + 0.4
    figure = Figure(size, facecolor=_DARK, layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    _draw_pixels(axes[0], micrograph, diameter_px)
    for one in circles:
        outlines = [Circle((x, y), diameter_px / 2) for y, x in one.positions]
        drawn = PatchCollection(outlines, fc="none", ec=one.colour, ls=one.line)
        drawn.set_linewidth(1.6 if one.colour == BLUE else 2.4)
        axes[0].add_collection(drawn)
    if probability is not None:
        axes[1].imshow(probability, cmap="magma", vmin=0, vmax=1, aspect="auto")
    for each in axes:
        each.set_axis_off()
    lines = [Line2D([], [], color=one.colour, ls=one.line, lw=2) for one in circles]
    labels = [f"{len(one.positions)} {one.label}" for one in circles]
    how = {"ncols": len(labels), "fontsize": 14, "frameon": False, "labelcolor": _LIGHT}
    figure.legend(lines, labels, loc="outside lower left", **how)
    return figure


def _draw_pixels(axes: Axes, micrograph: Micrograph, diameter_px: float) -> None:
    """Draw a micrograph, smoothed a little and its background evened out, with a scale bar."""
    (height, width), step = micrograph.shape, -(-max(micrograph.shape) // _LONGEST_PX)
    finite = np.nan_to_num(np.asarray(micrograph.pixels, dtype=np.float32))
    smooth = ndimage.gaussian_filter(finite, max(diameter_px / 50, step / 2))[::step, ::step]
    even = smooth - ndimage.gaussian_filter(smooth, 2 * diameter_px / step)
    low, high = np.percentile(even, [0.5, 99.8])
    bottom, right = np.array(even.shape) * step - step / 2
    axes.imshow(
        even, cmap="gray", vmin=low, vmax=high, extent=(-step / 2, right, bottom, -step / 2)
    )
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    if micrograph.pixel_size_angstrom:
        length_px = 10 * _BAR_NM / micrograph.pixel_size_angstrom
        how = {"size_vertical": height / 150, "fontproperties": FontProperties(size=13)}
        text = f"{_BAR_NM} nm"
        bar = AnchoredSizeBar(axes.transData, length_px, text, "lower left", color=_LIGHT, **how)
        bar.patch.set(facecolor=_DARK, edgecolor="none", alpha=0.7)
        axes.add_artist(bar)
