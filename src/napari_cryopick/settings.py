"""The particle is the ruler: what every job must know of sizes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

BORDER = 0.1
"""A centre nearer to the edge than this many diameters is flagged, unless one says otherwise."""


class Ruler(BaseModel):
    """How large a particle is, and how large a pixel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    diameter_angstrom: float = Field(gt=0, description="Particle diameter in Å.")
    pixel_size_angstrom: float | None = Field(
        None, gt=0, description="Pixel size in Å; taken from the file where it says."
    )


class PickRuler(Ruler):
    """The same for jobs that pick: and how near to the edge a particle may lie."""

    border: float | None = Field(
        None,
        ge=0,
        le=5,
        description="Diameters from the edge within which picks are left out; half your box, say.",
    )
