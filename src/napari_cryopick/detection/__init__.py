"""From a micrograph to picks with calibrated scores, and the diameter estimate."""

from __future__ import annotations

from pydantic import Field

from ..model.registry import DEFAULT
from ..settings import PickingSettings


class PredictSettings(PickingSettings):
    """Settings of a prediction run."""

    model: str = Field(DEFAULT, description="Model: a name, a weights file, or a run folder.")
    threshold: float | None = Field(
        None, ge=0, le=1, description="Lowest score kept; the model's own by default."
    )
    min_distance: float = Field(
        0.5, gt=0, le=2, description="Least distance between two picks, in particle diameters."
    )
    averaging: bool = Field(
        False, description="Average the maps over flips and rotations: slower, steadier."
    )
    device: str = Field("auto", description="auto, cpu, cuda or mps.")
