"""The 2D classes of a picks layer, what a person has marked them as, and their members."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Points
from napari.utils.colormaps.standardize_color import transform_color
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ...detection.calibration import best_threshold
from ...io.class_folder import CLASS, ClassFolder
from ...picks import Picks, PickSet, Source, Status
from ...training.class_marks import picks_of_marks
from .create import insert, over
from .curation import apart, expected_scores, picks_of, reject_picks, replace_scores
from .layers import MEMBERS, diameter_px, find_layer, stack_of

CLASSES = "cryopick_classes"
"""Key of a picks layer: its `PickClasses`."""

MARK = "cryopickClassMark"
"""Column of exported picks: what their class is marked as."""

_LIT = 0.3
"""Opacity of what is lit up: the particle is still seen."""

SAME_PX = 1e-3
"""Picks closer than this are the same one."""


class Mark(StrEnum):
    """What a person says that a class holds."""

    PARTICLE = "particle"
    JUNK = "junk"
    NONE = "unmarked"


MARK_COLOURS = {Mark.PARTICLE: "#56b4e9", Mark.JUNK: "#e69f00", Mark.NONE: "#e8eaed"}
"""Told apart with any colour vision: from the palette of Okabe and Ito."""


@dataclass(frozen=True, eq=False)
class PickClasses:
    """What a classification of a layer's picks has found, and which classes a person has marked.

    The picks are called by the paths of their micrographs, classes by their number from 1.
    `refined` are the picks with scores that count their classes, or None where these tell nothing.
    """

    found: ClassFolder
    refined: PickSet | None = None
    marks: Mapping[int, Mark] = field(default_factory=dict)

    @property
    def ranking(self) -> list[int]:
        """Numbers of the classes, best first."""
        return [int(row) + 1 for row in self.found.ranking]

    def mark(self, number: int) -> Mark:
        """Return what a class is marked as."""
        return self.marks.get(number, Mark.NONE)

    def marked(self, mark: Mark) -> list[int]:
        """Return the numbers of the classes that are marked so."""
        return [number for number in self.ranking if self.mark(number) is mark]

    def with_mark(self, numbers: Collection[int], mark: Mark) -> PickClasses:
        """Return the same with some classes marked otherwise."""
        return replace(self, marks={**self.marks, **dict.fromkeys(numbers, mark)})

    def by_number(self, values: Mapping[Mark, Any]) -> list[Any]:
        """Return what belongs to the mark of each class, from 0, which is none, on."""
        return [values[self.mark(number)] for number in range(len(self.found) + 1)]


def classes_of(layer: Points | None) -> PickClasses | None:
    """Return the classes of a picks layer, if it was classified."""
    return None if layer is None else layer.metadata.get(CLASSES)


def set_classes(layer: Points, classes: PickClasses) -> None:
    """Keep classes with their layer, and tell everyone."""
    layer.metadata = {**layer.metadata, CLASSES: classes}


def candidates(layer: Points, lowest_score: float) -> dict[Path, Picks]:
    """Return the picks that can be classified: good ones, of this score on or without one."""
    stack = stack_of(layer)
    if stack is None:
        return {}
    by_slice = picks_of(layer.data, layer.features)
    found = {
        stack.paths[index]: table[
            ~(table.scores < lowest_score) & np.isin(table.statuses, [Status.OK])
        ]
        for index, table in sorted(by_slice.items())
        if 0 <= index < len(stack)
    }
    return {path: table for path, table in found.items() if len(table)}


def class_numbers(layer: Points) -> NDArray[np.int_]:
    """Return the (n,) numbers of the classes of a layer's points; 0 for those of no class."""
    classes = classes_of(layer)
    tables = {} if classes is None else classes.found.picks.by_micrograph
    values = [table.extra[CLASS] for table in tables.values()]
    return _looked_up(layer, tables, values, np.zeros(len(layer.data), dtype=int))


def members_of(layer: Points) -> list[int]:
    """Return how many points are in each class by its number, and at 0 how many in none."""
    classes = classes_of(layer)
    fewest = 1 if classes is None else len(classes.found) + 1
    counts: list[int] = np.bincount(class_numbers(layer), minlength=fewest).tolist()
    return counts


def class_columns(layer: Points) -> dict[str, NDArray]:
    """Return what to write of each point of a layer: its class, and how that is marked."""
    classes = classes_of(layer)
    if classes is None:
        return {}
    numbers, words = class_numbers(layer), {mark: str(mark) for mark in Mark}
    return {CLASS: numbers, MARK: np.array(classes.by_number(words))[numbers]}


def exported(classes: PickClasses) -> ClassFolder:
    """Return what to write of classes: what they are marked as stands in place of the verdict."""
    marks = np.array(classes.by_number({mark: str(mark) for mark in Mark})[1:])
    verdicts = np.where(marks == Mark.NONE, classes.found.verdicts, marks)
    return replace(classes.found, verdicts=verdicts)


def marked_picks(layer: Points) -> dict[Path, Picks]:
    """Return the members of marked classes as labels: particles, and rejected picks."""
    classes = classes_of(layer)
    if classes is None:
        return {}
    particle, junk = classes.marked(Mark.PARTICLE), classes.marked(Mark.JUNK)
    if not particle and not junk:
        return {}
    labels = picks_of_marks(classes.found.picks, particle, junk)
    return {Path(name): table for name, table in labels.by_micrograph.items()}


def remove_junk(layer: Points) -> int:
    """Reject the members of classes marked as junk, as one step; return how many there were."""
    rows = np.flatnonzero(_in_junk(layer) & (layer.features["source"] != Source.PERSON).to_numpy())
    if len(rows):
        reject_picks(layer, rows)
    return len(rows)


def refine_scores(layer: Points) -> None:
    """Have the scores count what the classes say, as one step, and show the picks that are best."""
    classes = classes_of(layer)
    if classes is None or classes.refined is None:
        return
    tables = classes.refined.by_micrograph
    values = [table.scores for table in tables.values()]
    scores = _looked_up(layer, tables, values, layer.features["score"].to_numpy(float))
    replace_scores(layer, scores, best_threshold(scores[np.isfinite(scores)]))


def describe_marks(layer: Points) -> str:
    """Return how many picks are marked as what, and what to expect without the junk."""
    classes = classes_of(layer)
    assert classes is not None
    counts = members_of(layer)
    counted = {mark: sum(counts[n] for n in classes.marked(mark)) for mark in Mark}
    told = ", ".join(f"{count:,} {mark}" for mark, count in counted.items())
    kept = layer.shown & ~_in_junk(layer)
    expected = expected_scores(layer, kept)
    figures = f", {expected}" if expected.known else ""
    return f"Members: {told}. Picks shown without junk: {kept.sum():,}{figures}."


def show_members(
    viewer: ViewerModel, image: Image, layer: Points | None, numbers: Collection[int]
) -> None:
    """Fill the circles of the members of some classes, in a layer that is made if need be."""
    lit = find_layer(viewer.layers, image, MEMBERS)
    if layer is None or (lit is None and not numbers):
        return
    if lit is None:
        points = Points(ndim=3, border_width=0, opacity=_LIT, **over(image, MEMBERS))
        lit = insert(viewer, points, viewer.layers.index(layer))
    of_point, classes = class_numbers(layer), classes_of(layer)
    rows = np.isin(of_point, [*numbers])
    lit.selected_data = set()
    lit.data = np.array(layer.data[rows], order="F")
    lit.editable = False
    if rows.any() and classes is not None:
        lit.size = diameter_px(image)
        lit.face_color = transform_color(classes.by_number(MARK_COLOURS))[of_point[rows]]


def _looked_up(
    layer: Points, tables: Mapping[str, Picks], values: Sequence[NDArray], missing: NDArray
) -> NDArray:
    """Return for each of a layer's points the value of the pick there; `missing` where is none."""
    stack, found = stack_of(layer), missing.copy()
    if stack is None or not tables or not len(layer.data):
        return found
    places = [
        np.insert(table.positions, 0, stack.index(Path(name)), axis=1)
        for name, table in tables.items()
    ]
    distances, nearest = KDTree(apart(np.concatenate(places))).query(apart(layer.data))
    same = np.asarray(distances) < SAME_PX
    found[same] = np.concatenate(values)[np.asarray(nearest)[same]]
    return found


def _in_junk(layer: Points) -> NDArray[np.bool_]:
    classes = classes_of(layer)
    junk = [] if classes is None else classes.marked(Mark.JUNK)
    return np.isin(class_numbers(layer), junk)
