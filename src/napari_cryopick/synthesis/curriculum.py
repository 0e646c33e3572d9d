"""Lesson after lesson: simulated micrographs of many particles, as a network asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..simulation.body import Body
from ..simulation.invented import invent
from ..simulation.parallel import cores, in_turn
from ..training.examples import Example
from .conditions import FINE_PX
from .lessons import make_lesson
from .settings import Conditions


def make_lessons(
    bodies: Sequence[Body],
    count: int,
    seed: int,
    conditions: Conditions | None = None,
    invented: bool = True,
    usual: bool = False,
) -> Iterator[Example]:
    """So many lessons: of the bodies in turn, and every second one of an invented particle.

    The same seed gives the same ones, whatever the machine; without bodies all are invented, and
    none of them if that is not wanted. `usual` ones are no harder than what people pick.
    """
    coarse = [body.coarser(body.diameter_angstrom / FINE_PX / 2) for body in bodies]
    rngs = np.random.default_rng(seed).spawn(count)

    def make(job: tuple[int, np.random.Generator]) -> Example:
        number, rng = job
        if invented and not (coarse and number % 2):
            body = invent(number, rng)
        else:
            body = coarse[number // (1 + invented) % len(coarse)]
        lesson = make_lesson(body, conditions or Conditions(), rng, usual)
        return replace(lesson, path=Path(f"{number:05d} {body.name}"))

    return in_turn(make, enumerate(rngs), cores())
