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
from ..picks import Picks, Status
from . import density, structure
from .body import Body
from .field import Field, make_field
from .invented import invent
from .parallel import cores, in_turn
from .placement import preferred_axes
from .settings import MicrographSettings


@dataclass(frozen=True)
class Simulated:
    """One micrograph is written.

    Attributes
    ----------
    index, total
        Which it is, from 0 on, and how many there will be.
    path
        Of the micrograph.
    particles, flagged
        Whole and clean particles, which the STAR file holds, and those at the border or on
        contamination, which it leaves out.
    seconds
        Since the last one.
    """

    index: int
    total: int
    path: Path
    particles: int
    flagged: int
    seconds: float


_MOST_AT_ONCE = 4  # a micrograph of 4096 x 4096 takes about a gigabyte while it is made
_INVENTING = 1  # has random numbers of its own


def read_body(path: str | Path, settings: MicrographSettings) -> Body:
    """Read an atomic model or a density map, whichever its suffix says."""
    path = Path(path)
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if suffix in density.SUFFIXES:
        return density.read_density(path, settings.contour)
    if suffix in structure.SUFFIXES:
        return structure.read_structure(path, settings.assembly)
    known = ", ".join([*structure.SUFFIXES, *density.SUFFIXES])
    raise CryopickError(f"{path} is no structure; give one of {known}, or one of these with .gz.")


def gather_bodies(paths: Sequence[str | Path], settings: MicrographSettings) -> list[Body]:
    """The structures of some files, and as many made-up ones as the settings want."""
    rngs = np.random.default_rng([settings.seed, _INVENTING]).spawn(settings.invented)
    read = [read_body(path, settings) for path in paths]
    bodies = read + [invent(number, rng) for number, rng in enumerate(rngs, 1)]
    if not bodies:
        raise CryopickError("There is no structure; give a file, or --invented particles.")
    return bodies


def make_micrographs(bodies: Sequence[Body], settings: MicrographSettings) -> Iterator[Field]:
    """Micrographs, `settings.count` of them, made side by side as they are asked for.

    The same seed gives the same, whatever the machine; one does not depend on how many there are.
    """
    rng = np.random.default_rng(settings.seed)
    axes = preferred_axes(bodies, settings, rng)
    for body in bodies:
        _check_size(body, settings)

    def make(job: tuple[int, np.random.Generator]) -> Field:
        number, generator = job
        chosen = range(len(bodies)) if settings.mixed else [number % len(bodies)]
        return make_field(
            [bodies[i] for i in chosen], [axes[i] for i in chosen], settings, generator
        )

    jobs = list(enumerate(rng.spawn(settings.count)))
    yield from in_turn(make, jobs, min(cores(), _MOST_AT_ONCE))


def simulate(
    bodies: Sequence[Body],
    settings: MicrographSettings,
    output: str | Path,
    stop: Event | None = None,
) -> Iterator[Simulated]:
    """Make micrographs and write each with its mask, then what is known about all of them.

    After a stop the files tell about those that were made.
    """
    output = Path(output)
    picks: dict[str, Picks] = {}
    exposures: dict[str, Any] = {}
    _write_yaml(output / "settings.yaml", _describe(bodies, settings))
    start = perf_counter()
    try:
        for index, field in enumerate(make_micrographs(bodies, settings)):
            name = f"micrographs/simulated_{index + 1:04d}.mrc"
            _write(output, name, field)
            picks[name] = field.picks.with_status(Status.OK)
            exposures[name] = {"structures": list(field.structures)} | asdict(field.exposure)
            good = len(picks[name])
            seconds, start = perf_counter() - start, perf_counter()
            yield Simulated(
                index, settings.count, output / name, good, len(field.picks) - good, seconds
            )
            if stop and stop.is_set():
                break
    finally:
        _write_truth(output, picks, exposures, bodies, settings)


def write_mrc(path: Path, micrograph: Micrograph) -> None:
    """Write a micrograph, its pixel size in the header."""
    with atomic_path(path) as temporary, mrcfile.new(temporary, micrograph.pixels) as mrc:
        mrc.voxel_size = micrograph.pixel_size_angstrom


def _check_size(body: Body, settings: MicrographSettings) -> None:
    diameter_px = body.diameter_angstrom / settings.pixel_size_angstrom
    if diameter_px > min(settings.shape):
        raise CryopickError(
            f"{body.name} is {body.diameter_angstrom:.0f} Å wide, more than a micrograph of "
            f"{settings.shape[1]} x {settings.shape[0]} pixels; enlarge --shape or --pixel-size."
        )


def _write(output: Path, name: str, field: Field) -> None:
    write_mrc(output / name, field.micrograph)
    mask = output / "masks" / Path(name).with_suffix(".png").name
    with atomic_path(mask) as part:
        Image.fromarray(field.labels.classes).save(part)


def _write_truth(
    output: Path,
    picks: dict[str, Picks],
    exposures: dict[str, Any],
    bodies: Sequence[Body],
    settings: MicrographSettings,
) -> None:
    """The particles of all micrographs, and how each was taken."""
    if not picks:
        return
    diameter = round(bodies[0].diameter_angstrom, 1) if len(bodies) == 1 else None
    star = PickSet(picks, settings.pixel_size_angstrom, diameter_angstrom=diameter)
    write_picks(output / "particles.star", star)
    _write_yaml(output / "exposures.yaml", exposures)


def _describe(bodies: Sequence[Body], settings: MicrographSettings) -> dict[str, Any]:
    return {
        "version": __version__,
        "structures": [
            {"name": body.name, "diameter_angstrom": round(body.diameter_angstrom, 1)}
            for body in bodies
        ],
        **settings.model_dump(mode="json"),
    }


def _write_yaml(path: Path, data: dict[str, Any]) -> None:
    with atomic_path(path) as part:
        part.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
