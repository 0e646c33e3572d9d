"""Extract particles from micrographs into a stack, one event each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import disk_usage
from threading import Event
from time import perf_counter
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from .errors import CryopickError
from .io import atomic_path, check_pixels, read_micrograph, require_pixel_size
from .io.stacks import StackWriter, knows_ctf, write_stack_star
from .io.tiff_rows import in_relion_rows
from .micrograph import Failed, Micrograph
from .picks import Picks, PickSet, Status

BACKGROUND = 0.375
"""Radius of the circle around a particle, in boxes, outside of which is background: RELION's."""

AT_A_TIME = 64
"""Images that are normalised at once."""

SAME = 1e-3
"""Relative difference up to which pixel sizes are the same: headers round them."""


class ExtractSettings(BaseModel):
    """Settings of an extraction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    box_px: int = Field(ge=16, description="Edge of the boxes, in micrograph pixels.")
    bin: int = Field(1, ge=1, description="Micrograph pixels per pixel of the images.")
    pixel_size_angstrom: float | None = Field(
        None,
        gt=0,
        description="Pixel size in Å; read from the files by default.",
    )
    voltage_kilovolt: float | None = Field(
        None, gt=0, description="Voltage in kV; that of the picks or 300 by default."
    )
    spherical_aberration_millimetre: float | None = Field(
        None, ge=0, description="Cs in mm; that of the picks or 2.7 by default."
    )
    amplitude_contrast: float | None = Field(
        None, ge=0, lt=1, description="Amplitude contrast; that of the picks or 0.1 by default."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Raise an error unless images have an even edge, as RELION wants them."""
        step = 2 * self.bin
        if self.box_px % step:
            nearest = max(1, round(self.box_px / step)) * step
            message = (
                f"A box of {self.box_px} px at bin {self.bin} gives no image of an even edge; "
                f"take {nearest} px"
            )
            raise PydanticCustomError("box", "{message}", {"message": message})
        return self

    @property
    def size(self) -> int:
        """Edge of the images in their own pixels."""
        return self.box_px // self.bin

    @property
    def microscope(self) -> tuple[float | None, float | None, float | None]:
        """Voltage, spherical aberration and amplitude contrast, as far as they are given."""
        return self.voltage_kilovolt, self.spherical_aberration_millimetre, self.amplitude_contrast


@dataclass(frozen=True)
class Extracted:
    """The micrograph `index`, from 0, of `total` is done.

    Of its picks so many are in the stack, so many have a box that leaves the image, and so many
    were flagged or deleted.
    """

    index: int
    total: int
    path: Path
    particles: int
    outside: int
    flagged: int
    note: str
    seconds: float


@dataclass(frozen=True)
class Stack:
    """The stack and its STAR are on disk; `has_ctf` says whether every image has its defocus."""

    path: Path
    star: Path
    particles: int
    size: int
    pixel_size_angstrom: float
    has_ctf: bool


ExtractionEvent = Extracted | Failed | Stack


def extract_particles(
    micrographs: Mapping[Path, str],
    picks: PickSet,
    settings: ExtractSettings,
    output: Path,
    stop: Event | None = None,
) -> Iterator[ExtractionEvent]:
    """Cut out particles and write them to a stack; one bad micrograph leaves the others alone.

    Parameters
    ----------
    micrographs
        Files, and the name of each in `picks`.
    picks
        The particles. Flagged and deleted ones are left out.
    settings
        Box and so on.
    output
        File for the images, .mrcs; the STAR beside it has the same name.
    stop
        Once set, no further micrograph is begun, and what is done so far is written.

    Yields
    ------
    Extracted or Failed
        One for each micrograph.
    Stack
        At the end.

    Raises
    ------
    CryopickError
        If the stack cannot be written, or no particle is left for it.
    """
    star = stack_star(output)
    wanted = sum(len(picks.by_micrograph[name]) for name in micrographs.values())
    done: dict[str, Picks] = {}
    pixel_size = np.nan
    with atomic_path(output) as part, part.open("wb") as file:
        _require_space(output.parent, wanted * settings.size**2 * 4)
        writer = StackWriter(file, settings.size)
        for event in _cut_each(micrographs, picks, settings, stop):
            if isinstance(event, Failed):
                yield event
                continue
            writer.append(event.images)
            done[event.name], pixel_size = event.picks, event.pixel_size_angstrom
            yield event.extracted
        if not writer.count:
            raise CryopickError(f"There are no particles for {output}; check box and picks.")
        writer.finish(pixel_size)
    found = replace(picks, by_micrograph=done, pixel_size_angstrom=pixel_size)
    write_stack_star(star, output, found, settings.size, settings.bin, settings.microscope)
    size = pixel_size * settings.bin
    yield Stack(output, star, writer.count, settings.size, size, knows_ctf(found))


def stack_star(output: Path) -> Path:
    """Return the STAR of a stack, or raise a `CryopickError` if it has no name of a stack."""
    if output.suffix.lower() != ".mrcs":
        raise CryopickError(f"{output} is not named as a stack is; let it end in .mrcs.")
    return output.with_suffix(".star")


@dataclass(frozen=True, eq=False)
class _Cut:
    """The images of a micrograph, their picks by its name, and what there is to say of it."""

    images: NDArray[np.float32]
    name: str
    picks: Picks
    pixel_size_angstrom: float
    extracted: Extracted


def _cut_each(
    micrographs: Mapping[Path, str],
    picks: PickSet,
    settings: ExtractSettings,
    stop: Event | None,
) -> Iterator[_Cut | Failed]:
    """Cut out the particles of each micrograph that has the pixel size of those before."""
    size: float | None = None
    for index, (path, name) in enumerate(micrographs.items()):
        if stop is not None and stop.is_set():
            return
        begun, total = perf_counter(), len(micrographs)
        try:
            micrograph = _read(path, settings, picks.pixel_size_angstrom, size)
            images, kept, outside = _cut(micrograph, picks.by_micrograph[name], settings)
        except CryopickError as error:
            yield Failed(index, total, path, str(error))
            continue
        except (MemoryError, RuntimeError) as error:  # of torch, where memory fails
            reason = str(error).partition("\n")[0].rstrip(".")
            yield Failed(index, total, path, f"{path} cannot be used: {reason}.")
            continue
        size = require_pixel_size(micrograph)
        flagged = len(picks.by_micrograph[name]) - len(kept) - outside
        counts, seconds = (len(kept), outside, flagged), perf_counter() - begun
        extracted = Extracted(index, total, path, *counts, micrograph.note, seconds)
        yield _Cut(images, name, kept, size, extracted)


def _read(
    path: Path, settings: ExtractSettings, known: float | None, others: float | None
) -> Micrograph:
    """Read a micrograph whose pixel size is that of the others, if it says none the known one."""
    micrograph = read_micrograph(path, settings.pixel_size_angstrom)
    if micrograph.pixel_size_angstrom is None:
        micrograph = replace(micrograph, pixel_size_angstrom=known)
    size = require_pixel_size(micrograph)
    if others is not None and not np.isclose(size, others, rtol=SAME):
        raise CryopickError(
            f"{path} has pixels of {size:g} Å, others of {others:g} Å; make a stack of its own."
        )
    check_pixels(micrograph)
    return micrograph


def _cut(
    micrograph: Micrograph, picks: Picks, settings: ExtractSettings
) -> tuple[NDArray[np.float32], Picks, int]:
    """Return images of good picks, these picks, and how many others lie too near to the edge."""
    from .imaging.particles import cut_particles, normalise_particles

    good = picks.with_status(Status.OK)
    pixels, positions, good = in_relion_rows(micrograph, good)
    images, inside = cut_particles(pixels, positions, settings.box_px, settings.size)
    for first in range(0, len(images), AT_A_TIME):
        some = images[first : first + AT_A_TIME]
        some[:] = normalise_particles(some, BACKGROUND * settings.size)
    return images, good[inside], int((~inside).sum())


def _require_space(folder: Path, needed: int) -> None:
    free = disk_usage(folder).free
    if free < needed:
        raise CryopickError(
            f"{folder} has {free / 1e9:.1f} GB left, where the stack takes {needed / 1e9:.1f} GB; "
            "free some space, choose another folder, or bin the particles."
        )
