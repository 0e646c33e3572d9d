"""A small project on disk, as the commands see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from napari_cryopick.cli.main import main


@dataclass(frozen=True)
class Project:
    """Simulated micrographs, all their particles, and a model that has taken a few steps."""

    folder: Path
    run: Path

    @property
    def micrographs(self) -> Path:
        return self.folder / "micrographs"

    @property
    def particles(self) -> Path:
        return self.folder / "particles.star"

    def training(self, run: Path, *options: str, steps: int = 6) -> list[str]:
        """What to type for a training of a few seconds."""
        words = ["train", self.micrographs, "--picks", self.particles, "--diameter", 160]
        words += ["--output", run, "--steps", steps, "--batch-size", 2, "--patch", 64]
        return [*map(str, words), *options]

    def prediction(self, output: Path, *options: str) -> list[str]:
        """What to type to pick with the model."""
        words = ["predict", self.micrographs, "--diameter", 160]
        words += ["--model", self.run, "--output", output]
        return [*map(str, words), *options]


@pytest.fixture(scope="session")
def project(simulated, tmp_path_factory) -> Project:
    made = Project(simulated, tmp_path_factory.mktemp("trained") / "run")
    assert main(made.training(made.run)) == 0
    return made
