"""A model file and its card, read without torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from ..errors import CryopickError
from .card import ModelCard

SUFFIX = ".safetensors"
CARD = "napari-cryopick"
"""Where the card lies in the metadata of a safetensors file."""


def read_card(path: Path) -> ModelCard:
    """The card of a model file.

    Raises
    ------
    CryopickError
        If the file is missing, broken or not a model of ours.
    """
    with opened(path, "np") as file:
        return card_in(file, path)


@contextmanager
def opened(path: Path, framework: str) -> Iterator[Any]:
    """Open a safetensors file; tell in one sentence why it cannot be read."""
    try:
        with safe_open(path, framework=framework) as file:
            yield file
    except FileNotFoundError:
        raise CryopickError(f"{path} does not exist; name a model file or a run folder.") from None
    except (SafetensorError, OSError) as error:
        raise CryopickError(f"{path} is not a model file ({_first_line(error)}).") from None


def card_in(file: Any, path: Path) -> ModelCard:
    """The card of a model file that is open."""
    card = (file.metadata() or {}).get(CARD)
    if card is None:
        raise CryopickError(
            f"{path} holds weights of another program, not a napari-cryopick model."
        )
    try:
        return ModelCard.model_validate(json.loads(card))
    except (ValidationError, ValueError):
        raise not_understood(path) from None


def not_understood(path: Path) -> CryopickError:
    """What to say of a model that another version has made."""
    return CryopickError(
        f"{path} was made by a version of napari-cryopick that this one does not understand; "
        "train again or update."
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
