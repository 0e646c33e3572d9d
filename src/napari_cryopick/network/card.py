"""The card that travels with a model's weights."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .. import __version__
from ..ruler import BORDER


class Calibration(BaseModel):
    """Makes probabilities of the heights of a micrograph's peaks.

    Attributes
    ----------
    slope, offset
        ``sigmoid(slope * logit(height) + offset)`` on a micrograph that holds many particles.
    company
        How much less likely a peak is where few others are likely, on the same scale; see
        `napari_cryopick.picking.calibrate`.
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
