"""The particle is the ruler: what every job must know of sizes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Ruler(BaseModel):
    """How large a particle is, and how large a pixel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    diameter_angstrom: float = Field(gt=0, description="Particle diameter in Å.")
    pixel_size_angstrom: float | None = Field(
        None, gt=0, description="Pixel size in Å; taken from the file where it says."
    )
