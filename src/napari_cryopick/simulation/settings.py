"""The settings of a simulation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt
from pydantic_core import PydanticCustomError

from ..settings import Range

DetectorName = Literal["counting", "integrating"]


def _below_one(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[1] >= 1:
        raise PydanticCustomError("pair", "Input should be two values below 1")
    return pair


Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]


class SimulationSettings(BaseModel):
    """Settings of a simulation; of a pair of values, each micrograph draws one in between.

    Ice of single-particle grids is 150 to 1000 Å thick (Noble et al. 2018, eLife 7, e34257);
    exposures of 30 to 60 e/Å² at underfocus of 0.5 to 2.5 µm are what EMPIAR entries state.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(5, ge=1, description="Number of micrographs.")
    shape: tuple[PositiveInt, PositiveInt] = Field((4096, 4096), description="Rows and columns.")
    pixel_size_angstrom: float = Field(1.2, gt=0, description="Pixel size in Å.")
    synthetic: int = Field(0, ge=0, description="Synthetic particles besides the structures.")
    mixed: bool = Field(False, description="All structures in every micrograph, not in turn.")
    assembly: str = Field("1", description="Biological assembly of a model; '' for none.")
    contour: float | None = Field(None, description="Lowest density of a map; chosen by default.")
    particles: int | None = Field(None, ge=0, description="Particles per micrograph, if given.")
    coverage: Range = Field((0.05, 0.4), description="Share of the area that particles cover.")
    spacing: float = Field(0.9, ge=0, description="Minimum distance of particles, in diameters.")
    overlapping: Share = Field(0.03, description="Share of particles that keep no distance.")
    clustering: Range = Field((0.0, 0.5), description="Share of particles beside another one.")
    orientations: Literal["uniform", "preferred"] = Field(
        "uniform", description="All orientations equally often, or a few preferred."
    )
    preferred_views: int = Field(2, ge=1, description="Number of preferred orientations.")
    preferred_share: Share = Field(0.8, description="Share of particles in one of these.")
    preferred_spread_degrees: Amount = Field(12.0, description="Spread around these, in degrees.")
    voltage_kilovolt: float = Field(300.0, ge=60, le=1000, description="Voltage in kV.")
    spherical_aberration_millimetre: float = Field(2.7, ge=0, description="Cs in mm.")
    amplitude_contrast: float = Field(0.07, ge=0, lt=1, description="Amplitude contrast.")
    defocus_angstrom: Range = Field((5_000.0, 25_000.0), description="Underfocus in Å.")
    astigmatism_angstrom: Range = Field((0.0, 400.0), description="Difference of underfocus in Å.")
    phase_shift_degrees: Range = Field((0.0, 0.0), description="Of a phase plate; 90 is ideal.")
    b_factor: Range = Field((40.0, 120.0), description="B factor of the envelope in Å².")
    ice_thickness_angstrom: Range = Field((200.0, 700.0), description="Thickness of the ice in Å.")
    ice_variation: Range = Field((0.01, 0.06), description="Relative spread of the thickness.")
    no_energy_filter: bool = Field(False, description="Keep electrons that lost energy.")
    dose: Range = Field((30.0, 60.0), description="Total electrons per Å² on the specimen.")
    detector: DetectorName = Field("counting", description="The camera.")
    illumination_falloff: Annotated[Range, AfterValidator(_below_one)] = Field(
        (0.0, 0.2), description="Darkening of the darkest corner."
    )
    fragments: Amount = Field(0.1, description="Broken particles for each whole one.")
    debris: Range = Field((2.0, 25.0), description="Small and unfolded protein, in Da per Å².")
    aggregates: Amount = Field(0.3, description="Aggregates per micrograph, on average.")
    ice_balls: Amount = Field(1.0, description="Ice balls per micrograph, on average.")
    gold_beads: Amount = Field(0.0, description="Gold beads per micrograph, on average.")
    carbon_edges: Share = Field(0.1, description="Share of micrographs with the edge of a hole.")
    crystalline_ice: Share = Field(0.05, description="Share of micrographs with crystalline ice.")
    empty_micrographs: Share = Field(0.05, description="Share without any particle.")
    seed: int = Field(0, ge=0, description="Repeats a simulation exactly.")
