"""A model's card: what it is and how it is to be used, read from its file without torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open

from .. import __version__
from ..errors import CryopickError
from ..settings import BORDER

SUFFIX = ".safetensors"
METADATA_KEY = "napari-cryopick"
"""Of the card, in the metadata of a safetensors file."""


class Calibration(BaseModel):
    """What makes probabilities of the heights of a micrograph's peaks.

    They are ``sigmoid(slope * logit(height) + offset)`` where many peaks are likely, and lower by
    the density prior where few are; see `napari_cryopick.detection.calibration`. On other data
    another offset may fit: `offset_sd` is the standard deviation, 0 after a fit to held-out labels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slope: float = 1.0
    offset: float = 0.0
    density_prior: float = 0.0
    offset_sd: float = 0.0


class ModelCard(BaseModel):
    """What a model is, what it has seen and how it is to be used.

    Attributes
    ----------
    architecture, members
        Name in `ARCHITECTURES`, and how many networks its probabilities are the mean of.
    particle_px
        Particle diameter in the pixels that the network sees.
    border
        A pick nearer to the edge than this many particle diameters is flagged.
    calibration, threshold
        From peak heights to scores, and the score from which on a pick is kept by default.
    settings
        Those of the run that trained it.
    metrics, validated_on
        Figures of its validation, None where none could be computed, and what they rest on.
    development
        F1 on real micrographs that were looked at while the model was developed, by name.
    name, description, training_data, known_failures, licence
        For people, if the model was released; empty in one that was just trained.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    architecture: str
    members: int = Field(1, ge=1)
    particle_px: float = Field(gt=0)
    border: float = BORDER
    calibration: Calibration = Calibration()
    threshold: float = Field(0.5, ge=0, le=1)
    settings: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, float | None] = Field(default_factory=dict)
    validated_on: str = "held-out labels"
    development: dict[str, float] = Field(default_factory=dict)
    name: str = ""
    description: str = ""
    training_data: tuple[str, ...] = ()
    known_failures: tuple[str, ...] = ()
    licence: str = ""
    version: str = __version__
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def read_card(path: Path) -> ModelCard:
    """Read the card of a model file.

    Raises
    ------
    CryopickError
        If the file is missing, broken or not a model of ours.
    """
    with opened(path, "np") as file:
        return card_in(file, path)


@contextmanager
def opened(path: Path, framework: str) -> Iterator[Any]:
    """Open a safetensors file, or say in one sentence why it cannot be read."""
    try:
        with safe_open(path, framework=framework) as file:
            yield file
    except FileNotFoundError:
        raise CryopickError(f"{path} does not exist; name a model file or a run folder.") from None
    except (SafetensorError, OSError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise CryopickError(f"{path} is not a model file ({reason}).") from None


def card_in(file: Any, path: Path) -> ModelCard:  # noqa: ANN401
    """Read the card of a model file that is open."""
    card = (file.metadata() or {}).get(METADATA_KEY)
    if card is None:
        raise CryopickError(
            f"{path} holds weights of another program, not a napari-cryopick model."
        )
    try:
        return ModelCard.model_validate(json.loads(card))
    except (ValidationError, ValueError):
        raise other_version(path) from None


def other_version(path: Path) -> CryopickError:
    """Return the error for a model that another version has made."""
    return CryopickError(
        f"{path} was made by a version of napari-cryopick that this one does not understand; "
        "train again or update."
    )


_METRICS = {
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "average_precision": "average precision",
}


def card_summary(card: ModelCard) -> dict[str, str]:
    """Return all that a card says but name and description, by title, without what is unknown."""
    figures = [
        f"{_METRICS[name]} {value:.2f}"
        for name, value in card.metrics.items()
        if name in _METRICS and value is not None
    ]
    sections = {
        "Trained on": "\n".join(card.training_data),
        "Known failures": "\n".join(card.known_failures),
        f"Validation on {card.validated_on}": ", ".join(figures),
        "F1 on development micrographs": "\n".join(
            f"{f1:.2f} {name}" for name, f1 in card.development.items()
        ),
        "Network": network_summary(card),
        "Particle": f"scaled to {card.particle_px:g} px across",
        "Threshold": f"{card.threshold:.2f}",
        "Settings": ", ".join(
            f"{_words(name)} {_value(value)}"
            for name, value in card.settings.items()
            if value not in (None, "")
        ),
        "Licence": card.licence,
        "Made": f"{card.created[:10]}, by napari-cryopick {card.version}",
    }
    return {title: text for title, text in sections.items() if text}


def network_summary(card: ModelCard) -> str:
    """Return the architecture, and how many networks of it there are."""
    return card.architecture if card.members == 1 else f"{card.members} × {card.architecture}"


def format_size(n_bytes: int) -> str:
    """Return a number of bytes in MB."""
    return f"{n_bytes / 1e6:.1f} MB"


def _words(name: str) -> str:
    return name.replace("_angstrom", " (Å)").replace("_px", " (px)").replace("_", " ")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
