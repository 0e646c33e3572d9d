"""Training targets: what a network should predict, and how sure that is.

Every target is a pair of values and weights; weight 0 means unknown. Unlabelled pixels are not
background: they weigh `UNLABELLED` only, unless the labels are complete.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import zoom
from torch import Tensor

from ..imaging.margins import Margins
from ..imaging.prepare import Rescaling
from ..labels import LabelClass, Labels
from ..model.unet import AREA_RADIUS, MAP_NAMES
from ..picks import Picks, Status

AREA, CENTRE, CONTAMINATION = range(len(MAP_NAMES))

UNLABELLED = 0.1
"""Weight of unlabelled pixels as background; human labels weigh 1."""

CENTRE_SIGMA = 0.12
"""Standard deviation of the Gaussian around a centre, in diameters: 2.4 network pixels."""

EXCLUSION_RADIUS = 0.55
"""Diameters around a centre without another one; outside `AREA_RADIUS` the area is unknown."""


@dataclass(frozen=True)
class Target:
    """Values and weights of the three maps, each a (3, h, w) float tensor."""

    values: Tensor
    weights: Tensor

    def copy(self) -> Target:
        """Return a copy that can be drawn into."""
        return Target(self.values.clone(), self.weights.clone())


@dataclass(frozen=True, eq=False)
class PseudoTarget:
    """Pseudo-labels of one micrograph: the target, and (n, 2) particles in network pixels."""

    target: Target
    positions: NDArray[np.float64]


def unlabelled_target(shape: tuple[int, int]) -> Target:
    """Return the target of an unlabelled (h, w) micrograph: background with a low weight."""
    values = torch.zeros(len(MAP_NAMES), *shape)
    return Target(values, torch.full_like(values, UNLABELLED))


def without_margins(target: Target, margins: Margins | None) -> Target:
    """Return a target of which nothing is known where there is no image."""
    if margins is None:
        return target
    return replace(target, weights=target.weights * torch.from_numpy(margins.image))


def labelled_target(
    shape: tuple[int, int],
    picks: Picks,
    rescaling: Rescaling,
    particle_px: float,
    complete: bool = False,
    labels: Labels | None = None,
    pseudo: Target | None = None,
    border: float = 0.0,
    margins: Margins | None = None,
) -> Target:
    """Make the target of a (h, w) image from human labels, over pseudo-labels if there are any.

    Deleted picks are surely no particles; painted classes overrule picks. `complete` says that the
    rest is background, but within `border` diameters of the edges; in margins without image only
    human labels are known.
    """
    target = unlabelled_target(shape) if pseudo is None else pseudo.copy()
    classes = None if labels is None else _resized(labels, shape)
    if complete:
        _clear(target, round(border * particle_px), classes)
    target = without_margins(target, margins)
    positions, deleted = rescaling.to_network(picks.positions), picks.statuses == Status.DELETED
    negative = distances(shape, positions[deleted]) < AREA_RADIUS * particle_px
    _label(target, slice(CONTAMINATION), negative, 0.0)
    draw_particle(target, distances(shape, positions[~deleted]), particle_px)
    if classes is not None:
        _paint(target, classes)
    return target


def distances(shape: tuple[int, int], positions: NDArray, reach_px: float = 32.0) -> Tensor:
    """Return (h, w) distances to the nearest of (n, 2) positions, inf beyond reach."""
    nearest = np.full(shape, np.inf, dtype=np.float32)
    for position in np.asarray(positions, dtype=float):
        rows, columns = (
            slice(max(0, int(at - reach_px)), max(0, int(at + reach_px) + 2)) for at in position
        )
        window = nearest[rows, columns]
        y, x = np.ogrid[: window.shape[0], : window.shape[1]]
        away = np.hypot(y + rows.start - position[0], x + columns.start - position[1])
        np.minimum(window, away, out=window, where=away <= reach_px)
    return torch.from_numpy(nearest)


def draw_particle(target: Target, distance: Tensor, particle_px: float) -> None:
    """Draw a particle: area inside, no other centre near, no contamination."""
    inside = distance < AREA_RADIUS * particle_px
    exclusive = distance < EXCLUSION_RADIUS * particle_px
    centre = torch.exp(-0.5 * (distance / (CENTRE_SIGMA * particle_px)) ** 2)
    target.weights[AREA, exclusive] = 0.0
    _label(target, AREA, inside, 1.0)
    _label(target, CENTRE, exclusive, centre[exclusive])
    _label(target, CONTAMINATION, inside, 0.0)


def _label(target: Target, maps: int | slice, where: Tensor, value: float | Tensor) -> None:
    """Set values, with the weight of human labels."""
    target.values[maps, where] = value
    target.weights[maps, where] = 1.0


def _clear(target: Target, margin_px: int, classes: Tensor | None) -> None:
    """Make all but the border background; painted particles have centres somewhere."""
    h, w = target.values.shape[1:]
    inside = torch.zeros(h, w, dtype=torch.bool)
    inside[margin_px : max(0, h - margin_px), margin_px : max(0, w - margin_px)] = True
    centreless = inside if classes is None else inside & (classes != LabelClass.PARTICLE)
    _label(target, AREA, inside, 0.0)
    _label(target, CENTRE, centreless, 0.0)


def _paint(target: Target, classes: Tensor) -> None:
    painted = LabelClass.PARTICLE, LabelClass.BACKGROUND, LabelClass.CONTAMINATION
    particle, background, contamination = (classes == each for each in painted)
    _label(target, AREA, particle, 1.0)
    _label(target, CONTAMINATION, particle, 0.0)
    _label(target, slice(None), background, 0.0)
    _label(target, slice(CONTAMINATION), contamination, 0.0)
    _label(target, CONTAMINATION, contamination, 1.0)


def _resized(labels: Labels, shape: tuple[int, int]) -> Tensor:
    factors = [new / old for new, old in zip(shape, labels.classes.shape, strict=True)]
    classes = zoom(labels.classes, factors, order=0, grid_mode=True, mode="nearest")
    return torch.from_numpy(classes)
