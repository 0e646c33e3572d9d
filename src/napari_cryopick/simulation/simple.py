"""A simple simulation of cryo-EM micrographs: quick, repeatable, and hard enough to be a test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..io import PickSet, write_picks
from ..io.files import atomic_path
from ..labels import LabelClass, Labels
from ..micrograph import Micrograph
from ..picks import Picks, Source, Status
from ..ruler import BORDER
from .assembly import assemble
from .exposure import expose, particle_gain
from .settings import SimulationSettings
from .specimen import SPHERE_ANGSTROM, Specimen, prepare

_LEAST_SHADOW = 0.15
_LEAST_ICE = 0.04


@dataclass(frozen=True, eq=False)
class SimulatedField:
    """A simulated micrograph and the truth about it.

    Attributes
    ----------
    micrograph
        Electron counts as float32; particles are dark.
    picks
        Every particle whose centre lies in the field, with status BORDER where a picker would
        flag it and CONTAMINATION where an ice ball covers its centre.
    labels
        The class of every pixel.
    """

    micrograph: Micrograph
    picks: Picks
    labels: Labels


def simulate_fields(settings: SimulationSettings) -> Iterator[SimulatedField]:
    """Micrographs of one protein, `settings.count` of them, made as they are asked for."""
    rng = np.random.default_rng(settings.seed)
    spheres = assemble(settings.diameter_angstrom, settings.symmetry, rng)
    gain = particle_gain(settings, spheres, rng)
    for field_rng in rng.spawn(settings.count):
        yield _simulate(settings, spheres, gain, field_rng)


def write_fields(folder: str | Path, fields: Iterable[SimulatedField]) -> tuple[list[Path], Path]:
    """Write `micrographs/*.mrc` and `particles.star`, which holds the whole, clean particles.

    Returns
    -------
    The paths of the micrographs, and that of the STAR file.
    """
    folder = Path(folder)
    picks = {}
    pixel_size_angstrom = None
    for number, field in enumerate(fields, 1):
        name = f"micrographs/simulated_{number:03d}.mrc"
        write_mrc(folder / name, field.micrograph)
        picks[name] = field.picks.with_status(Status.OK)
        pixel_size_angstrom = field.micrograph.pixel_size_angstrom
    star = folder / "particles.star"
    write_picks(star, PickSet(picks, pixel_size_angstrom))
    return [folder / name for name in picks], star


def write_mrc(path: Path, micrograph: Micrograph) -> None:
    """Write a micrograph, its pixel size in the header."""
    with atomic_path(path) as temporary, mrcfile.new(temporary, micrograph.pixels) as mrc:
        mrc.voxel_size = micrograph.pixel_size_angstrom


def _simulate(
    settings: SimulationSettings, spheres: NDArray, gain: float, rng: np.random.Generator
) -> SimulatedField:
    """Simulate an area one diameter wider on each side, then cut the field out of it."""
    margin = round(settings.diameter_px)
    area = settings.shape[0] + 2 * margin, settings.shape[1] + 2 * margin
    field = tuple(slice(margin, margin + size) for size in settings.shape)
    specimen = prepare(settings, spheres, area, rng)
    counts = expose(specimen, settings, gain, rng)[field].astype(np.float32)
    classes = _classify(specimen, SPHERE_ANGSTROM / settings.pixel_size_angstrom)[field]
    picks = _pick(specimen.centres - margin, classes, BORDER * settings.diameter_px)
    return SimulatedField(Micrograph(counts, settings.pixel_size_angstrom), picks, Labels(classes))


def _classify(specimen: Specimen, sphere_px: float) -> NDArray[np.uint8]:
    """What covers each pixel: shadows of whole particles, and ice balls above all else."""
    classes = np.full(specimen.ice.shape, LabelClass.BACKGROUND, dtype=np.uint8)
    shadow = ndimage.gaussian_filter(specimen.particles, 2 * sphere_px)
    classes[shadow > _LEAST_SHADOW] = LabelClass.PARTICLE
    classes[specimen.ice > _LEAST_ICE] = LabelClass.CONTAMINATION
    return classes


def _pick(centres: NDArray, classes: NDArray[np.uint8], border_px: float) -> Picks:
    """The particles whose centres lie in the field, flagged."""
    nearest = np.round(centres).astype(int)
    inside = np.all((nearest >= 0) & (nearest < classes.shape), axis=1)
    centres, nearest = centres[inside], nearest[inside]
    to_edge = np.minimum(centres, np.subtract(classes.shape, 1) - centres).min(axis=1)
    covered = classes[tuple(nearest.T)] == LabelClass.CONTAMINATION
    status = np.select(
        [covered, to_edge < border_px], [Status.CONTAMINATION, Status.BORDER], Status.OK
    )
    return Picks.at(centres, source=Source.FILE, status=status)
