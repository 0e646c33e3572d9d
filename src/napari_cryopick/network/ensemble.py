"""Several networks that decide together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Ensemble(nn.Module):
    """The mean of what several networks make of an image.

    Parameters
    ----------
    members
        Networks from (n, 1, h, w) images to (n, c, h, w) logits.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of the mean probability."""
        probabilities = torch.stack([member(image).float().sigmoid() for member in self.members])
        return torch.logit(probabilities.mean(dim=0), eps=1e-6)
