"""Micrographs prepared for training and validation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor

from ..errors import CryopickError
from ..imaging.margins import Margins
from ..imaging.prepare import Rescaling, prepare
from ..io import read_header, read_micrograph
from ..labels import LabelClass, Labels
from ..model.unet import PARTICLE_PX
from ..picks import Picks, Source, Status, join_picks
from ..settings import BORDER
from .holdout import NOTHING, Rows, hold_out, kept_border
from .patches import TrainingImage
from .settings import TrainSettings
from .targets import PseudoTarget, Target, labelled_target, unlabelled_target, without_margins

MOST_UNLABELLED = 16
"""Micrographs without labels in a supervised training: more show no further kind of background."""

MOST_MARKED = 32
"""Micrographs of which nothing but marked classes is known in a training, for time and memory."""


@dataclass(frozen=True, eq=False)
class Example:
    """One micrograph, ready.

    Attributes
    ----------
    path, shape, pixel_size_angstrom
        Its file, (h, w) there and its pixel size.
    image, rescaling
        (h, w) tensor that the network sees, and the way between both coordinates.
    picks, labels
        Human picks and painted classes; None where there are none.
    held_out
        Rows whose labels only validate.
    border
        Diameters from its edges within which picks are flagged.
    particle_px
        Particle diameter in the image; not the default one where the diameter is misjudged.
    margins
        What is no image, if anything.
    """

    path: Path
    shape: tuple[int, int]
    pixel_size_angstrom: float
    image: Tensor
    rescaling: Rescaling
    picks: Picks | None = None
    labels: Labels | None = None
    held_out: Rows = NOTHING
    border: float = BORDER
    particle_px: float = PARTICLE_PX
    margins: Margins | None = None

    @property
    def particles(self) -> Picks:
        """Human picks without the deleted ones."""
        picks = Picks.at([]) if self.picks is None else self.picks
        return picks[picks.statuses != Status.DELETED]

    @property
    def particles_by_hand(self) -> Picks:
        """Human picks without the deleted ones and without members of marked classes."""
        return self.particles[self.particles.sources != Source.CLASS]

    def of_classes(self, status: str) -> Picks:
        """Return the members of marked classes: particles (ok), or junk (deleted)."""
        picks = Picks.at([]) if self.picks is None else self.picks.with_status(status)
        return picks[picks.sources == Source.CLASS]

    @property
    def training_picks(self) -> Picks:
        """Human picks outside the held-out rows, deleted ones too."""
        picks = Picks.at([]) if self.picks is None else self.picks
        return picks[~self.is_held_out(picks.positions)]

    @property
    def map_shape(self) -> tuple[int, int]:
        """(h, w) of the image."""
        h, w = self.image.shape
        return h, w

    @property
    def diameter_px(self) -> float:
        """Particle diameter in micrograph pixels."""
        return self.particle_px / self.rescaling.factor

    def is_held_out(self, positions: NDArray) -> NDArray[np.bool_]:
        """Return which of (n, 2) positions lie in the held-out rows."""
        return (positions[:, 0] >= self.held_out[0]) & (positions[:, 0] < self.held_out[1])

    @property
    def held_out_rows(self) -> NDArray[np.bool_]:
        """(h,) rows of the image that are held out."""
        rows = np.arange(self.image.shape[0])
        centres = np.stack([rows, np.zeros(len(rows))], axis=1)
        return self.is_held_out(self.rescaling.to_micrograph(centres))

    @property
    def has_particles(self) -> bool:
        """Whether a person has picked or painted particles, not only marked classes or dirt."""
        painted = self.labels is not None and LabelClass.PARTICLE in self.labels.classes
        if self.picks is None or painted:
            return painted
        by_hand = bool((self.picks.sources != Source.CLASS).any())
        return by_hand or (self.labels is None and not len(self.picks))

    def target(self, picks: Picks, complete: bool, pseudo: PseudoTarget | None = None) -> Target:
        """Return the target that some of its picks and its painted labels make."""
        prior, size = pseudo.target if pseudo else None, self.particle_px
        labels, border, margins = self.labels, self.border, self.margins
        return labelled_target(
            self.map_shape, picks, self.rescaling, size, complete, labels, prior, border, margins
        )

    def training_image(self, complete: bool, pseudo: PseudoTarget | None = None) -> TrainingImage:
        """Return image, target and positions to draw patches around.

        Human labels hold where there are any, pseudo-labels elsewhere.
        """
        shape = self.map_shape
        pseudo_positions = pseudo.positions if pseudo else np.empty((0, 2))
        if self.picks is None:
            target = pseudo.target if pseudo else unlabelled_target(shape)
            target = without_margins(target, self.margins)
            positions = torch.from_numpy(pseudo_positions).float()
            return TrainingImage.of(self.image, target, positions, self.margins)
        picks = self.training_picks
        target = self.target(picks, complete and self.has_particles, pseudo)
        target.weights[:, torch.from_numpy(self.held_out_rows)] = 0.0
        placed = self.rescaling.to_network(_centres(picks, with_deleted=pseudo is not None))
        positions = torch.from_numpy(np.concatenate([placed, pseudo_positions])).float()
        return TrainingImage.of(self.image, target, positions, self.margins)


def load_examples(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    labels: Mapping[Path, Labels],
    settings: TrainSettings,
    most_unlabelled: int = MOST_UNLABELLED,
    left_out: list[str] | None = None,
) -> list[Example]:
    """Read the labelled micrographs, then so many of the others that can be used.

    A labelled one that cannot be used, or with picks outside it, raises a `CryopickError`. What is
    wrong with others is added to `left_out`.
    """
    rng = np.random.default_rng(settings.seed)
    tables = _told(micrographs, picks, labels, rng)
    held_out: dict[Path, Rows] = {}
    if settings.complete:
        tables = {path: _without_classes(table) for path, table in tables.items()}
        told = {
            path: table
            for path, table in tables.items()
            if not _is_of_classes(table) and (len(table) or path not in labels)
        }
        held_out = hold_out(told, {path: read_header(path).shape[0] for path in told}, rng)
    labelled = [
        _load(path, settings, table, labels.get(path), held_out.get(path, NOTHING))
        for path, table in tables.items()
    ]
    rest = [path for path in micrographs if path not in tables]
    unlabelled: list[Example] = []
    problems = [] if left_out is None else left_out
    for i in rng.permutation(len(rest)):
        if len(unlabelled) < most_unlabelled:
            try:
                unlabelled.append(_load(rest[i], settings))
            except CryopickError as error:
                problems.append(str(error))
    if not labelled + unlabelled and problems:
        raise CryopickError(problems[0])
    border = _border(labelled, settings)
    return [replace(example, border=border) for example in labelled + unlabelled]


def require_particles(examples: Sequence[Example], junk_is_enough: bool = False) -> None:
    """Refuse labels without a single particle; `CryopickError` says so.

    Junk classes alone are enough where the initial model says what the particles are.
    """
    junk = any(len(example.of_classes(Status.DELETED)) for example in examples)
    if not (junk and junk_is_enough) and not any(len(example.particles) for example in examples):
        raise CryopickError(
            "There are no picks to train on; pick at least one particle, better ten "
            "(painted labels help, but do not show centres)."
        )


def has_both_kinds(examples: Sequence[Example]) -> bool:
    """Whether classes are marked as particle and others as junk."""
    return all(
        any(len(example.of_classes(status)) for example in examples)
        for status in (Status.OK, Status.DELETED)
    )


def fingerprint(examples: Sequence[Example]) -> str:
    """Return a hash of the labels of some micrographs."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(example.path.name.encode())
        if example.picks is not None:
            digest.update(np.ascontiguousarray(example.picks.positions).tobytes())
            digest.update(",".join(example.picks.statuses).encode())
        if example.labels is not None:
            digest.update(np.ascontiguousarray(example.labels.classes).tobytes())
    return digest.hexdigest()


def _border(labelled: Sequence[Example], settings: TrainSettings) -> float:
    """Return the border that was asked for, or the one that complete labels keep."""
    if settings.border is not None or not settings.complete:
        return BORDER if settings.border is None else settings.border
    return kept_border(
        {e.path: e.particles_by_hand for e in labelled},
        {e.path: e.shape for e in labelled},
        {e.path: e.diameter_px for e in labelled},
    )


def _load(
    path: Path,
    settings: TrainSettings,
    picks: Picks | None = None,
    labels: Labels | None = None,
    held_out: Rows = NOTHING,
) -> Example:
    micrograph = read_micrograph(path, settings.pixel_size_angstrom)
    image, rescaling, margins = prepare(micrograph, settings.diameter_angstrom, PARTICLE_PX)
    if picks is not None:
        _check_inside(path, picks, micrograph.shape)
    size = micrograph.pixel_size_angstrom
    assert size is not None
    if picks is not None:
        picks = undisputed(picks, labels, settings.diameter_angstrom / size)
    return Example(
        path,
        micrograph.shape,
        size,
        image,
        rescaling,
        picks,
        labels,
        held_out,
        margins=margins,
    )


def _check_inside(path: Path, picks: Picks, shape: tuple[int, int]) -> None:
    positions = picks.positions
    outside = ((positions < -0.5) | (positions > np.asarray(shape) - 0.5)).any(axis=1)
    if outside.any():
        y, x = positions[outside][0]
        raise CryopickError(
            f"{outside.sum()} of {len(picks)} picks lie outside {path} ({shape[1]} x {shape[0]} "
            f"pixels), the first at x = {x:g}, y = {y:g}; check that they belong to it and are in "
            "its pixels."
        )


def undisputed(picks: Picks, labels: Labels | None, diameter_px: float) -> Picks:
    """Leave out members of marked classes where a person has clicked, deleted or painted."""
    of_class = picks.sources == Source.CLASS
    by_hand, members = picks[~of_class], picks[of_class]
    free = np.ones(len(members), bool)
    if len(by_hand):
        free &= cKDTree(by_hand.positions).query(members.positions)[0] > diameter_px / 2
    if labels is not None:
        free &= labels.at(members.positions) == LabelClass.UNKNOWN
    return join_picks([by_hand, members[free]])


def _told(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    labels: Mapping[Path, Labels],
    rng: np.random.Generator,
) -> dict[Path, Picks]:
    """Return the picks of micrographs with labels; of those with classes alone some at random."""
    tables = {path: picks.get(path, Picks.at([])) for path in micrographs}
    told = [path for path in micrographs if path in picks or path in labels]
    marked = [path for path in told if path not in labels and _is_of_classes(tables[path])]
    if len(marked) > MOST_MARKED:
        left = rng.permutation(len(marked))[MOST_MARKED:]
        told = [path for path in told if path not in {marked[i] for i in left}]
    return {path: tables[path] for path in told}


def _is_of_classes(table: Picks) -> bool:
    """Whether all that is known of a micrograph are members of marked classes."""
    return len(table) > 0 and bool((table.sources == Source.CLASS).all())


def _without_classes(table: Picks) -> Picks:
    """Leave out members of marked classes beside picks that are complete."""
    return table if _is_of_classes(table) else table[table.sources != Source.CLASS]


def _centres(picks: Picks, with_deleted: bool) -> NDArray[np.float64]:
    """Return (n, 2) particles, and at most as many deleted picks, which are hard negatives."""
    deleted = picks.statuses == Status.DELETED
    particles = picks.positions[~deleted]
    negatives = picks.positions[deleted][: len(particles) * with_deleted]
    return np.concatenate([particles, negatives])
