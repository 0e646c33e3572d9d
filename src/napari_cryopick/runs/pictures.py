"""Pictures of picks, drawn without any display."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy import ndimage

from ..io.files import atomic_path
from ..metrics.matching import Change, compare
from ..micrograph import Micrograph
from ..picks import Picks, Status

_PAPER, _INK = "#14171a", "#e8eaed"
_SKY, _YELLOW, _ORANGE = "#56b4e9", "#f0e442", "#e66f00"  # told apart with any eyes
DPI = 140
_PANEL_INCHES, _CAPTION_INCHES, _GAP_INCHES = 7.5, 0.36, 0.12
_LONGEST_PX = 1200


def draw_picks(
    path: str | Path,
    micrograph: Micrograph,
    picks: Picks,
    diameter_px: float,
    truth: Picks | None = None,
    probability: NDArray | None = None,
) -> None:
    """Save a micrograph with its picks as circles of true diameter, of any format by suffix.

    Parameters
    ----------
    picks, truth
        Those of status OK are drawn. With a truth, picks are coloured by whether they are right,
        and missed particles are drawn too.
    diameter_px
        Particle diameter in micrograph pixels.
    probability
        Map in [0, 1] of the whole micrograph at any scale, shown beside it.
    """
    panels = 1 if probability is None else 2
    figure, axes = _panels(micrograph.shape, panels)
    _draw_pixels(axes[0], micrograph.pixels, diameter_px)
    _draw_circles(axes[0], picks.with_status(Status.OK).positions, diameter_px, truth)
    if micrograph.pixel_size_angstrom:
        _draw_scale_bar(axes[0], micrograph.shape, micrograph.pixel_size_angstrom)
    if probability is not None:
        height, width = micrograph.shape
        extent = (-0.5, width - 0.5, height - 0.5, -0.5)
        axes[1].imshow(probability, cmap="magma", vmin=0, vmax=1, extent=extent)
        _caption(axes[1], [("particle probability", _INK)])
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=DPI)


def draw_change(micrograph: Micrograph, change: Change, diameter_px: float) -> Figure:
    """A micrograph with what was kept, gained and lost, told apart by colour and by line."""
    figure = Figure(
        figsize=tuple(np.array(micrograph.shape[::-1]) * _PANEL_INCHES / max(micrograph.shape))
    )
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    _draw_pixels(axes, micrograph.pixels, diameter_px)
    _circles(axes, change.kept, diameter_px, _SKY)
    _circles(axes, change.gained, diameter_px, _YELLOW, width=2.6)
    _circles(axes, change.lost, diameter_px, _ORANGE, "dashed", width=2.2)
    if micrograph.pixel_size_angstrom:
        _draw_scale_bar(axes, micrograph.shape, micrograph.pixel_size_angstrom)
    return figure


def _panels(shape: tuple[int, int], count: int) -> tuple[Figure, list[Axes]]:
    """A dark figure with bare axes side by side, each with a line of room for its caption."""
    height, width = np.array(shape) * _PANEL_INCHES / max(shape)
    whole_width = count * width + (count + 1) * _GAP_INCHES
    whole_height = height + _GAP_INCHES + _CAPTION_INCHES
    figure = Figure(figsize=(whole_width, whole_height), facecolor=_PAPER)
    bounds = np.array([_GAP_INCHES, _CAPTION_INCHES, width, height])
    step = np.array([width + _GAP_INCHES, 0, 0, 0])
    inches = np.array([whole_width, whole_height, whole_width, whole_height])
    axes = [figure.add_axes(tuple((bounds + i * step) / inches)) for i in range(count)]
    for each in axes:
        each.set_axis_off()
    return figure, axes


def _draw_pixels(axes: Axes, pixels: NDArray, diameter_px: float) -> None:
    """A micrograph smoothed a little, its background evened out, thinned to what can be seen."""
    step = -(-max(pixels.shape) // _LONGEST_PX)
    finite = np.nan_to_num(np.asarray(pixels, dtype=np.float32))
    smooth = ndimage.gaussian_filter(finite, max(diameter_px / 50, step / 2))[::step, ::step]
    even = smooth - ndimage.gaussian_filter(smooth, 2 * diameter_px / step)
    low, high = np.percentile(even, [0.5, 99.8])
    bottom, right = np.array(even.shape) * step - step / 2
    extent = (-step / 2, right, bottom, -step / 2)
    axes.imshow(even, cmap="gray", vmin=low, vmax=high, extent=extent)
    axes.set(xlim=(-0.5, pixels.shape[1] - 0.5), ylim=(pixels.shape[0] - 0.5, -0.5))


def _draw_circles(axes: Axes, positions: NDArray, diameter_px: float, truth: Picks | None) -> None:
    """Circles, with how many of what below."""
    if truth is None:
        _circles(axes, positions, diameter_px, _SKY)
        _caption(axes, [(f"{len(positions)} particles", _SKY)])
        return
    true = truth.with_status(Status.OK).positions
    found, false, missed = compare(true, positions, diameter_px / 2)
    _circles(axes, found, diameter_px, _SKY)
    _circles(axes, false, diameter_px, _ORANGE)
    _circles(axes, missed, diameter_px, _YELLOW, "dashed")
    _caption(
        axes,
        [
            (f"{len(found)} found", _SKY),
            (f"{len(missed)} missed", _YELLOW),
            (f"{len(false)} false", _ORANGE),
        ],
    )


def _circles(
    axes: Axes,
    positions: NDArray,
    diameter_px: float,
    colour: str,
    style: str = "solid",
    width: float = 1.4,
) -> None:
    """Circles of true diameter around (n, 2) positions (y, x)."""
    sizes = np.full(len(positions), diameter_px)
    axes.add_collection(
        EllipseCollection(
            sizes,
            sizes,
            np.zeros(len(positions)),
            units="xy",
            offsets=positions[:, ::-1],
            offset_transform=axes.transData,
            facecolors="none",
            edgecolors=colour,
            linestyles=style,
            linewidths=width,
        )
    )


def _caption(axes: Axes, words: list[tuple[str, str]]) -> None:
    """Coloured words in one line below the axes."""
    points = 0.0
    for word, colour in words:
        below = (points, -6.0)
        axes.annotate(
            word, (0, 0), below, "axes fraction", "offset points", color=colour, va="top", size=12
        )
        points += 7.5 * len(word) + 24


def _draw_scale_bar(axes: Axes, shape: tuple[int, int], pixel_size_angstrom: float) -> None:
    """A bar of a round number of nanometres, about a fifth of the width."""
    nm_per_px = pixel_size_angstrom / 10
    length_nm = _round_down(0.22 * shape[1] * nm_per_px)
    x, y = 0.03 * shape[1], 0.97 * shape[0]
    bar = [x, x + length_nm / nm_per_px]
    axes.plot(bar, [y, y], color=_PAPER, linewidth=6)
    axes.plot(bar, [y, y], color=_INK, linewidth=3)
    axes.annotate(
        f"{length_nm:g} nm",
        (x + length_nm / nm_per_px / 2, y),
        (0, 6),
        textcoords="offset points",
        color=_INK,
        ha="center",
        size=12,
        path_effects=[withStroke(linewidth=3, foreground=_PAPER)],
    )


def _round_down(length: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not above a length."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(max(step for step in (1, 2, 5) if step * power <= length) * power)
