"""Find margins that hold no image.

Aligned frames leave rows and columns at the edges which are filled with a constant, with the last
line again and again, or with the mirror image of what lies inside; rotated ones leave blank
corners. All this shows in differences between neighbouring pixels, compared with the interior's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import binary_dilation, binary_erosion, binary_opening, label
from scipy.spatial import ConvexHull

LINES, PLACES = 512, 128
"""About as many rows and columns are looked at, and places along them are compared with a mirror
image: enough to judge at any size."""

SMALLEST_PX = 64
"""Shortest edge of an image that is searched; in smaller ones chance decides."""

DEEPEST = 0.25
"""Deepest margin, as a share of the edge."""

FEWEST = 3
"""Lines of a margin; a dead line of a camera that its neighbour was copied to is none."""

REPEATED, BLANK = 0.1, 0.02
"""A line repeats the one before it if it differs so little from it, where in the interior it is 1:
beside the contrast along the line or, where there is none, at all. Interpolation and JPEG stay
below; smooth images are as smooth along a line as across."""

USUAL = 0.5, 3.0
"""Differences with which the image begins: filters smear the last lines of a margin and the step
from a constant."""

FRINGE = 1 / 128
"""Share of the edge within which a margin begins: filters by Fourier transform let the opposite
edge shine through at the outermost lines."""

MIRRORED = 0.75, 0.3
"""Correlation of a margin with the mirror image of what is next to it, and how far that exceeds any
in the interior. Mirror images give 1, after JPEG of low quality 0.8, noise 0.1; in images smoothed
over more than a particle chance gives 0.6."""

BLOCK_PX = 8
"""Edge of the squares that are judged for blank corners: that of a JPEG block."""

FEWEST_BLOCKS = 16
"""Connected blank squares that are a corner; fewer are blank by chance in smooth 8-bit images."""

CONCAVE = 0.1
"""Largest share of a blank corner inside the convex hull of the rest. What is left of a frame is
convex; saturated ice and gold at the edge are round and leave a dent."""

SQUARE = np.ones((3, 3), dtype=bool)

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Margins:
    """What is no image.

    Attributes
    ----------
    depths_px
        Rows and columns without image at the top, bottom, left and right, in micrograph pixels.
    image
        (h, w) mask, True where there is image; blank corners are False, too.
    """

    depths_px: tuple[int, int, int, int]
    image: Mask

    def sampled(self, positions: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Margins:
        """Return them at some rows and columns; what is next to a margin counts to it."""
        image = self.image[np.ix_(*positions)]
        return replace(self, image=binary_erosion(image, SQUARE, border_value=1))


def find_margins(pixels: NDArray) -> Margins | None:
    """Find the margins of a raw (h, w) micrograph of any type; None if all of it is image."""
    if min(pixels.shape) < SMALLEST_PX:
        return None
    step = max(1, min(pixels.shape) // LINES)
    across, down = _differences(pixels[::step]), _differences(pixels[:, ::step].T)
    top, bottom = _depth(down, across), _depth(down[:, ::-1], across[::-1])
    left, right = _depth(across, down), _depth(across[:, ::-1], down[::-1])
    h, w = pixels.shape
    image = np.zeros((h, w), dtype=bool)
    image[top : h - bottom, left : w - right] = True
    _cut_blank_corners(image, across, down, step)
    return None if image.all() else Margins((top, bottom, left, right), image)


def _differences(lines: NDArray) -> NDArray[np.float32]:
    """Return (n, m - 1) differences between neighbours along each of (n, m) lines."""
    values = np.nan_to_num(lines.astype(np.float32), copy=False, posinf=0, neginf=0)
    return np.diff(values, axis=1)


def _depth(across: NDArray[np.float32], along: NDArray[np.float32]) -> int:
    """Return how many of m lines are no image, from the first on.

    `across` are (n, m - 1) differences between neighbouring lines at n places along them, `along`
    (k, l) differences along k of the lines.
    """
    return max(_repeated(across, along), _mirrored(across))


def _repeated(across: NDArray[np.float32], along: NDArray[np.float32]) -> int:
    """Return how many lines are blank or repeat the next one."""
    change = _relative(np.abs(across).mean(axis=0))
    sampled = _relative(np.abs(along).mean(axis=1))
    spread = np.linspace(0, len(sampled) - 1, len(change))
    contrast = np.interp(spread, np.arange(len(sampled)), sampled)
    repeated = change < np.maximum(REPEATED * contrast, BLANK)
    fringe = FEWEST + int(FRINGE * len(change))
    first = next((i for i in range(fringe) if repeated[i : i + FEWEST].all()), None)
    if first is None:
        return 0
    usual = (change > USUAL[0] * contrast) & (change < USUAL[1] * np.maximum(contrast, 1))
    count = FEWEST + int(np.argmax((usual & ~repeated)[first + FEWEST :]))
    is_margin = repeated[first : first + count].mean() > 0.5
    return first + count + 1 if is_margin and first + count < DEEPEST * len(change) else 0


def _relative(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values over the median of the middle half."""
    quarter = len(values) // 4
    usual = np.median(values[quarter : len(values) - quarter])
    return values / usual if usual > 0 else np.ones_like(values)


def _mirrored(across: NDArray[np.float32]) -> int:
    """Return how many lines are the mirror image of the next ones."""
    some = across[:: max(1, len(across) // PLACES)]
    half = int(2 * DEEPEST * some.shape[1])
    likeness = _mirror_likeness(some[:, :half])
    best = int(np.argmax(likeness))
    if likeness[best] < MIRRORED[0]:
        return 0
    inner, last = some[:, half // 2 :][:, :half], some[:, half:]
    elsewhere = inner, inner[:, ::-1], last, some[:, :half][:, ::-1]
    usual = max(_mirror_likeness(each).max() for each in elsewhere)
    return FEWEST + best // 2 if likeness[best] > usual + MIRRORED[1] else 0


def _mirror_likeness(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how well lines mirror the next ones, for depths from `FEWEST` on by half pixels.

    It is the correlation of the signs of (n, m) differences with those of their mirror image,
    less what all n places share.
    """
    doubled = differences[:, 1:] + differences[:, :-1]
    signs = np.sign(doubled - np.median(doubled, axis=0))
    count = signs.shape[1]
    size = next_fast_len(2 * count, real=True)
    products = irfft((rfft(signs, size) ** 2).sum(axis=0), size)[:count]
    likeness = -products / np.maximum(np.square(signs).sum(axis=0).cumsum(), 1)
    return np.asarray(likeness[2 * FEWEST - 3 :])


def _cut_blank_corners(
    image: Mask, across: NDArray[np.float32], down: NDArray[np.float32], step: int
) -> None:
    """Set a (h, w) mask of image to False in the blank corners of rotated frames."""
    lines = max(1, round(BLOCK_PX / step))
    blank = _blank_blocks(across, down, lines, step)
    rows, columns = (
        np.minimum(np.arange(size) // (lines * step), count - 1)
        for size, count in zip(image.shape, blank.shape, strict=True)
    )
    starts = (np.unique(each, return_index=True)[1] for each in (rows, columns))
    beside = blank & image[np.ix_(*starts)]
    corners = _corners(blank, beside)
    if corners.any():
        image &= ~binary_dilation(corners & beside, SQUARE)[np.ix_(rows, columns)]


def _blank_blocks(
    across: NDArray[np.float32], down: NDArray[np.float32], lines: int, step: int
) -> Mask:
    """Return which squares, so many lines wide that are `step` pixels apart, hardly vary."""
    x, y = _block_means(across, lines, step), _block_means(down, lines, step).T
    h, w = np.minimum(x.shape, y.shape)
    return np.asarray((x < BLANK * np.median(x))[:h, :w] & (y < BLANK * np.median(y))[:h, :w])


def _block_means(differences: NDArray[np.float32], lines: int, step: int) -> NDArray[np.float32]:
    sizes = np.pad(np.abs(differences), ((0, 0), (0, 1)), mode="edge")
    rows, columns = len(sizes) // lines, sizes.shape[1] // (lines * step)
    whole = sizes[: rows * lines, : columns * lines * step]
    return np.asarray(whole.reshape(rows, lines, columns, -1).mean(axis=(1, 3)))


def _corners(blank: Mask, beside: Mask) -> Mask:
    """Return the blank parts at the edges without which the rest is convex.

    Those of which little is `beside` straight margins are left out.
    """
    names, _ = label(blank)
    at_edges = np.unique(np.concatenate([names[0], names[-1], names[:, 0], names[:, -1]]))
    corners = np.zeros_like(blank)
    for name in at_edges[at_edges > 0]:
        part = names == name
        if (part & beside).sum() >= FEWEST_BLOCKS:
            beyond = _beyond_hull(_largest(~part))
            if (beyond[part] < -1).mean() < CONCAVE:
                corners |= part | (beyond > 0)
    return corners


def _largest(mask: Mask) -> Mask:
    """Return the largest connected part, without specks."""
    names, _ = label(binary_opening(mask, SQUARE))
    return np.asarray(names == 1 + np.argmax(np.bincount(names.ravel(), minlength=2)[1:]))


def _beyond_hull(mask: Mask) -> NDArray[np.float64]:
    """Return how far all of a (h, w) array lies outside the convex hull of a mask, in pixels."""
    y, x = np.indices(mask.shape)
    beyond = np.full(mask.shape, -np.inf)
    for along_y, along_x, offset in ConvexHull(np.argwhere(mask)).equations:
        np.maximum(beyond, along_y * y + along_x * x + offset, out=beyond)
    return beyond
