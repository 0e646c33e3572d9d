"""From micrographs and picks to class averages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import CryopickError
from ..imaging.particles import cut_particles, normalise_particles
from ..io import check_pixels, read_micrograph, require_pixel_size
from ..io.class_folder import CLASS, ClassFolder
from ..micrograph import Failed
from ..model.device import choose_device
from ..picks import Picks, PickSet, Status
from . import ClassifySettings
from .averaging import PASSES, Pass, Stack, classify
from .coefficients import ANGLES, BOX_DIAMETERS, BOX_PX, Basis
from .events import Aligned, Averaged, ClassificationEvent, Classified, Cut, Members
from .quality import quality
from .statistics import describe

PER_CLASS, MOST_CLASSES = 10, 50
"""Classes are the square root of the particles over `PER_CLASS`, up to `MOST_CLASSES`: 12 for
1,500 and 32 for 10,000, so that both views and members of each become more."""

ANGLE, LIKENESS = "cryopickClassAngle", "cryopickClassCorrelation"
"""Columns of picks that say how they lie in their class."""


@dataclass(eq=False)
class _Particles:
    """What is cut out: factors and scores of particles, and which pick of which micrograph."""

    factors: list[Tensor] = field(default_factory=list)
    scores: list[NDArray[np.float64]] = field(default_factory=list)
    chosen: dict[Path, NDArray[np.bool_]] = field(default_factory=dict)
    scales: dict[Path, float] = field(default_factory=dict)


def classify_micrographs(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    settings: ClassifySettings,
    stop: Event | None = None,
) -> Iterator[ClassificationEvent]:
    """Cut particles out of micrographs and average them in classes.

    Parameters
    ----------
    micrographs
        Files; those without picks are left out.
    picks
        The picks of each; flagged and deleted ones are not classified, nor those whose box of
        1.5 diameters leaves the image.
    settings
        Particle diameter in Å, number of classes and so on.
    stop
        Once set, the generator ends without a result.

    Yields
    ------
    Cut or Failed
        One for each micrograph.
    Aligned, Averaged
        While the classes take shape.
    Classified
        At the end.

    Raises
    ------
    CryopickError
        If there is no such device, or no particle to classify.
    """
    basis, found = Basis(choose_device(settings.device)), _Particles()
    picked = [path for path in micrographs if path in picks]
    for index, path in enumerate(picked):
        if stop is not None and stop.is_set():
            return
        try:
            yield _cut(path, picks[path], index, len(picked), settings, basis, found)
        except CryopickError as error:
            yield Failed(index, len(picked), path, str(error))
        except (MemoryError, RuntimeError) as error:  # of torch, where memory fails
            reason = str(error).partition("\n")[0].rstrip(".")
            yield Failed(index, len(picked), path, f"{path} cannot be used: {reason}.")
    if not sum(map(len, found.factors)):
        raise CryopickError(
            "No particle can be cut out of the micrographs; check picks, diameter and pixel size."
        )
    yield from _classified(found, basis, settings, stop)


def class_folder(result: Classified, names: Mapping[Path, str], picks: PickSet) -> ClassFolder:
    """Return what to write of a result: classes with their quality, and the picks with theirs.

    Parameters
    ----------
    result
        Of a classification.
    names
        What its micrographs are called in the picks.
    picks
        All picks of these; those of micrographs that could not be used have class 0, too.
    """
    shares, verdicts = quality(result.classes)
    told = {}
    for path, name in names.items():
        one = picks.by_micrograph[name]
        members = result.members.get(path, Members.none(len(one)))
        columns = {CLASS: members.classes, ANGLE: members.angles, LIKENESS: members.correlations}
        told[name] = replace(one, extra={**one.extra, **columns})
    classes = result.classes
    return ClassFolder(
        classes.averages,
        classes.pixel_size_angstrom,
        classes.members,
        shares,
        classes.resolutions_angstrom,
        verdicts,
        replace(picks, by_micrograph=told),
    )


def usual_count(particles: int) -> int:
    """Return the number of classes for so many particles."""
    return max(1, min(MOST_CLASSES, round(math.sqrt(particles / PER_CLASS))))


def _cut(
    path: Path,
    picks: Picks,
    index: int,
    total: int,
    settings: ClassifySettings,
    basis: Basis,
    found: _Particles,
) -> Cut:
    micrograph = read_micrograph(path, settings.pixel_size_angstrom)
    check_pixels(micrograph)
    diameter_px = settings.diameter_angstrom / require_pixel_size(micrograph)
    good = picks.statuses == Status.OK
    boxes, inside = cut_particles(
        micrograph.pixels, picks.positions[good], BOX_DIAMETERS * diameter_px, BOX_PX
    )
    bright = normalise_particles(boxes, BOX_PX / BOX_DIAMETERS / 2)
    chosen = good.copy()
    chosen[good] = inside
    found.factors.append(basis.analyse(bright))
    found.scores.append(picks.scores[chosen])
    found.chosen[path], found.scales[path] = chosen, diameter_px * BOX_DIAMETERS / BOX_PX
    return Cut(index, total, path, len(boxes), int((~inside).sum()), micrograph.note)


def _classified(
    found: _Particles, basis: Basis, settings: ClassifySettings, stop: Event | None
) -> Iterator[Aligned | Averaged | Classified]:
    """Classify what is cut out."""
    factors, scores = torch.cat(found.factors), np.concatenate(found.scores)
    found.factors.clear()
    stack = Stack(factors, basis)
    count = min(len(stack), settings.classes or usual_count(len(stack)))
    last: Pass | None = None
    for event in classify(stack, basis, count, settings.seed, stop):
        if isinstance(event, Aligned):
            yield event
        else:
            last, counts = event, event.counts.cpu().numpy()
            yield Averaged(
                event.number, PASSES, basis.images(last.averages / stack.weights), counts
            )
    if last is not None and last.number == PASSES:
        diameter, seed = settings.diameter_angstrom, settings.seed
        classes, numbers = describe(last, scores, stack, basis, diameter, seed)
        yield Classified(classes, _members(found, numbers, last))


def _members(found: _Particles, numbers: NDArray[np.int_], last: Pass) -> dict[Path, Members]:
    """Return where the picks of each micrograph went."""
    poses = last.poses
    angles = (poses.steps + ANGLES * poses.flips).cpu().numpy() * (180 / ANGLES)
    values = (numbers, angles, poses.shifts.cpu().numpy(), last.correlations.cpu().numpy())
    counts = [int(chosen.sum()) for chosen in found.chosen.values()]
    parts = zip(*(np.split(each, np.cumsum(counts)[:-1]) for each in values), strict=True)
    members = {}
    for (path, chosen), (one, angle, shift, correlation) in zip(
        found.chosen.items(), parts, strict=True
    ):
        filled = (
            _filled(chosen, each) for each in (angle, shift * found.scales[path], correlation)
        )
        members[path] = Members(_filled(chosen, one, 0), *filled)
    return members


def _filled(chosen: NDArray[np.bool_], values: NDArray, missing: float = np.nan) -> NDArray[Any]:
    """Return the values of chosen picks among all picks."""
    whole = np.full(
        (len(chosen), *values.shape[1:]), missing, dtype=np.result_type(values, type(missing))
    )
    whole[chosen] = values
    return whole
