"""A model's card in words, for whoever has to choose a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .card import ModelCard

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
