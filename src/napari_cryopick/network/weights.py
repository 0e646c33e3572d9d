"""Weights in files: safetensors with a card, never pickles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from ..errors import CryopickError
from ..io import atomic_path
from .architectures import ARCHITECTURES
from .card import ModelCard
from .ensemble import Ensemble

_CARD = "napari-cryopick"


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
        part.write_bytes(save(tensors, metadata={_CARD: model.card.model_dump_json()}))


def load_weights(path: Path) -> Model:
    """Read a model from a safetensors file, in evaluation mode on the CPU.

    Raises
    ------
    CryopickError
        If the file is missing, broken or not a model of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            card = (file.metadata() or {}).get(_CARD)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CryopickError(f"{path} does not exist; name a model file or a run folder.") from None
    except (SafetensorError, OSError) as error:
        raise CryopickError(f"{path} is not a model file ({_first_line(error)}).") from None
    if card is None:
        raise CryopickError(
            f"{path} holds weights of another program, not a napari-cryopick model."
        )
    return _assemble(path, card, tensors)


def _assemble(path: Path, card: str, tensors: dict[str, torch.Tensor]) -> Model:
    try:
        model_card = ModelCard.model_validate(json.loads(card))
        network = _network(model_card)
        network.load_state_dict(tensors)
    except (ValidationError, ValueError, KeyError, RuntimeError):
        raise CryopickError(
            f"{path} was made by a version of napari-cryopick that this one does not understand; "
            "train again or update."
        ) from None
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Model(network.eval(), model_card)


def _network(card: ModelCard) -> nn.Module:
    make = ARCHITECTURES[card.architecture]
    return make() if card.members == 1 else Ensemble([make() for _ in range(card.members)])


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
