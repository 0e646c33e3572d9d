"""Classes that a person has marked as particle or junk, and the labels that follow."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CryopickError
from ..io import read_picks
from ..io.class_folder import CLASS, PARTICLES
from ..picks import Picks, PickSet, Source, Status


@dataclass(frozen=True)
class ClassMarks:
    """Numbers of the classes in a folder that are marked as particle and as junk."""

    folder: Path
    particle: Collection[int] = ()
    junk: Collection[int] = ()

    def read(self, micrographs: Sequence[Path] = ()) -> PickSet:
        """Read the members of the marked classes as labels, see `picks_of_marks`.

        `micrographs` are those that names in the folder may mean.
        """
        file = self.folder / PARTICLES
        if not file.is_file():
            raise CryopickError(f"{self.folder} holds no classes: there is no {PARTICLES}.")
        picks = read_picks(file, micrographs)
        try:
            return picks_of_marks(picks, self.particle, self.junk)
        except CryopickError as error:
            raise CryopickError(f"{self.folder}: {error}") from error


def picks_of_marks(picks: PickSet, particle: Collection[int], junk: Collection[int]) -> PickSet:
    """Return the members of marked classes as labels.

    Members of `particle` classes are particles, those of `junk` classes deleted picks; members of
    all other classes are left out, for nothing is known of them.

    Raises
    ------
    CryopickError
        If the picks have no classes, none is marked, one is marked as both, or one does not exist.
    """
    numbers = [_numbers(table) for table in picks.by_micrograph.values()]
    every = np.unique(np.concatenate([*numbers, []])).astype(int)
    _check(every[every > 0].tolist(), particle, junk)
    labelled = {
        name: _labelled(table, np.isin(of, list(particle)), np.isin(of, list(junk)))
        for (name, table), of in zip(picks.by_micrograph.items(), numbers, strict=True)
    }
    return replace(picks, by_micrograph={name: t for name, t in labelled.items() if len(t)})


def _numbers(table: Picks) -> NDArray:
    if CLASS not in table.extra:
        raise CryopickError(f"the picks have no classes (column {CLASS}); classify them.")
    return table.extra[CLASS]


def _check(classes: Sequence[int], particle: Collection[int], junk: Collection[int]) -> None:
    if not particle and not junk:
        raise CryopickError("no class is marked as particle or as junk.")
    if both := sorted(set(particle) & set(junk)):
        raise CryopickError(f"{_named(both)} marked as particle and as junk; choose one of them.")
    if missing := sorted((set(particle) | set(junk)).difference(classes)):
        there = f"they are {_listed(classes)}" if classes else "it has none"
        raise CryopickError(f"{_named(missing)} marked but not there; {there}.")


def _named(numbers: Sequence[int]) -> str:
    words = ("classes", "are") if numbers[1:] else ("class", "is")
    return f"{words[0]} {_listed(numbers)} {words[1]}"


def _listed(numbers: Sequence[int]) -> str:
    """Return "1 to 4" for numbers without a gap, or else "1, 2, 4"."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))


def _labelled(table: Picks, particle: NDArray[np.bool_], junk: NDArray[np.bool_]) -> Picks:
    statuses = np.where(junk, Status.DELETED, Status.OK)
    labels = Picks.at(table.positions, table.scores, Source.CLASS, statuses, table.extra)
    return labels[particle | junk]
