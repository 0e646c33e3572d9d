"""A model's card in words, for whoever has to choose a model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .. import __version__
from ..settings import BORDER


class Calibration(BaseModel):
    """Makes probabilities of the heights of a micrograph's peaks.

    Attributes
    ----------
    slope, offset
        ``sigmoid(slope * logit(height) + offset)`` on a micrograph that holds many particles.
    company
        How much less likely a peak is where few others are likely, on the same scale; see
        `napari_cryopick.detection.calibration`.
    """

    model_config = ConfigDict(frozen=True)

    slope: float = 1.0
    offset: float = 0.0
    company: float = 0.0


class ModelCard(BaseModel):
    """What a model is, what it has seen and how it is to be used.

    Attributes
    ----------
    architecture
        Name in `ARCHITECTURES`.
    members
        How many networks of it decide together.
    particle_px
        Particle diameter in the pixels that the network sees.
    border
        A pick nearer to the edge than this many particle diameters is flagged.
    calibration
        From peak heights to figures of merit.
    threshold
        Figure of merit from which on a pick is kept by default.
    settings
        Those of the run that trained it.
    metrics
        Figures on held-out human labels.
    name
        What the model calls itself, if it was released.
    description
        What it is for, in a few sentences.
    training_data
        What it was trained on, one set a line.
    known_failures
        What it is known to do badly.
    licence
        What one may do with it.
    version, created
        By which version of this program it was made, and when.
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
    name: str = ""
    description: str = ""
    training_data: tuple[str, ...] = ()
    known_failures: tuple[str, ...] = ()
    licence: str = ""
    version: str = __version__
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


_FIGURES = {
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "average_precision": "average precision",
}


def facts(card: ModelCard) -> dict[str, str]:
    """All that a card says but name and description, by title; what is unknown is left out."""
    told = {
        "Trained on": "\n".join(card.training_data),
        "Known failures": "\n".join(card.known_failures),
        "Held-out labels": figures(card.metrics),
        "Network": network(card),
        "Particle": f"scaled to {card.particle_px:g} px across",
        "Threshold": f"{card.threshold:.2f}",
        "Settings": _listed(card.settings),
        "Licence": card.licence,
        "Made": f"{card.created[:10]}, by napari-cryopick {card.version}",
    }
    return {title: text for title, text in told.items() if text}


def network(card: ModelCard) -> str:
    """Its architecture, and how many networks decide together."""
    return card.architecture if card.members == 1 else f"{card.members} × {card.architecture}"


def figures(metrics: Mapping[str, float | None]) -> str:
    """The figures that are known, in one line."""
    known = {
        _FIGURES.get(name, name): value for name, value in metrics.items() if value is not None
    }
    known.pop("threshold", None)
    return ", ".join(f"{title} {value:.2f}" for title, value in known.items())


def size(bytes_: int) -> str:
    """The size of a file."""
    return f"{bytes_ / 1e6:.1f} MB"


def _listed(settings: Mapping[str, Any]) -> str:
    used = {name: value for name, value in settings.items() if value not in (None, "")}
    return ", ".join(f"{_words(name)} {_value(value)}" for name, value in used.items())


def _words(name: str) -> str:
    return name.replace("_angstrom", " (Å)").replace("_px", " (px)").replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
