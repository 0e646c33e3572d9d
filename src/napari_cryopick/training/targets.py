"""What a network is asked to say, and how sure we are of it.

Every target is a pair of values and weights; weight 0 means unknown. What a person has not
touched is not background: it weighs `UNLABELLED` only, unless the labels are said to be complete.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import zoom
from torch import Tensor

from ..imaging.prepare import Rescaling
from ..labels import LabelClass, Labels
from ..model.unet import AREA_RADIUS, MAPS
from ..picks import Picks, Status

AREA, CENTRE, CONTAMINATION = range(len(MAPS))

UNLABELLED = 0.1
CENTRE_SIGMA = 0.12
CLAIMED_RADIUS = 0.55


@dataclass(frozen=True)
class Target:
    """Values and weights of the three maps, each a (3, h, w) float tensor."""

    values: Tensor
    weights: Tensor

    def copy(self) -> Target:
        return Target(self.values.clone(), self.weights.clone())


@dataclass(frozen=True, eq=False)
class Guess:
    """What a model makes of a field nobody has labelled: a target, and the particles in it.

    Attributes
    ----------
    target
        Weight 0 where the model is not sure.
    positions
        (n, 2) in network pixels.
    """

    target: Target
    positions: NDArray[np.float64]


def unlabelled_target(shape: tuple[int, int]) -> Target:
    """The target of a (h, w) field nobody has looked at: probably background, hardly sure."""
    values = torch.zeros(len(MAPS), *shape)
    return Target(values, torch.full_like(values, UNLABELLED))


def labelled_target(
    shape: tuple[int, int],
    picks: Picks,
    rescaling: Rescaling,
    particle_px: float,
    complete: bool = False,
    labels: Labels | None = None,
    held_out: NDArray | None = None,
    guess: Target | None = None,
    border: float = 0.0,
) -> Target:
    """Make the target of one micrograph from what a person has said of it.

    Parameters
    ----------
    shape
        (h, w) of the field in network pixels.
    picks
        Its picks in micrograph pixels; deleted ones are surely no particles.
    rescaling, particle_px
        The way to network pixels, and the particle diameter there.
    complete
        Every particle is picked or painted, so that the rest is background, but for the border.
    labels
        Painted classes; they overrule the picks where they touch them.
    held_out
        (k, 2) positions of particles to be kept out of training: their surroundings are unknown.
    guess
        What a model makes of the field; it holds where the person has said nothing.
    border
        Diameters from the edges within which nobody picks.
    """
    target = unlabelled_target(shape) if guess is None else guess.copy()
    classes = None if labels is None else _resize(labels.classes, shape)
    if complete:
        _clear(target, round(border * particle_px), classes)
    deleted = picks.statuses == Status.DELETED
    to_network = rescaling.to_network
    refuse(target, distances(shape, to_network(picks.positions[deleted])), particle_px)
    claim(target, distances(shape, to_network(picks.positions[~deleted])), particle_px)
    if classes is not None:
        _paint(target, classes)
    if held_out is not None and len(held_out):
        near = distances(shape, to_network(held_out)) < 0.75 * particle_px
        target.weights[:, near] = 0.0
    return target


def distances(shape: tuple[int, int], positions: NDArray, reach_px: float = 32.0) -> Tensor:
    """(h, w) distances from every pixel to the nearest of (n, 2) positions, inf beyond reach."""
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


def claim(target: Target, distance: Tensor, particle_px: float) -> None:
    """Around a pick: particle inside, nobody else's centre, no contamination."""
    inside = distance < AREA_RADIUS * particle_px
    claimed = distance < CLAIMED_RADIUS * particle_px
    rim = claimed & ~inside
    target.values[AREA, inside] = 1.0
    target.weights[AREA, inside] = 1.0
    target.weights[AREA, rim] = 0.0
    centre = torch.exp(-0.5 * (distance / (CENTRE_SIGMA * particle_px)) ** 2)
    target.values[CENTRE] = torch.where(claimed, centre, target.values[CENTRE])
    target.weights[CENTRE, claimed] = 1.0
    target.values[CONTAMINATION, inside] = 0.0
    target.weights[CONTAMINATION, inside] = 1.0


def refuse(target: Target, distance: Tensor, particle_px: float) -> None:
    """Around a pick that a person deleted: no particle."""
    refused = distance < AREA_RADIUS * particle_px
    target.values[:CONTAMINATION, refused] = 0.0
    target.weights[:CONTAMINATION, refused] = 1.0


def _clear(target: Target, margin_px: int, classes: Tensor | None) -> None:
    """All but the border is background, though painted particles have centres somewhere."""
    h, w = target.values.shape[1:]
    inside = torch.zeros(h, w, dtype=torch.bool)
    inside[margin_px : max(0, h - margin_px), margin_px : max(0, w - margin_px)] = True
    centreless = inside if classes is None else inside & (classes != LabelClass.PARTICLE)
    for layer, empty in ((AREA, inside), (CENTRE, centreless)):
        target.values[layer, empty] = 0.0
        target.weights[layer, empty] = 1.0


def _paint(target: Target, classes: Tensor) -> None:
    """What a person painted is so."""
    particle = classes == LabelClass.PARTICLE
    background = classes == LabelClass.BACKGROUND
    contamination = classes == LabelClass.CONTAMINATION
    target.values[AREA, particle] = 1.0
    target.weights[AREA, particle] = 1.0
    target.values[CONTAMINATION, particle] = 0.0
    target.weights[CONTAMINATION, particle] = 1.0
    target.values[:, background] = 0.0
    target.weights[:, background] = 1.0
    target.values[:, contamination] = torch.tensor([0.0, 0.0, 1.0])[:, None]
    target.weights[:, contamination] = 1.0


def _resize(classes: NDArray[np.uint8], shape: tuple[int, int]) -> Tensor:
    factors = [new / old for new, old in zip(shape, classes.shape, strict=True)]
    return torch.from_numpy(zoom(classes, factors, order=0, grid_mode=True, mode="nearest"))
