"""Classify particles: align them with references, average them, and again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Event

import torch
from torch import Tensor

from .alignment import Aligner, Poses
from .coefficients import ANGLES, BOX_PX, TINY, Basis, batches, shifted, turned_half
from .events import Aligned

PASSES, FULL_PASSES = 14, 2
"""Passes over the particles, and how many of them, the last ones, are over all of them."""

PER_CLASS = 200
"""Particles per class that the other passes take, drawn anew each time: time and memory of many
particles grow with the last passes alone. Averages of so many show what classes differ in."""

HOTTEST, ANNEALED = 4.0, 9
"""Temperature of the first pass, in units of the logarithm of the likelihood, and the pass from
which on each particle goes to its most likely class. Without, the first few classes to show
something swallow the rest. With 2 to 16 results differ little."""

SMALLEST, RESEEDED = 0.1, 11
"""Share of an equal share of particles below which a class gets half of the largest one, and the
pass from which on it does not."""

FIRST = 30
"""Particles in an average that a class begins with: enough to be no single outlier."""

BATCH, CHUNK = 256, 4096
"""Particles aligned, and averaged, at once."""

CENTRED_PX, OUTLINE = 2.0, 0.3
"""Farthest that a reference is moved to its centre of mass in one pass, and the share of its
largest value above which pixels have mass."""


class Stack:
    """Particles as (n, 2F) factors in half precision, whitened when they are needed.

    Whitened means that over all particles every ring of equal resolution has variance 1, or less
    where it holds next to nothing, as filtered micrographs do in fine rings.
    """

    def __init__(self, factors: Tensor, basis: Basis) -> None:
        self._factors = factors
        self._device = basis.device
        some = factors[:: max(1, len(factors) // CHUNK)].to(self._device).float()
        power = basis.ring_means(some.square().mean(dim=0, keepdim=True))[0]
        smallest = torch.finfo(torch.float16).eps * power.max() + TINY
        self.weights = power.clamp_min(smallest).rsqrt()[basis.rings]

    def __len__(self) -> int:
        return len(self._factors)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the whitened factors of some particles."""
        return self._factors[rows].to(self._device).float() * self.weights


@dataclass(frozen=True, eq=False)
class Pass:
    """State after a pass over some of the particles.

    Attributes
    ----------
    number
        From 1.
    poses
        Of the m particles that it took, with respect to the references that it began with; of all
        of them in the last passes.
    correlations
        (m,) correlations with these references.
    averages
        (K, 2F) whitened averages.
    counts
        (K,) members of each class.
    """

    number: int
    poses: Poses
    correlations: Tensor
    averages: Tensor
    counts: Tensor


def classify(
    stack: Stack, basis: Basis, classes: int, seed: int = 0, stop: Event | None = None
) -> Iterator[Aligned | Pass]:
    """Group particles into classes by alignment and averaging in turn.

    Multireference alignment (van Heel and Stöffler-Meilicke 1985, EMBO J. 4:2389) with the
    likelihood of Scheres et al. (2005), J. Mol. Biol. 348:139. At first the class of a particle
    is drawn at random by its likelihood at a falling temperature.

    Parameters
    ----------
    stack, basis
        The particles, and the waves that their factors belong to.
    classes
        Number of classes; one may end up empty.
    seed
        Of all that is random: the same gives the same classes on the same processor.
    stop
        Once set, the generator ends early.

    Yields
    ------
    Aligned
        Between passes and within.
    Pass
        After each pass; the last holds all particles.
    """
    random = torch.Generator().manual_seed(seed)
    sizes = [min(len(stack), PER_CLASS * classes)] * (PASSES - FULL_PASSES)
    sizes += [len(stack)] * FULL_PASSES
    now = first_references(stack, classes, random)
    for index, size in enumerate(sizes):
        rows = torch.randperm(len(stack), generator=random)[:size].sort().values
        aligner = Aligner(basis, now)
        temperature = HOTTEST * max(0.0, 1 - index / ANNEALED)
        found: list[tuple[Poses, Tensor]] = []
        for some in batches(size, BATCH):
            done = sum(sizes[:index]) + some.start
            if stop is not None and stop.is_set():
                return
            particles = stack[rows[some]]
            poses = aligner.align(particles, temperature, random)
            found.append((poses, aligner.correlations(particles, poses)))
            yield Aligned(done + len(particles), sum(sizes))
        poses = Poses.joined([poses for poses, _ in found])
        if index < RESEEDED:
            poses = _reseeded(poses, classes)
        averages, counts = average(stack, basis, rows, poses, classes)
        correlations = torch.cat([each for _, each in found])
        yield Pass(index + 1, poses, correlations, averages, counts)
        now = references(averages, counts, stack, basis)


def average(
    stack: Stack | Tensor, basis: Basis, rows: Tensor, poses: Poses, classes: int
) -> tuple[Tensor, Tensor]:
    """Return (K, 2F) averages of particles in the frame of their references, and (K,) numbers.

    Particles of one angle are summed before they are turned back.
    """
    sums = torch.zeros(classes * ANGLES, 2 * len(basis.frequencies), device=basis.device)
    bins = poses.classes * ANGLES + poses.steps
    for some in batches(len(rows), CHUNK):
        centred = shifted(stack[rows[some]], basis.phases(-poses.shifts[some]))
        sums.index_add_(0, bins[some], turned_half(centred, poses.flips[some]))
    turned = torch.einsum("kag,agf->kf", sums.view(classes, ANGLES, -1), basis.rotations)
    counts = torch.bincount(poses.classes, minlength=classes)
    return turned / counts.clamp_min(1)[:, None], counts


def first_references(stack: Stack, classes: int, random: torch.Generator) -> Tensor:
    """Return averages of a few particles each, as they lie."""
    few = max(1, min(len(stack) // classes, FIRST))
    rows = torch.randperm(len(stack), generator=random).repeat(-(-classes // len(stack)))
    parts = itertools.islice(batches(len(rows), few), classes)
    return torch.stack([stack[rows[some]].mean(dim=0) for some in parts])


def _reseeded(poses: Poses, classes: int) -> Poses:
    """Give classes that have hardly a member the half of the largest that resembles it least."""
    numbers = poses.classes.clone()
    fewest = SMALLEST * len(numbers) / classes
    for small in range(classes):
        counts = torch.bincount(numbers, minlength=classes)
        largest = counts.argmax()
        if counts[small] < fewest and counts[largest] > 1:
            members = torch.nonzero(numbers == largest)[:, 0]
            least = poses.products[members].argsort()[: len(members) // 2]
            numbers[members[least]] = small
    return replace(poses, classes=numbers)


def references(averages: Tensor, counts: Tensor, stack: Stack, basis: Basis) -> Tensor:
    """Return averages less what is likely noise in each ring, moved to their centres of mass.

    The noise in an average of n whitened particles has variance 1 / n inside the mask.
    """
    noise = basis.mask().square().mean() / counts.clamp_min(1)
    power = basis.ring_means(averages.square()).clamp_min(TINY)
    signal = (1 - noise[:, None] / power).clamp_min(0)
    references = averages * signal[:, basis.rings]
    centres = _centres_of_mass(basis.pixels(references / stack.weights))
    return shifted(references, basis.phases(-centres.clamp(-CENTRED_PX, CENTRED_PX)))


def _centres_of_mass(images: Tensor) -> Tensor:
    """Return (n, 2) centres of what is bright in (n, BOX_PX, BOX_PX) images, from the middle."""
    mass = (images - OUTLINE * images.amax(dim=(1, 2), keepdim=True)).clamp_min(0)
    axis = torch.arange(BOX_PX, device=images.device) - BOX_PX // 2
    along = torch.stack([(mass.sum(dim=2) * axis).sum(1), (mass.sum(dim=1) * axis).sum(1)], dim=1)
    return along / mass.sum(dim=(1, 2)).clamp_min(TINY)[:, None]
