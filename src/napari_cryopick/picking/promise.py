"""What calibrated scores promise of the picks that a threshold keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Promise:
    """Precision and recall to expect; NaN where nothing is kept or there is nothing to find."""

    precision: float
    recall: float

    @classmethod
    def of(cls, kept: ArrayLike, particles: float) -> Promise:
        """Of (n,) scores that are kept, where all scores add up to so many particles."""
        scores = np.asarray(kept, dtype=float)
        hits = float(scores.sum())
        return cls(
            hits / len(scores) if len(scores) else np.nan,
            min(1.0, hits / particles) if particles > 0 else np.nan,
        )

    def __str__(self) -> str:
        if np.isnan(self.precision) or np.isnan(self.recall):
            return "nothing to expect"
        return f"expect precision {self.precision:.2f}, recall {self.recall:.2f}"
