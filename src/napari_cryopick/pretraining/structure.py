"""Simulated micrographs of one structure, to train on instead of picks."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from threading import Event
from time import perf_counter

from ..errors import CryopickError
from ..simulation.structures import read_structure
from ..training.events import Simulating
from ..training.examples import Example
from ..training.holdout import EVERYTHING
from ..training.loop import SimulatedData
from ..training.settings import TrainSettings
from .examples import Microscope, make_examples, training_image

TEST_SHARE = 5
"""Every fifth micrograph calibrates scores: twenty of a hundred hold some thousand particles."""


def diameter_of(structure: Path) -> float:
    """Return the diameter of an atomic model or a density map, in whole Å."""
    return float(round(read_structure(structure).diameter_angstrom))


def simulate_structure(
    settings: TrainSettings, stop: Event
) -> Generator[Simulating, None, SimulatedData]:
    """Simulate micrographs of the structure that the settings name.

    The last fifth, no harder than micrographs that people pick, calibrates the scores.
    """
    assert settings.structure is not None
    particle, begun = read_structure(settings.structure), perf_counter()
    total = settings.simulated_micrographs
    training = total - total // TEST_SHARE
    microscope = Microscope(settings.voltage_kilovolt, settings.defocus_angstrom)

    def simulated(count: int, test: bool) -> Iterator[Example]:
        seed = settings.seed + test
        return make_examples([particle], count, seed, microscope, synthetic=False, test=test)

    examples: list[Example] = []
    for example in chain(simulated(training, False), simulated(total - training, True)):
        examples.append(example)
        left = (perf_counter() - begun) / len(examples) * (total - len(examples))
        yield Simulating(len(examples), total, left)
        if stop.is_set():
            raise CryopickError("Stopped while simulating, before there was a model to keep.")
    images = [training_image(example) for example in examples[:training]]
    return SimulatedData(images, [replace(e, held_out=EVERYTHING) for e in examples[training:]])
