"""What the settings of every job share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

BORDER = 0.1
"""Diameters from the edge within which picks are flagged by default."""


def _in_order(pair: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= pair[0] <= pair[1]:
        raise PydanticCustomError("pair", "Input should be the smallest and the largest value")
    return pair


Range = Annotated[tuple[float, float], AfterValidator(_in_order)]
"""The least and the greatest of values that are drawn at random."""


class ParticleSettings(BaseModel):
    """Sizes of a particle and of a pixel, which set the scale of every job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    diameter_angstrom: float = Field(gt=0, description="Particle diameter in Å.")
    pixel_size_angstrom: float | None = Field(
        None, gt=0, description="Pixel size in Å; read from the files by default."
    )


class PickingSettings(ParticleSettings):
    """Settings that training and prediction share."""

    border: float | None = Field(
        None,
        ge=0,
        le=5,
        description="Distance from the edge, in diameters, within which picks are left out.",
    )
