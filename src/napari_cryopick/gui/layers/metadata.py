"""What layers remember: the only module that knows the keys of their metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Layer

if TYPE_CHECKING:
    from .stack import Stack

MICROGRAPHS, PICKS, LABELS = "micrographs", "picks", "labels"
MAPS = ("area", "centre", "contamination")
DIFFERENCES, PLACE, DIAMETER_CIRCLE = "differences", "place", "diameter"
"""The roles a layer can have for a stack."""

DEFAULT_DIAMETER_ANGSTROM = 150.0
"""A round number in the middle of what people pick; every dock asks for the true one."""

DELETED, HISTORY, THRESHOLD = "cryopick_deleted", "cryopick_history", "cryopick_threshold"
"""Keys of a picks layer: picks deleted in its file, its edits, the lowest score shown."""

_STACK, _ROLE, _DIAMETER = "cryopick", "cryopick_role", "cryopick_diameter_angstrom"


def metadata(stack: Stack, role: str) -> dict[str, Any]:
    """Return what a new layer of these micrographs remembers."""
    return {_STACK: stack, _ROLE: role}


def stack_of(layer: Layer) -> Stack | None:
    """Return the micrographs a layer belongs to, or None where that is unknown."""
    return layer.metadata.get(_STACK)


def role_of(layer: Layer) -> str | None:
    """Return what a layer is for its micrographs."""
    return layer.metadata.get(_ROLE)


def find_layer(layers: Iterable[Layer], stack: Stack, role: str) -> Any:
    """Return the uppermost layer of this role for these micrographs, or None."""
    found = [layer for layer in layers if stack_of(layer) == stack and role_of(layer) == role]
    return found[-1] if found else None


def diameter_angstrom(image: Image) -> float:
    """Return the particle diameter that was last entered for an image."""
    return float(image.metadata.get(_DIAMETER, DEFAULT_DIAMETER_ANGSTROM))


def has_diameter(image: Image) -> bool:
    """Return whether a diameter was ever entered for an image."""
    return _DIAMETER in image.metadata


def remember_diameter(image: Image, angstrom: float) -> None:
    """Keep the particle diameter with the image."""
    image.metadata[_DIAMETER] = angstrom
