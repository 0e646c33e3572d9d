"""Which micrographs teach, which have no labels and which test."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import CryopickError
from .settings import AblationSettings


@dataclass(frozen=True)
class Split:
    """Micrographs of one seed; no training sees those of the test."""

    labelled: list[Path]
    unlabelled: list[Path]
    test: list[Path]


def split(
    micrographs: Sequence[Path],
    annotated: Collection[Path],
    settings: AblationSettings,
    seed: int,
) -> Split:
    """Deal the annotated micrographs out at random; those without picks are unlabelled.

    Raises
    ------
    CryopickError
        If there are too few.
    """
    known = [path for path in micrographs if path in annotated]
    others = [path for path in micrographs if path not in annotated]
    fewest = 2 if others or not settings.rounds else 3
    if len(known) < fewest:
        raise CryopickError(
            f"{len(known)} annotated micrographs are too few to train and test on; "
            f"annotate {fewest} at least."
        )
    order = np.random.default_rng(settings.seed + seed).permutation(len(known))
    tested = _part(settings.test_share, len(known), leave=fewest - 1)
    training = len(known) - tested
    share = settings.labelled_share or (1.0 if others or not settings.rounds else 0.5)
    taught = _part(share, training, leave=0 if others or not settings.rounds else 1)
    chosen = [known[i] for i in order]
    unlabelled = others + sorted(chosen[tested + taught :])
    return Split(sorted(chosen[tested : tested + taught]), unlabelled, sorted(chosen[:tested]))


def _part(share: float, count: int, leave: int) -> int:
    """So many of them, one at least, and some left."""
    return min(max(round(share * count), 1), count - leave)
