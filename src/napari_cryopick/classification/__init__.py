"""2D class averages: align picked particles in the plane, group and average them."""

from __future__ import annotations

from pydantic import Field

from ..settings import ParticleSettings

CANDIDATE = 0.1
"""Lowest score of picks that are worth classifying: below, hardly any is a particle."""


class ClassifySettings(ParticleSettings):
    """Settings of a classification."""

    classes: int | None = Field(
        None, ge=1, le=500, description="Number of classes; follows from that of picks by default."
    )
    seed: int = Field(0, ge=0, description="Seed of everything random.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")
