"""A small project on disk, as the commands see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from napari_cryopick.cli.main import main
from napari_cryopick.simulation.example import simulate_example


@dataclass(frozen=True)
class Project:
    """Simulated micrographs, all their particles, and a model that has taken a few steps."""

    folder: Path

    @property
    def micrographs(self) -> Path:
        return self.folder / "micrographs"

    @property
    def particles(self) -> Path:
        return self.folder / "particles.star"

    @property
    def run(self) -> Path:
        return self.folder / "run"

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
def project(tmp_path_factory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"))
    how = {"shape": (256, 320), "pixel_size_angstrom": 4, "ice_balls": 0}
    simulate_example(made.folder, count=3, particles=12, **how)
    assert main(made.training(made.run)) == 0
    return made
