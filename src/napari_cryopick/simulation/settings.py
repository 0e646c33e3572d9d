"""Everything a simulation can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

Symmetry = Literal["C1", "C2", "C3", "C4", "C6", "D2", "D3", "D4", "D6", "D7", "T", "O", "I"]


class SimulationSettings(BaseModel):
    """Settings of a simulation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(5, ge=1, description="Micrographs.")
    shape: tuple[PositiveInt, PositiveInt] = Field(
        (1024, 1024), description="Rows and columns of a micrograph."
    )
    pixel_size_angstrom: float = Field(1.6, gt=0, description="Pixel size in Å.")
    diameter_angstrom: float = Field(160.0, gt=0, description="Particle diameter in Å.")
    symmetry: Symmetry = Field("D7", description="Point group of the particle.")
    particles: int = Field(75, ge=0, description="Particles per micrograph, about.")
    fragments: int = Field(30, ge=0, description="Broken particles per micrograph, about.")
    ice_balls: float = Field(1.0, ge=0, description="Ice balls per micrograph, on average.")
    defocus_angstrom: tuple[float, float] = Field(
        (12_000.0, 24_000.0), description="Least and greatest underfocus in Å."
    )
    dose: float = Field(40.0, gt=0, description="Electrons per Å².")
    signal_to_noise: float = Field(
        0.045, gt=0, description="Variance over a particle's square, over that of shot noise."
    )
    seed: int = Field(0, ge=0, description="Repeats a simulation exactly.")

    @property
    def diameter_px(self) -> float:
        return self.diameter_angstrom / self.pixel_size_angstrom

    @property
    def electrons_per_pixel(self) -> float:
        return self.dose * self.pixel_size_angstrom**2
