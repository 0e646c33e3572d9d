"""Micrographs made ready to train on and to judge by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import CryopickError
from ..imaging.prepare import prepare
from ..imaging.rescale import Rescaling
from ..io import read_header, read_micrograph
from ..labels import Labels
from ..network.architectures import PARTICLE_PX
from ..picks import Picks, Status
from .holdout import HeldOut, hold_out
from .sampling import Field
from .settings import TrainSettings
from .targets import labelled_target, unlabelled_target

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
    """

    path: Path
    shape: tuple[int, int]
    pixel_size_angstrom: float
    image: Tensor
    rescaling: Rescaling
    picks: Picks | None = None
    labels: Labels | None = None
    held_out: HeldOut | None = None

    @property
    def training_picks(self) -> Picks:
        """Its particles that teach."""
        assert self.picks is not None
        assert self.held_out is not None
        return self.picks[~self.held_out.picks]

    def field(self, complete: bool) -> Field:
        """Image, target and picks for sampling."""
        h, w = self.image.shape
        if self.picks is None or self.held_out is None:
            return Field.of(self.image, unlabelled_target((h, w)), torch.empty(0, 2))
        positives = self.training_picks.positions[self.training_picks.statuses != Status.DELETED]
        target = labelled_target(
            (h, w),
            self.training_picks,
            self.rescaling,
            PARTICLE_PX,
            complete,
            self.labels,
            self.picks.positions[self.held_out.picks],
        )
        centres = self.rescaling.to_micrograph(np.stack([np.arange(h), np.zeros(h)], axis=1))
        target.weights[:, torch.from_numpy(self.held_out.within(centres))] = 0.0
        positions = torch.from_numpy(self.rescaling.to_network(positives)).float()
        return Field.of(self.image, target, positions)


def load_examples(
    micrographs: Sequence[Path],
    picks: Mapping[Path, Picks],
    labels: Mapping[Path, Labels],
    settings: TrainSettings,
) -> list[Example]:
    """Read what is labelled, and some of what is not, choosing what to hold out.

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
    _check(tables)
    rng = np.random.default_rng(settings.seed)
    heights = {path: read_header(path).shape[0] for path in tables}
    held_out = hold_out(tables, heights, settings.complete, rng)
    labelled = [
        _load(path, settings, table, labels.get(path), held_out[path])
        for path, table in tables.items()
    ]
    rest = [path for path in micrographs if path not in tables]
    return labelled + _load_some([rest[i] for i in rng.permutation(len(rest))], settings)


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
        _check_inside(path, picks, micrograph.shape)
    size = micrograph.pixel_size_angstrom
    assert size is not None
    return Example(path, micrograph.shape, size, image, rescaling, picks, labels, held_out)


def _load_some(paths: Sequence[Path], settings: TrainSettings) -> list[Example]:
    """The first few that can be used; of the others nobody has said that they matter."""
    examples: list[Example] = []
    for path in paths:
        if len(examples) == MOST_UNLABELLED:
            break
        try:
            examples.append(_load(path, settings))
        except CryopickError:
            continue
    return examples


def _check(picks: Mapping[Path, Picks]) -> None:
    if not any((table.statuses != Status.DELETED).any() for table in picks.values()):
        raise CryopickError(
            "There are no picks to learn from; pick at least one particle, better ten "
            "(painted labels help, but tell no centres)."
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
