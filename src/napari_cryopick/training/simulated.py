"""What stands in for a person's labels where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .examples import Example
from .sampling import Field


@dataclass(frozen=True, eq=False)
class Simulated:
    """Simulated micrographs of the particle.

    Attributes
    ----------
    fields
        To learn from.
    tests
        To calibrate scores by: everything on them is held out.
    """

    fields: Sequence[Field]
    tests: Sequence[Example]

    def halves(self) -> list[Simulated]:
        """What two jurors learn from, each from other micrographs."""
        return [replace(self, fields=self.fields[side::2]) for side in range(2)]
