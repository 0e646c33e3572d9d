"""One simulated micrograph and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft

from ..labels import LabelClass, Labels
from ..micrograph import Micrograph
from ..picks import Picks, Source, Status
from ..settings import BORDER
from .contamination import add_carbon, add_debris, add_gold_bead, add_ice_ball
from .ctf import Optics
from .exposure import Exposure, detect, expose, illumination
from .ice import add_crystals, thickness_map
from .particle_model import ParticleModel
from .placement import place_aggregate, place_fragments, place_particles
from .settings import SimulationSettings
from .specimen import Specimen

STRUCTURE_COLUMN = "rlnClassNumber"
"""Column of the picks with the number of the structure, from 1 on, if micrographs mix several."""


@dataclass(frozen=True, eq=False)
class SimulatedMicrograph:
    """A simulated micrograph in float32 electron counts, the truth about it, and its exposure.

    Picks hold every particle whose centre lies in it, with status BORDER where a picker would flag
    it and CONTAMINATION where something covers its centre; labels the class of every pixel.
    """

    micrograph: Micrograph
    picks: Picks
    labels: Labels
    structures: tuple[str, ...]
    exposure: Exposure


def simulate_micrograph(
    models: list[ParticleModel], settings: SimulationSettings, rng: Generator
) -> SimulatedMicrograph:
    """Simulate an area wider than the micrograph, then cut the micrograph out of it."""
    size = settings.pixel_size_angstrom
    margin = int(np.ceil(max(model.diameter_angstrom for model in models) / size))
    height, width = (fft.next_fast_len(edge + 2 * margin) for edge in settings.shape)
    specimen = Specimen((height, width), size)
    field = tuple(slice(margin, margin + edge) for edge in settings.shape)
    exposure = _draw_exposure(settings, rng)
    positions, kinds = _place_protein(specimen, models, settings, rng)
    _contaminate(specimen, exposure, settings, rng)

    relative = thickness_map(specimen.shape, size, rng.uniform(*settings.ice_variation), rng)
    intensity = expose(specimen, relative, exposure, rng)[field]
    intensity *= illumination(settings.shape, rng.uniform(*settings.illumination_falloff), rng)
    intensity *= np.float32(exposure.electrons_per_square_angstrom * size**2)
    counts = detect(intensity, settings.detector, rng)
    classes = np.full(specimen.shape, LabelClass.BACKGROUND, dtype=np.uint8)
    classes[specimen.particles] = LabelClass.PARTICLE
    classes[specimen.contamination] = LabelClass.CONTAMINATION
    return SimulatedMicrograph(
        Micrograph(counts, size),
        _pick(positions - margin, kinds, classes[field], models, size),
        Labels(classes[field]),
        tuple(model.name for model in models),
        exposure,
    )


def _draw_exposure(settings: SimulationSettings, rng: Generator) -> Exposure:
    defocus = rng.uniform(*settings.defocus_angstrom)
    astigmatism = rng.uniform(*settings.astigmatism_angstrom)
    optics = Optics(
        voltage_kilovolt=settings.voltage_kilovolt,
        spherical_aberration_millimetre=settings.spherical_aberration_millimetre,
        amplitude_contrast=settings.amplitude_contrast,
        defocus_u_angstrom=defocus + astigmatism / 2,
        defocus_v_angstrom=defocus - astigmatism / 2,
        astigmatism_degrees=rng.uniform(0, 180),
        phase_shift_degrees=rng.uniform(*settings.phase_shift_degrees),
        b_factor=rng.uniform(*settings.b_factor),
    )
    thickness = rng.uniform(*settings.ice_thickness_angstrom)
    return Exposure(optics, thickness, rng.uniform(*settings.dose), not settings.no_energy_filter)


def _place_protein(
    specimen: Specimen, models: list[ParticleModel], settings: SimulationSettings, rng: Generator
) -> tuple[NDArray, NDArray]:
    """Place particles, fragments and aggregates; return where and of which kind particles are."""
    covered = rng.uniform(*settings.coverage)
    larger = np.prod(specimen.shape) / np.prod(settings.shape)
    disc = np.mean([np.pi / 4 * model.diameter_angstrom**2 for model in models])
    area = settings.shape[0] * settings.shape[1] * settings.pixel_size_angstrom**2
    wanted = covered * area / disc if settings.particles is None else settings.particles
    if rng.uniform() < settings.empty_micrographs:
        return np.empty((0, 2)), np.empty(0, np.intp)
    positions, kinds = place_particles(specimen, models, round(wanted * larger), settings, rng)
    place_fragments(specimen, models, int(rng.poisson(settings.fragments * len(kinds))), rng)
    for _ in range(rng.poisson(settings.aggregates * larger)):
        place_aggregate(specimen, models, rng)
    return positions, kinds


def _contaminate(
    specimen: Specimen, exposure: Exposure, settings: SimulationSettings, rng: Generator
) -> None:
    add_debris(specimen, rng.uniform(*settings.debris), rng)
    larger = np.prod(specimen.shape) / np.prod(settings.shape)
    if rng.uniform() < settings.crystalline_ice:
        add_crystals(specimen, exposure.ice_thickness_angstrom, rng)
    if rng.uniform() < settings.carbon_edges:
        add_carbon(specimen, rng)
    for _ in range(rng.poisson(settings.ice_balls * larger)):
        add_ice_ball(specimen, rng)
    for _ in range(rng.poisson(settings.gold_beads * larger)):
        add_gold_bead(specimen, rng)


def _pick(
    positions: NDArray, kinds: NDArray, classes: NDArray, models: list[ParticleModel], size: float
) -> Picks:
    """Return the particles whose centres lie in the micrograph, flagged as a picker would."""
    nearest = np.round(positions).astype(int)
    inside = np.all((nearest >= 0) & (nearest < classes.shape), axis=1)
    positions, nearest, kinds = positions[inside], nearest[inside], kinds[inside]
    diameters = np.array([model.diameter_angstrom for model in models]) / size
    to_edge = np.minimum(positions, np.subtract(classes.shape, 1) - positions).min(axis=1)
    covered = classes[tuple(nearest.T)] == LabelClass.CONTAMINATION
    status = np.where(to_edge < BORDER * diameters[kinds], Status.BORDER, Status.OK)
    status = np.where(covered, Status.CONTAMINATION, status)
    extra = {STRUCTURE_COLUMN: kinds + 1} if len(models) > 1 else {}
    return Picks.at(positions, source=Source.FILE, status=status, extra=extra)
