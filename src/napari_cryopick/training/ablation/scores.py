"""The figures of one model on the test micrographs."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Scores:
    """Figures of one model on the test micrographs; pixels are those of a particle's disc.

    Attributes
    ----------
    pixel_f1, pixel_iou, pixel_roc_auc
        All pixels pooled; the area under the curve is that of the probabilities themselves.
    particle_f1
        Mean over micrographs.
    average_precision
        At particle level, pooled.
    pixel_threshold, particle_threshold
        Where the map and the picks were cut.
    """

    pixel_f1: float
    pixel_iou: float
    pixel_roc_auc: float
    particle_f1: float
    average_precision: float
    pixel_threshold: float
    particle_threshold: float


FIGURES = tuple(field.name for field in fields(Scores))[:5]
"""The names of what a table shows."""
