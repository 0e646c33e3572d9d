"""Weights in files: safetensors with a card, never pickles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn

from ..io import atomic_path
from .card import METADATA_KEY, ModelCard, card_in, opened, other_version
from .unet import ARCHITECTURES, Ensemble


@dataclass(frozen=True)
class Model:
    """A network ready to predict, and its card."""

    network: nn.Module
    card: ModelCard


def save_weights(path: Path, model: Model) -> None:
    """Write weights and card to a safetensors file that appears whole or not at all."""
    tensors = {
        name: t.detach().cpu().contiguous() for name, t in model.network.state_dict().items()
    }
    with atomic_path(path) as part:
        part.write_bytes(save(tensors, metadata={METADATA_KEY: model.card.model_dump_json()}))


def load_weights(path: Path) -> Model:
    """Read a model from a safetensors file, in evaluation mode on the CPU."""
    with opened(path, "pt") as file:
        card = card_in(file, path)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    try:
        with torch.device("meta"):
            members = [ARCHITECTURES[card.architecture]() for _ in range(card.members)]
            network = members[0] if card.members == 1 else Ensemble(members)
        network.load_state_dict(tensors, assign=True)
    except (KeyError, RuntimeError):
        raise other_version(path) from None
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Model(network.eval(), card)
