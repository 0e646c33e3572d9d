"""Micrographs made ready to train on and to judge by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import CryopickError
from ..imaging.prepare import Rescaling, prepare
from ..io import read_header, read_micrograph
from ..labels import LabelClass, Labels
from ..model.unet import PARTICLE_PX
from ..picks import Picks, Status
from ..settings import BORDER
from .holdout import HeldOut, check_any, check_inside, hold_out, kept_border, nothing_held_out
from .sampling import Field
from .settings import TrainSettings
from .targets import Guess, labelled_target, unlabelled_target

MOST_UNLABELLED = 16
"""More micrographs without labels teach nothing more about the background."""


@dataclass(frozen=True, eq=False)
class Example:
    """One micrograph, ready.

    Attributes
    ----------
    path, shape, pixel_size_angstrom
        Its file, (h, w) there and its pixel size.
    image, rescaling
        What the network sees of it, and the way there.
    picks, labels, held_out
        What a person has said of it, and what of that only judges; None where nothing was said.
    border
        Diameters from its edges within which picks are flagged.
    particle_px
        Particle diameter in the image; other than usual where somebody has misjudged it.
    """

    path: Path
    shape: tuple[int, int]
    pixel_size_angstrom: float
    image: Tensor
    rescaling: Rescaling
    picks: Picks | None = None
    labels: Labels | None = None
    held_out: HeldOut | None = None
    border: float = BORDER
    particle_px: float = PARTICLE_PX

    @property
    def picked(self) -> bool:
        """Whether its particles have been picked: paint alone tells no centres."""
        return self.picks is not None and (self.labels is None or len(self.picks) > 0)

    @property
    def training_picks(self) -> Picks:
        """Its particles that teach."""
        assert self.picks is not None
        assert self.held_out is not None
        return self.picks[~self.held_out.picks]

    @property
    def map_shape(self) -> tuple[int, int]:
        """(h, w) of the image the network sees."""
        h, w = self.image.shape
        return h, w

    def all_teaching(self) -> Example:
        """The same with nothing held out."""
        return self if self.picks is None else replace(self, held_out=nothing_held_out(self.picks))

    @property
    def held_out_positions(self) -> NDArray[np.float64]:
        """(n, 2) particles that only judge."""
        assert self.picks is not None
        assert self.held_out is not None
        return self.picks.positions[self.held_out.picks]

    @property
    def held_out_rows(self) -> NDArray[np.bool_]:
        """(h,) rows of the image in which everything only judges."""
        assert self.held_out is not None
        rows = np.arange(self.image.shape[0])
        centres = self.rescaling.to_micrograph(np.stack([rows, np.zeros(len(rows))], axis=1))
        return self.held_out.within(centres)

    @property
    def diameter_px(self) -> float:
        """The particle's, in micrograph pixels."""
        return self.particle_px / self.rescaling.factor

    def field(self, complete: bool, guess: Guess | None = None) -> Field:
        """Image, target and picks for sampling.

        What a person has said stands; a guess of a model holds elsewhere.
        """
        shape = self.map_shape
        guessed = guess.positions if guess else np.empty((0, 2))
        if self.picks is None or self.held_out is None:
            target = guess.target if guess else unlabelled_target(shape)
            return Field.of(self.image, target, torch.from_numpy(guessed).float())
        target = labelled_target(
            shape,
            self.training_picks,
            self.rescaling,
            self.particle_px,
            complete and self._particles_told,
            self.labels,
            self.held_out_positions,
            guess.target if guess else None,
            self.border,
        )
        target.weights[:, torch.from_numpy(self.held_out_rows)] = 0.0
        picks = self.training_picks
        worth_seeing = _hard(picks) if guess else picks.positions[picks.statuses != Status.DELETED]
        placed = self.rescaling.to_network(worth_seeing)
        positions = torch.from_numpy(np.concatenate([placed, guessed])).float()
        return Field.of(self.image, target, positions)

    @property
    def _particles_told(self) -> bool:
        """Whether particles have been picked or painted; who paints dirt alone tells of none."""
        painted = self.labels is not None and LabelClass.PARTICLE in self.labels.classes
        return self.picked or painted


def labelled_px(examples: Sequence[Example]) -> int:
    """Pixels that a network sees of the labelled micrographs."""
    return sum(e.image.numel() for e in examples if e.picks is not None)


def fingerprint(examples: Sequence[Example]) -> str:
    """The same for the same labels on the same micrographs, and hardly ever for others."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(example.path.name.encode())
        if example.picks is not None:
            digest.update(np.ascontiguousarray(example.picks.positions).tobytes())
            digest.update(",".join(example.picks.statuses).encode())
        if example.labels is not None:
            digest.update(np.ascontiguousarray(example.labels.classes).tobytes())
    return digest.hexdigest()


def load_examples(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    labels: Mapping[Path, Labels],
    settings: TrainSettings,
    most_unlabelled: int = MOST_UNLABELLED,
    needed: bool = True,
) -> list[Example]:
    """Read what is labelled, and some of what is not, choosing what to hold out.

    Parameters
    ----------
    needed
        Whether nothing can be learnt without a pick.

    Raises
    ------
    CryopickError
        If nothing is labelled, a labelled micrograph cannot be used, or picks lie outside it.
    """
    tables = {
        path: picks.get(path, Picks.at([]))
        for path in micrographs
        if path in picks or path in labels
    }
    if needed:
        check_any(tables)
    rng = np.random.default_rng(settings.seed)
    judging = {path: table for path, table in tables.items() if len(table) or path not in labels}
    heights = {path: read_header(path).shape[0] for path in judging}
    held_out = hold_out(judging, heights, settings.complete, rng)
    labelled = [
        _load(path, settings, table, labels.get(path), held_out.get(path, nothing_held_out(table)))
        for path, table in tables.items()
    ]
    rest = [path for path in micrographs if path not in tables]
    drawn = [rest[i] for i in rng.permutation(len(rest))]
    border = _border(labelled, settings)
    examples = labelled + _load_some(drawn, settings, most_unlabelled)
    return [replace(example, border=border) for example in examples]


def _border(labelled: Sequence[Example], settings: TrainSettings) -> float:
    """What was asked for, or what complete labels show."""
    if settings.border is not None or not settings.complete:
        return BORDER if settings.border is None else settings.border
    return kept_border(
        {e.path: e.picks for e in labelled if e.picks is not None},
        {e.path: e.shape for e in labelled},
        {e.path: e.diameter_px for e in labelled},
    )


def _load(
    path: Path,
    settings: TrainSettings,
    picks: Picks | None = None,
    labels: Labels | None = None,
    held_out: HeldOut | None = None,
) -> Example:
    micrograph = read_micrograph(path, settings.pixel_size_angstrom)
    image, rescaling = prepare(micrograph, settings.diameter_angstrom, PARTICLE_PX)
    if picks is not None:
        check_inside(path, picks, micrograph.shape)
    size = micrograph.pixel_size_angstrom
    assert size is not None
    return Example(path, micrograph.shape, size, image, rescaling, picks, labels, held_out)


def _load_some(paths: Sequence[Path], settings: TrainSettings, most: int) -> list[Example]:
    """The first few that can be used; of the others nobody has said that they matter."""
    examples: list[Example] = []
    for path in paths:
        if len(examples) == most:
            break
        try:
            examples.append(_load(path, settings))
        except CryopickError:
            continue
    return examples


def _hard(picks: Picks) -> NDArray[np.float64]:
    """(n, 2) positions of particles, and of no more deleted picks, on which a model had erred."""
    deleted = picks.statuses == Status.DELETED
    particles = picks.positions[~deleted]
    return np.concatenate([particles, picks.positions[deleted][: len(particles)]])
