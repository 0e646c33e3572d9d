"""What a network knows before its first step."""

from __future__ import annotations

import torch
from torch import nn

from ..errors import CryopickError
from ..model.registry import load_model
from ..model.unet import ARCHITECTURES
from .settings import TrainSettings


def starting_network(settings: TrainSettings) -> nn.Module:
    """The network of the model that a training starts from, or one of random weights.

    Raises
    ------
    CryopickError
        If there is no such model, or it is of another architecture.
    """
    if settings.from_scratch:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            return ARCHITECTURES[settings.architecture]()
    model = load_model(settings.start)
    if model.card.members > 1 or model.card.architecture != settings.architecture:
        kind = "an ensemble" if model.card.members > 1 else model.card.architecture
        raise CryopickError(
            f"{settings.start} is {kind}, not one {settings.architecture}; start from another "
            "model, or from scratch."
        )
    return model.network
