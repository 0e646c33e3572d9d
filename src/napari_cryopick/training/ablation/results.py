"""What an ablation has found, on disk, so that it goes on where it stopped.

OUTPUT/ablation.json                 what is compared
OUTPUT/results/seed_0/baseline.json  figures of one row and seed
OUTPUT/runs/seed_0/bce/              a finished training; one under way ends in .part
OUTPUT/ablation.md .csv .tex         the tables
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import nan
from pathlib import Path
from shutil import rmtree
from typing import Any

from ...errors import CryopickError
from ...io import atomic_path
from ...io.files import without_nan
from ...picks import Picks
from .plan import Row
from .scores import Scores
from .settings import AblationSettings

_MAY_CHANGE = ("device", "seeds")


@dataclass(frozen=True)
class Results:
    """An ablation's folder."""

    path: Path

    @classmethod
    def open(
        cls,
        path: Path,
        settings: AblationSettings,
        micrographs: Sequence[Path],
        picks: Mapping[Path, Picks],
    ) -> Results:
        """Begin an ablation, or go on with the same.

        Raises
        ------
        CryopickError
            If another one is there.
        """
        wanted = _identity(settings, micrographs, picks)
        file = path / "ablation.json"
        if file.exists():
            _compare(path, json.loads(file.read_text(encoding="utf-8")), wanted)
        _write(file, wanted)
        return cls(path)

    def training(self, seed: int, name: str) -> Path:
        """The folder of a finished training."""
        return self.path / "runs" / f"seed_{seed}" / name

    def under_way(self, seed: int, name: str, keep: bool) -> Path:
        """The folder of a training to begin, or to go on with."""
        folder = self.training(seed, f"{name}.part")
        if folder.exists() and not keep:
            rmtree(folder)
        return folder

    def finish(self, seed: int, name: str, folder: Path) -> None:
        """Say that a training is done."""
        folder.replace(self.training(seed, name))

    def has(self, row: Row, seed: int) -> bool:
        return self._file(row, seed).exists()

    def save(self, row: Row, seed: int, scores: Scores | None) -> None:
        """Keep figures; None says that the training has made no such model."""
        figures = without_nan(asdict(scores)) if scores else None
        _write(self._file(row, seed), {"row": row.name, "seed": seed, "scores": figures})

    def load(self, row: Row, seed: int) -> Scores | None:
        """Figures of a row and a seed, if there are any."""
        if not self.has(row, seed):
            return None
        figures = json.loads(self._file(row, seed).read_text(encoding="utf-8"))["scores"]
        if figures is None:
            return None
        return Scores(**{name: nan if value is None else value for name, value in figures.items()})

    def _file(self, row: Row, seed: int) -> Path:
        return self.path / "results" / f"seed_{seed}" / f"{row.key}.json"


def _identity(
    settings: AblationSettings, micrographs: Sequence[Path], picks: Mapping[Path, Picks]
) -> dict[str, Any]:
    """What makes an ablation the same."""
    digest = hashlib.sha256()
    for path in micrographs:
        digest.update(str(path.absolute()).encode())
        if path in picks:
            digest.update(picks[path].positions.tobytes() + picks[path].statuses.tobytes())
    return settings.model_dump(mode="json") | {"data": digest.hexdigest()}


def _compare(path: Path, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    different = [
        name
        for name, value in wanted.items()
        if name not in _MAY_CHANGE and before.get(name) != value
    ]
    if different:
        what = " and ".join(name.replace("_", " ") for name in different)
        raise CryopickError(
            f"{path} holds an ablation with another {what}; go on with the same, "
            "or choose another output folder."
        )


def _write(path: Path, value: object) -> None:
    with atomic_path(path) as part:
        part.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
