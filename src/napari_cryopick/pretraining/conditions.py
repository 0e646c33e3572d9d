"""How simulated lessons are taken: as differently as microscopes, grids and days differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..simulation.settings import SimulationSettings
from .settings import Conditions

FINE_PX = 48
"""A particle's diameter in pixels while it is simulated: more than twice what a network sees."""

WIDE = 16
"""Edge of a lesson in particle diameters."""

CONTRAST = (0.4, 1.1)
"""Of simulated particles over what physics says; in reality they stand out less clearly."""

EMPTY = 0.15
"""Share of lessons without any particle, but with more of all else."""

FAINT, BROKEN = 0.3, 0.7
"""Share of exposures that are a few frames only; broken particles for each whole one, at the most.
Micrographs that people pick (`usual`) are whole exposures of mostly whole particles."""

USUALLY_BROKEN = 0.1


def draw_settings(
    pixel_size_angstrom: float,
    conditions: Conditions,
    rng: np.random.Generator,
    usual: bool = False,
) -> SimulationSettings:
    """Settings of one lesson; what they leave open the simulator draws."""
    return SimulationSettings(
        count=1,
        shape=(WIDE * FINE_PX, WIDE * FINE_PX),
        pixel_size_angstrom=pixel_size_angstrom,
        voltage_kilovolt=conditions.voltage_kilovolt or rng.choice([200.0, 300.0]),
        defocus_angstrom=conditions.defocus_angstrom,
        astigmatism_angstrom=(0.0, 800.0),
        phase_shift_degrees=(20.0, 120.0) if rng.uniform() < 0.05 else (0.0, 0.0),
        dose=_dose(0.0 if usual else FAINT, rng),
        detector=rng.choice(["counting", "integrating"]),
        no_energy_filter=rng.uniform() < 0.4,
        illumination_falloff=(0.0, 0.3),
        ice_thickness_angstrom=(150.0, 700.0),
        **_content(USUALLY_BROKEN if usual else BROKEN, rng),
    )


def _dose(faint: float, rng: np.random.Generator) -> tuple[float, float]:
    """Of a whole exposure, or of a few of its frames."""
    few = rng.uniform() < faint
    dose = np.exp(rng.uniform(*np.log([1.0, 10.0]))) if few else rng.uniform(15.0, 80.0)
    return dose, dose


def _content(broken: float, rng: np.random.Generator) -> dict[str, Any]:
    return _empty(rng) if rng.uniform() < EMPTY else _crowd(broken, rng)


def _crowd(broken: float, rng: np.random.Generator) -> dict[str, Any]:
    return {
        "empty_micrographs": 0.0,
        "coverage": (0.3, 0.7) if rng.uniform() < 0.2 else (0.02, 0.5),
        "spacing": rng.uniform(0.6, 1.1),
        "overlapping": rng.uniform(0.0, 0.1),
        "orientations": "preferred" if rng.uniform() < 0.3 else "uniform",
        "fragments": rng.uniform(0.0, broken),
        "debris": (1.0, 25.0),
        "aggregates": 0.3,
        "ice_balls": 0.4,
        "gold_beads": 0.1,
        "carbon_edges": 0.06,
        "crystalline_ice": 0.06,
        "ice_variation": (0.001, 0.02),
    }


def _empty(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "empty_micrographs": 1.0,
        "debris": (0.0, 40.0),
        "ice_balls": rng.uniform(0.0, 8.0),
        "gold_beads": 0.1,
        "carbon_edges": 0.3,
        "crystalline_ice": 0.4,
        "ice_variation": (0.001, 0.05),
    }
