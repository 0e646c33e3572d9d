"""One simulated micrograph and the truth about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..labels import LabelClass, Labels
from ..micrograph import Micrograph
from ..picks import Picks, Source, Status
from ..settings import BORDER
from .contamination import add_carbon, add_debris, add_gold_bead, add_ice_ball
from .ctf import Optics
from .exposure import DETECTORS, Exposure, detect, expose, illumination
from .ice import add_crystals, thickness_map
from .particle_model import ParticleModel
from .placement import Placements, draw_model, place_aggregate, place_fragments, place_particles
from .settings import SimulationSettings
from .specimen import Specimen

STRUCTURE_COLUMN = "rlnClassNumber"
"""Column of the picks with the number of the structure, from 1 on, where micrographs mix several:
the RELION label of a discrete kind of particle."""


@dataclass(frozen=True, eq=False)
class SimulatedMicrograph:
    """A simulated micrograph, the truth about it, and how it was taken.

    Attributes
    ----------
    micrograph
        Electron counts as float32; particles are dark.
    picks
        Every particle whose centre lies in it, with status BORDER where a picker would flag it
        and CONTAMINATION where something covers its centre.
    labels
        The class of every pixel.
    structures
        Names of the particles.
    exposure
        Focus, ice and dose.
    """

    micrograph: Micrograph
    picks: Picks
    labels: Labels
    structures: tuple[str, ...]
    exposure: Exposure


def simulate_micrograph(
    models: Sequence[ParticleModel],
    axes: Sequence[NDArray],
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> SimulatedMicrograph:
    """Simulate an area wider than the micrograph, then cut the micrograph out of it.

    Parameters
    ----------
    models
        The particles it shows.
    axes
        For each of them (n, 3) axes that it turns to the beam, from `preferred_axes`.
    """
    size = settings.pixel_size_angstrom
    margin = int(np.ceil(max(model.diameter_angstrom for model in models) / size))
    specimen = Specimen(padded_shape(settings.shape, margin), size)
    field = tuple(slice(margin, margin + edge) for edge in settings.shape)
    exposure = _draw_exposure(settings, rng)
    placements = _place_protein(specimen, models, axes, settings, rng)
    _contaminate(specimen, exposure, settings, rng)

    relative = thickness_map(specimen.shape, size, rng.uniform(*settings.ice_variation), rng)
    intensity = expose(specimen, relative, exposure, rng)[field]
    intensity *= illumination(settings.shape, rng.uniform(*settings.illumination_falloff), rng)
    intensity *= np.float32(exposure.electrons_per_square_angstrom * size**2)
    counts = detect(intensity, DETECTORS[settings.detector], rng)
    classes = _classify(specimen)[field]
    return SimulatedMicrograph(
        Micrograph(counts, size),
        _pick(placements, margin, classes, models, size),
        Labels(classes),
        tuple(model.name for model in models),
        exposure,
    )


def padded_shape(shape: tuple[int, int], margin: int) -> tuple[int, int]:
    """Return a shape with at least this margin all around that is quick to transform."""
    height, width = (fft.next_fast_len(edge + 2 * margin) for edge in shape)
    return height, width


def _draw_exposure(settings: SimulationSettings, rng: np.random.Generator) -> Exposure:
    """Draw focus, ice and dose, evenly from their ranges."""
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
    specimen: Specimen,
    models: Sequence[ParticleModel],
    axes: Sequence[NDArray],
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> Placements:
    """Place particles, fragments and aggregates in an area as densely as the settings say."""
    count = _particle_count(specimen, models, settings, rng)
    if rng.uniform() < settings.empty_micrographs:
        return Placements(np.empty((0, 2)), np.empty(0, np.intp))
    placements = place_particles(specimen, models, axes, count, settings, rng)
    broken = rng.poisson(settings.fragments * len(placements.kinds))
    place_fragments(specimen, models, int(broken), rng)
    for _ in range(rng.poisson(settings.aggregates * _enlargement(specimen, settings))):
        place_aggregate(specimen, draw_model(models, rng), rng)
    return placements


def _particle_count(
    specimen: Specimen,
    models: Sequence[ParticleModel],
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> int:
    """Return how many particles an area is to hold, margins included."""
    covered = rng.uniform(*settings.coverage)
    larger = _enlargement(specimen, settings)
    if settings.particles is not None:
        return round(settings.particles * larger)
    disc = np.mean([np.pi / 4 * model.diameter_angstrom**2 for model in models])
    return round(covered * settings.area_square_angstrom / disc * larger)


def _enlargement(specimen: Specimen, settings: SimulationSettings) -> float:
    """Return how many times larger the area is than the micrograph."""
    return float(np.prod(specimen.shape) / np.prod(settings.shape))


def _contaminate(
    specimen: Specimen, exposure: Exposure, settings: SimulationSettings, rng: np.random.Generator
) -> None:
    """Add what else may lie on a grid, each as often as the settings say."""
    add_debris(specimen, rng.uniform(*settings.debris), rng)
    larger = _enlargement(specimen, settings)
    if rng.uniform() < settings.crystalline_ice:
        add_crystals(specimen, exposure.ice_thickness_angstrom, rng)
    if rng.uniform() < settings.carbon_edges:
        add_carbon(specimen, rng)
    for _ in range(rng.poisson(settings.ice_balls * larger)):
        add_ice_ball(specimen, rng)
    for _ in range(rng.poisson(settings.gold_beads * larger)):
        add_gold_bead(specimen, rng)


def _classify(specimen: Specimen) -> NDArray[np.uint8]:
    """Return the class of each pixel: contamination hides all else."""
    classes = np.full(specimen.shape, LabelClass.BACKGROUND, dtype=np.uint8)
    classes[specimen.particles] = LabelClass.PARTICLE
    classes[specimen.contamination] = LabelClass.CONTAMINATION
    return classes


def _pick(
    placements: Placements,
    margin: int,
    classes: NDArray[np.uint8],
    models: Sequence[ParticleModel],
    pixel_size_angstrom: float,
) -> Picks:
    """Return the particles whose centres lie in the micrograph, flagged as a picker would."""
    positions = placements.positions - margin
    nearest = np.round(positions).astype(int)
    inside = np.all((nearest >= 0) & (nearest < classes.shape), axis=1)
    positions, nearest, kinds = positions[inside], nearest[inside], placements.kinds[inside]
    diameters = np.array([model.diameter_angstrom for model in models]) / pixel_size_angstrom
    to_edge = np.minimum(positions, np.subtract(classes.shape, 1) - positions).min(axis=1)
    covered = classes[tuple(nearest.T)] == LabelClass.CONTAMINATION
    status = np.select(
        [covered, to_edge < BORDER * diameters[kinds]],
        [Status.CONTAMINATION, Status.BORDER],
        Status.OK,
    )
    extra = {STRUCTURE_COLUMN: kinds + 1} if len(models) > 1 else {}
    return Picks.at(positions, source=Source.FILE, status=status, extra=extra)
