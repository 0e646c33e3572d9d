"""Simulated micrographs of one structure, to train on instead of picks."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import chain
from pathlib import Path
from threading import Event
from time import perf_counter

from ..errors import CryopickError
from ..simulation.structures import read_structure
from ..training.events import Simulating
from ..training.examples import Example
from ..training.loop import SimulatedData
from ..training.settings import TrainSettings
from .examples import judging, make_lessons, taught
from .settings import Conditions

TEST_SHARE = 5
"""Every so many-th micrograph is used to calibrate scores."""


def diameter_of(structure: Path) -> float:
    """Return the diameter of an atomic model or a density map, in whole Å."""
    return float(round(read_structure(structure).diameter_angstrom))


def simulate_structure(
    settings: TrainSettings, stop: Event
) -> Generator[Simulating, None, SimulatedData]:
    """Simulate micrographs of the structure that the settings name.

    The last fifth, no harder than micrographs that people pick, calibrates the scores.

    Raises
    ------
    CryopickError
        If the structure cannot be read, or the simulation is stopped.
    """
    assert settings.structure is not None
    body, begun = read_structure(settings.structure), perf_counter()
    total = settings.simulated_micrographs
    training = total - total // TEST_SHARE
    conditions = Conditions(
        voltage_kilovolt=settings.voltage_kilovolt, defocus_angstrom=settings.defocus_angstrom
    )

    def examples_of(count: int, easy: bool) -> Iterator[Example]:
        seed = settings.seed + easy
        return make_lessons([body], count, seed, conditions, synthetic=False, usual=easy)

    examples: list[Example] = []
    for example in chain(examples_of(training, False), examples_of(total - training, True)):
        examples.append(example)
        left = (perf_counter() - begun) / len(examples) * (total - len(examples))
        yield Simulating(len(examples), total, left)
        if stop.is_set():
            raise CryopickError("Stopped while simulating, before there was a model to keep.")
    images = [taught(example) for example in examples[:training]]
    return SimulatedData(images, [judging(example) for example in examples[training:]])
