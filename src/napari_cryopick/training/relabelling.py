"""Unlabelled pixels during training: background at first sight only.

Without relabelling, particles that nobody has picked would be learned as background.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Generator, Tensor

from .patches import Batch
from .targets import CONTAMINATION, UNLABELLED

FORGIVENESS = 16.0
"""Unlabelled pixels weigh (1 - p) to this power: at p = 0.13 a tenth is left."""

SELF_LABEL_WEIGHT = 0.1
"""Weight of an unlabelled pixel that is surely on a particle: as much as unlabelled background."""

SELF_LABEL_FLOOR = 0.5
"""Probability from which on a pixel is more likely particle than not."""

NEGATIVE_RATE = 0.09
"""Share of unlabelled pixels, drawn anew for each batch, that stay background whatever the network
predicts; without them the network drifts to particles everywhere (confirmation bias)."""

TOLERANCE = 0.01
"""Resampling a micrograph moves its weights by rounding errors."""


def draw_negatives(batch: Batch, generator: Generator) -> Tensor:
    """Return (n, 3, h, w), True at pixels that are not to be relabelled."""
    drawn = torch.rand(batch.values.shape, generator=generator)
    return (drawn <= NEGATIVE_RATE).to(batch.values.device)


def relabel_unlabelled(
    batch: Batch, probabilities: Tensor, negatives: Tensor, self_label: bool
) -> Batch:
    """Weigh the unlabelled pixels of a batch by what the network predicts.

    The likelier a particle, the less a pixel counts as background. With `self_label`, likely
    ones count as particles, as in FixMatch (Sohn et al. 2020, arXiv 2001.07685).

    Parameters
    ----------
    batch
        Labelled patches.
    probabilities
        (n, 3, h, w) predictions of the network.
    negatives
        (n, 3, h, w), True at unlabelled pixels that stay background.
    self_label
        Whether likely particles become targets.
    """
    unlabelled = (batch.weights / UNLABELLED - 1).abs() < TOLERANCE
    unlabelled &= (batch.values == 0) & ~negatives
    relabelled = unlabelled & (probabilities > SELF_LABEL_FLOOR) & self_label
    relabelled[:, CONTAMINATION] = False
    forgiven = batch.weights * (1 - probabilities) ** FORGIVENESS
    weights = torch.where(unlabelled, forgiven, batch.weights)
    sureness = (probabilities - SELF_LABEL_FLOOR) / (1 - SELF_LABEL_FLOOR)
    return replace(
        batch,
        values=torch.where(relabelled, 1.0, batch.values),
        weights=torch.where(relabelled, SELF_LABEL_WEIGHT * sureness, weights),
    )
