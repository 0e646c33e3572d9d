"""Contrast that suits the micrograph in view."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Layer

from .layers import MICROGRAPHS, role_of, slice_in_view, stack_of
from .stack import Limits, Stack, limits_of

ANY_LIMITS = (0.0, 1.0)
"""Of micrographs that are all blank."""


def first_limits(stack: Stack) -> Limits:
    """Return limits that suit the first micrograph that is not blank."""
    suitable = (limits_of(stack, index) for index in range(len(stack)))
    return next(filter(None, suitable), ANY_LIMITS)


def suit_contrast(viewer: ViewerModel) -> None:
    """Have the contrast of micrographs suit the one in view; what a user has set by hand stays."""
    for layer in viewer.layers:
        stack = stack_of(layer) if role_of(layer) == MICROGRAPHS else None
        if stack is not None and layer.visible and _is_automatic(layer, stack):
            limits = limits_of(stack, slice_in_view(viewer, layer))
            if limits is not None and limits != tuple(layer.contrast_limits):
                layer.contrast_limits = limits


def _is_automatic(image: Layer, stack: Stack) -> bool:
    """Return whether the limits of an image are those of one of its micrographs."""
    known = stack.limits.values()
    return bool(known) and tuple(image.contrast_limits) in {ANY_LIMITS, *known}
