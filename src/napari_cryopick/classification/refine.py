"""Scores that count what classes say of picks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from ..picks import Picks
from .events import Classes, Classified
from .evidence import as_probabilities, evidence
from .quality import has_shape


def refine(picks: Mapping[Path, Picks], classified: Classified) -> dict[Path, Picks] | None:
    """Return picks with scores that count what their classes say, best first.

    How many particles the scores add up to is in doubt where classes show no shape: the share of
    members in classes that do counts for the scores as they are, the rest for
    `as_probabilities`. None if no class shows a shape.
    """
    members = {path: found for path, found in classified.members.items() if len(picks[path])}
    trusted = _share_with_shape(classified.classes)
    if not members or not trusted:
        return None
    scores = np.concatenate([picks[path].scores for path in members])
    classes = np.concatenate([found.classes for found in members.values()])
    correlations = np.concatenate([found.correlations for found in members.values()])
    logits = evidence(scores, classes, correlations)
    likely = as_probabilities(logits)
    expected = np.nansum(trusted * scores + (1 - trusted) * likely)
    refined = expit(logits + _shift(logits[np.isfinite(logits)], expected))
    starts = np.cumsum([len(picks[path]) for path in members])[:-1]
    new = dict(zip(members, np.split(refined, starts), strict=True))
    tables = {path: replace(picks[path], scores=each) for path, each in new.items()}
    return dict(picks) | {path: table[np.argsort(-table.scores)] for path, table in tables.items()}


def _shift(logits: NDArray[np.float64], expected: float) -> float:
    """Return what is to be added to (n,) logits for their probabilities to add up as expected."""
    if not len(logits):
        return 0.0
    within = np.clip(expected, 1e-6, len(logits) - 1e-6)
    return float(brentq(lambda shift: expit(logits + shift).sum() - within, -60, 60))


def _share_with_shape(classes: Classes) -> float:
    return float(classes.members[has_shape(classes)].sum() / classes.members.sum())
