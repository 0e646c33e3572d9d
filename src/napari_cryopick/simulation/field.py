"""One simulated micrograph and the truth about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..labels import LabelClass, Labels
from ..micrograph import Micrograph
from ..picks import Picks, Source, Status
from ..settings import BORDER
from .body import Body
from .contamination import add_carbon, add_debris, add_gold_bead, add_ice_ball
from .ctf import Optics, illumination
from .detector import DETECTORS, detect
from .ice import add_crystals, undulation
from .image import Exposure, expose
from .placement import Crowd, add_aggregate, add_fragments, add_particles, fast_shape, one_of
from .scene import Scene
from .settings import MicrographSettings

KIND = "rlnClassNumber"
"""Column of the picks that tells the structure, from 1 on, where micrographs mix several."""


@dataclass(frozen=True, eq=False)
class Field:
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
        Names of what it shows.
    exposure
        Focus, ice and dose.
    """

    micrograph: Micrograph
    picks: Picks
    labels: Labels
    structures: tuple[str, ...]
    exposure: Exposure


def make_field(
    bodies: Sequence[Body],
    axes: Sequence[NDArray],
    settings: MicrographSettings,
    rng: np.random.Generator,
) -> Field:
    """Simulate an area wider than the micrograph, then cut the micrograph out of it."""
    size = settings.pixel_size_angstrom
    widest = max(body.diameter_angstrom for body in bodies)
    margin = int(np.ceil(widest / size))
    scene = Scene.empty(fast_shape(settings.shape, margin), size)
    field = tuple(slice(margin, margin + edge) for edge in settings.shape)
    exposure = draw_exposure(settings, rng)
    crowd = populate(scene, bodies, axes, settings, rng)
    contaminate(scene, exposure, settings, rng)

    relative = undulation(scene.shape, size, rng.uniform(*settings.ice_undulation), rng)
    intensity = expose(scene, relative, exposure, rng)[field]
    intensity *= illumination(settings.shape, rng.uniform(*settings.illumination_falloff), rng)
    intensity *= np.float32(exposure.electrons_per_square_angstrom * size**2)
    counts = detect(intensity, DETECTORS[settings.detector], rng)
    classes = classify(scene)[field]
    return Field(
        Micrograph(counts, size),
        pick(crowd, margin, classes, bodies, size),
        Labels(classes),
        tuple(body.name for body in bodies),
        exposure,
    )


def draw_exposure(settings: MicrographSettings, rng: np.random.Generator) -> Exposure:
    """Focus, ice and dose of one micrograph, evenly from their ranges."""
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
    return Exposure(optics, thickness, rng.uniform(*settings.dose), not settings.unfiltered)


def populate(
    scene: Scene,
    bodies: Sequence[Body],
    axes: Sequence[NDArray],
    settings: MicrographSettings,
    rng: np.random.Generator,
) -> Crowd:
    """Lay particles and their remains into an area as densely as the settings say."""
    count = particle_count(scene, bodies, settings, rng)
    if rng.uniform() < settings.empty_fields:
        return Crowd(np.empty((0, 2)), np.empty(0, np.intp))
    crowd = add_particles(scene, bodies, axes, count, settings, rng)
    add_fragments(scene, bodies, int(rng.poisson(settings.fragments * len(crowd.kinds))), rng)
    for _ in range(rng.poisson(settings.aggregates * crowding(scene, settings))):
        add_aggregate(scene, one_of(bodies, rng), rng)
    return crowd


def particle_count(
    scene: Scene, bodies: Sequence[Body], settings: MicrographSettings, rng: np.random.Generator
) -> int:
    """How many particles an area is to hold, margins included."""
    covered = rng.uniform(*settings.coverage)
    if settings.particles is not None:
        return round(settings.particles * crowding(scene, settings))
    disc = np.mean([np.pi / 4 * body.diameter_angstrom**2 for body in bodies])
    return round(covered * settings.field_square_angstrom / disc * crowding(scene, settings))


def crowding(scene: Scene, settings: MicrographSettings) -> float:
    """How much larger the area is than the micrograph."""
    return float(np.prod(scene.shape) / np.prod(settings.shape))


def contaminate(
    scene: Scene, exposure: Exposure, settings: MicrographSettings, rng: np.random.Generator
) -> None:
    """Add what else may lie on a grid, each as often as the settings say."""
    add_debris(scene, rng.uniform(*settings.debris), rng)
    larger = crowding(scene, settings)
    if rng.uniform() < settings.crystalline_ice:
        add_crystals(scene, exposure.ice_thickness_angstrom, rng)
    if rng.uniform() < settings.carbon_edges:
        add_carbon(scene, rng)
    for _ in range(rng.poisson(settings.ice_balls * larger)):
        add_ice_ball(scene, rng)
    for _ in range(rng.poisson(settings.gold_beads * larger)):
        add_gold_bead(scene, rng)


def classify(scene: Scene) -> NDArray[np.uint8]:
    """What covers each pixel: contamination hides all else."""
    classes = np.full(scene.shape, LabelClass.BACKGROUND, dtype=np.uint8)
    classes[scene.shadow] = LabelClass.PARTICLE
    classes[scene.contamination] = LabelClass.CONTAMINATION
    return classes


def pick(
    crowd: Crowd,
    margin: int,
    classes: NDArray[np.uint8],
    bodies: Sequence[Body],
    pixel_size_angstrom: float,
) -> Picks:
    """The particles whose centres lie in the micrograph, flagged as a picker would."""
    positions = crowd.positions - margin
    nearest = np.round(positions).astype(int)
    inside = np.all((nearest >= 0) & (nearest < classes.shape), axis=1)
    positions, nearest, kinds = positions[inside], nearest[inside], crowd.kinds[inside]
    diameters = np.array([body.diameter_angstrom for body in bodies]) / pixel_size_angstrom
    to_edge = np.minimum(positions, np.subtract(classes.shape, 1) - positions).min(axis=1)
    covered = classes[tuple(nearest.T)] == LabelClass.CONTAMINATION
    status = np.select(
        [covered, to_edge < BORDER * diameters[kinds]],
        [Status.CONTAMINATION, Status.BORDER],
        Status.OK,
    )
    extra = {KIND: kinds + 1} if len(bodies) > 1 else {}
    return Picks.at(positions, source=Source.FILE, status=status, extra=extra)
