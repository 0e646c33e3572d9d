"""Estimating the diameter from the micrographs, as a job of a dock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from napari.layers import Image

from ..picking.events import Estimated, EstimationEvent
from ..picking.settings import PredictSettings
from .jobs import Work
from .scratch import adopt, write_scratch


@dataclass(frozen=True)
class GivenUp:
    """The estimate was stopped before it came to anything."""


def estimation(image: Image, settings: PredictSettings) -> Work:
    """Look for particles of several sizes on a few micrographs of a stack."""
    stack, size, device = adopt(image), settings.pixel_size_angstrom, settings.device

    def estimate(stop: threading.Event) -> Iterator[EstimationEvent | GivenUp]:
        from ..picking.diameter import estimate_diameter

        write_scratch(image, stack)
        for event in estimate_diameter(stack.paths, settings.model, size, device, stop):
            yield event
            if isinstance(event, Estimated):
                return
        yield GivenUp()

    return estimate
