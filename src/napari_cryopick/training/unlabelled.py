"""What a network in training makes of the pixels that nobody has labelled.

They are background at first sight only: without this the particles not clicked would be learned
as background.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Generator, Tensor

from .sampling import Batch
from .targets import CONTAMINATION, UNLABELLED

SURE = 0.5
SCEPTICISM = 0.09
"""Share of unlabelled pixels, drawn anew for each batch, that stay background whatever the network
thinks; without them it talks itself into seeing particles everywhere."""

TOLERANCE = 0.01
"""Resampling a field moves its weights by rounding errors."""


def draw_sceptics(batch: Batch, generator: Generator) -> Tensor:
    """(n, 3, h, w) True at the pixels that are not to be reconsidered."""
    drawn = torch.rand(batch.values.shape, generator=generator)
    return (drawn <= SCEPTICISM).to(batch.values.device)


def reconsider(
    batch: Batch, probabilities: Tensor, doubt: float, adoption: float, sceptics: Tensor
) -> Batch:
    """The batch with the network's own opinion of its unlabelled pixels.

    The likelier a particle, the less a pixel counts as background; from `SURE` on it counts, the
    surer the more, as a particle. The latter is self-training within the step, as in FixMatch
    (arXiv 2001.07685).

    Parameters
    ----------
    batch
        As labelled.
    probabilities
        (n, 3, h, w), what the network makes of it.
    doubt
        Unlabelled pixels weigh (1 - p) to this power of what they did.
    adoption
        Weight of a pixel that is surely taken for a particle; 0 takes none.
    sceptics
        (n, 3, h, w) True at unlabelled pixels that stay background all the same.
    """
    unlabelled = (batch.weights / UNLABELLED - 1).abs() < TOLERANCE
    unlabelled &= (batch.values == 0) & ~sceptics
    adopted = unlabelled & (probabilities > SURE) & (adoption > 0)
    adopted[:, CONTAMINATION] = False
    weights = torch.where(unlabelled, batch.weights * (1 - probabilities) ** doubt, batch.weights)
    sureness = (probabilities - SURE) / (1 - SURE)
    return replace(
        batch,
        values=torch.where(adopted, 1.0, batch.values),
        weights=torch.where(adopted, adoption * sureness, weights),
    )
