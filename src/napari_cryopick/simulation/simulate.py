"""Simulated micrographs of given structures, made side by side and written as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import mrcfile
import numpy as np
import yaml
from PIL import Image

from .. import __version__
from ..errors import CryopickError
from ..io import PickSet, atomic_path, write_picks
from ..micrograph import Micrograph
from ..model.threads import cores
from ..picks import Picks, Status
from .micrograph import SimulatedMicrograph, simulate_micrograph
from .parallel import map_in_order
from .particle_model import ParticleModel
from .settings import SimulationSettings
from .structures import read_structure
from .synthetic import example_particle, make_synthetic

_MOST_AT_ONCE, _SYNTHETIC_STREAM = 4, 1
"""Micrographs in the making, of which one of 4096 x 4096 pixels takes about a gigabyte; and what
gives synthetic particles random numbers of their own."""

EXAMPLE_SETTINGS = {
    "shape": (1024, 1024),
    "pixel_size_angstrom": 1.6,
    "particles": 75,
    "defocus_angstrom": (12_000.0, 24_000.0),
    "debris": (1.0, 8.0),
    "ice_balls": 0.2,
    "empty_micrographs": 0.0,
    "carbon_edges": 0.0,
    "crystalline_ice": 0.0,
}
"""Settings of small, rather clean micrographs, quickly made."""


@dataclass(frozen=True)
class MicrographWritten:
    """One simulated micrograph is on disk: number `index`, from 0 on, of `total`.

    The STAR file holds its whole and clean `particles`, and leaves out those `flagged`: at the
    border or on contamination.
    """

    index: int
    total: int
    path: Path
    particles: int
    flagged: int
    seconds: float


def load_particles(paths: Sequence[Path], settings: SimulationSettings) -> list[ParticleModel]:
    """Return the structures of some files, and as many synthetic particles as are wanted.

    Raises
    ------
    CryopickError
        If a file cannot be read, or there is nothing to simulate.
    """
    rngs = np.random.default_rng([settings.seed, _SYNTHETIC_STREAM]).spawn(settings.synthetic)
    models = [read_structure(path, settings.assembly, settings.contour) for path in paths]
    models += [make_synthetic(number, rng) for number, rng in enumerate(rngs, 1)]
    if not models:
        raise CryopickError("There is nothing to simulate; give structures or synthetic particles.")
    return models


def make_micrographs(
    models: Sequence[ParticleModel], settings: SimulationSettings
) -> Iterator[SimulatedMicrograph]:
    """Yield `settings.count` micrographs, made side by side as they are asked for.

    The same seed gives the same ones on every machine; none depends on how many there are.
    """
    rng = np.random.default_rng(settings.seed)
    models = [model.with_axes(settings.preferred_views, rng) for model in models]
    for model in models:
        if model.diameter_angstrom / settings.pixel_size_angstrom > min(settings.shape):
            raise CryopickError(
                f"{model.name} is {model.diameter_angstrom:.0f} Å wide, more than a micrograph of "
                f"{settings.shape[1]} x {settings.shape[0]} pixels; make the micrograph or its "
                "pixels larger."
            )

    def make(job: tuple[int, np.random.Generator]) -> SimulatedMicrograph:
        number, generator = job
        chosen = models if settings.mixed else [models[number % len(models)]]
        return simulate_micrograph(chosen, settings, generator)

    jobs = enumerate(rng.spawn(settings.count))
    yield from map_in_order(make, jobs, min(cores(), _MOST_AT_ONCE))


def simulate(
    models: Sequence[ParticleModel],
    settings: SimulationSettings,
    output: Path,
    stop: Event | None = None,
) -> Iterator[MicrographWritten]:
    """Make micrographs and write each with its mask, then the truth about all of them.

    Parameters
    ----------
    output
        Folder for ``micrographs/``, ``masks/``, ``particles.star``, ``exposures.yaml`` and
        ``settings.yaml``.
    stop
        Once set, no more micrographs are made; the files describe those that were.
    """
    picks: dict[str, Picks] = {}
    exposures: dict[str, Any] = {}
    sizes = [round(model.diameter_angstrom, 1) for model in models]
    named = zip((model.name for model in models), sizes, strict=True)
    structures = [{"name": name, "diameter_angstrom": size} for name, size in named]
    described = {"version": __version__, "structures": structures}
    _write_yaml(output / "settings.yaml", described | settings.model_dump(mode="json"))
    start = perf_counter()
    try:
        for index, made in enumerate(make_micrographs(models, settings)):
            name = f"micrographs/simulated_{index + 1:04d}.mrc"
            write_mrc(output / name, made.micrograph)
            with atomic_path(output / "masks" / f"{Path(name).stem}.png") as part:
                Image.fromarray(made.labels.classes).save(part)
            picks[name] = made.picks.with_status(Status.OK)
            exposures[name] = {"structures": list(made.structures)} | asdict(made.exposure)
            good = len(picks[name])
            seconds, start = perf_counter() - start, perf_counter()
            yield MicrographWritten(
                index, settings.count, output / name, good, len(made.picks) - good, seconds
            )
            if stop and stop.is_set():
                break
    finally:
        if picks:
            diameter = sizes[0] if len(models) == 1 else None
            star = PickSet(picks, settings.pixel_size_angstrom, diameter_angstrom=diameter)
            write_picks(output / "particles.star", star)
            _write_yaml(output / "exposures.yaml", exposures)


def simulate_example(
    output: Path, particle: ParticleModel | None = None, **settings: object
) -> tuple[list[Path], Path]:
    """Write a few micrographs of `example_particle`, or of another; settings add to the defaults.

    Returns
    -------
    The paths of the micrographs, and that of the STAR file of their whole, clean particles.
    """
    chosen = SimulationSettings.model_validate(EXAMPLE_SETTINGS | settings)
    made = simulate([particle or example_particle()], chosen, output)
    return [event.path for event in made], output / "particles.star"


def write_mrc(path: Path, micrograph: Micrograph) -> None:
    """Write a micrograph, its pixel size in the header."""
    with atomic_path(path) as temporary, mrcfile.new(temporary, micrograph.pixels) as mrc:
        mrc.voxel_size = micrograph.pixel_size_angstrom


def _write_yaml(path: Path, data: dict[str, Any]) -> None:
    with atomic_path(path) as part:
        part.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
