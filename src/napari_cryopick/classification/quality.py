"""How good a class is: the share of true particles to expect in it, and a plain word."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from .events import Classes

JUNK, PARTICLE = 0.2, 0.45
"""Shares of true particles below which a class is junk, and above which it is worth keeping."""

SHAPELESS = 1 / 3
"""Resolution in diameters down to which halves of any class agree: finer is what tells a particle
from a blob."""


class Verdict(StrEnum):
    """What a class seems to hold."""

    PARTICLE = "particle"
    UNSURE = "unsure"
    JUNK = "junk"


def quality(classes: Classes) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Return the (K,) expected shares of true particles, NaN where not known, and verdicts.

    A class whose half averages agree on no shape, or that has no scores, is unsure.
    """
    shares, shown = classes.expected_shares, has_shape(classes)
    verdicts = np.full(len(classes), Verdict.UNSURE, dtype="U8")
    verdicts[shown & (shares >= PARTICLE)] = Verdict.PARTICLE
    verdicts[shown & (shares < JUNK)] = Verdict.JUNK
    return shares, verdicts


def has_shape(classes: Classes) -> NDArray[np.bool_]:
    """Return the (K,) classes whose half averages agree on more than a blob."""
    return np.asarray(classes.resolutions_angstrom < SHAPELESS * classes.diameter_angstrom)
