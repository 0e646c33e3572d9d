"""A picks layer while a person and a model work on it: threshold, deletions, undo.

A person's points are always shown and never replaced. A model's pick that is moved becomes the
person's; one that is deleted is remembered, so that it does not come back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from napari.layers import Points
from napari.layers.base import ActionType
from napari.utils.colormaps.standardize_color import transform_color
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ...detection.calibration import ExpectedScores
from ...picks import Picks, Source, Status
from .convert import all_rows_of, picks_of, rows_of
from .layers import SOURCE_COLOURS

if TYPE_CHECKING:
    import pandas as pd


State = TypeVar("State")


class History(Generic[State]):
    """States in the order in which they came about, with one of them current.

    Parameters
    ----------
    state
        The first one.
    limit
        How many steps back are remembered.
    """

    def __init__(self, state: State, limit: int = 100) -> None:
        self._past: deque[State] = deque(maxlen=limit)
        self._future: list[State] = []
        self._kind: Hashable | None = None
        self.current = state

    def record(self, state: State, kind: Hashable | None = None) -> None:
        """Make `state` current; steps of the same kind, one after the other, count as one."""
        if kind is None or kind != self._kind:
            self._past.append(self.current)
        self._kind = kind
        self._future.clear()
        self.current = state

    def undo(self) -> State | None:
        """Go one step back, and give the state there or None if there is no such step."""
        if not self._past:
            return None
        self._future.append(self.current)
        return self._go_to(self._past.pop())

    def redo(self) -> State | None:
        """Go one step forth, and give the state there or None if there is no such step."""
        if not self._future:
            return None
        self._past.append(self.current)
        return self._go_to(self._future.pop())

    def _go_to(self, state: State) -> State:
        self._kind = None
        self.current = state
        return state


DELETED = "cryopick_deleted"
"""Key of the metadata under which a layer that is not watched over yet brings deleted picks."""

_HISTORY, _THRESHOLD = "cryopick_history", "cryopick_threshold"
_SLICE_PX = 1e7
_CLICKED = {"score": np.nan, "source": str(Source.PERSON), "status": str(Status.OK)}


@dataclass(frozen=True, eq=False)
class Table:
    """What a picks layer holds: (n, 3) points, their features and (m, 3) deleted picks."""

    points: NDArray[np.float64]
    features: pd.DataFrame
    deleted: NDArray[np.float64]

    @property
    def by_model(self) -> NDArray[np.bool_]:
        return (self.features["source"] == Source.MODEL).to_numpy(bool)


def curate(layer: Points) -> Points:
    """Watch over the edits of a picks layer from now on; Ctrl+Z takes them back."""
    if not is_curated(layer):
        deleted = layer.metadata.pop(DELETED, np.empty((0, 3)))
        table = Table(layer.data.copy(), layer.features.copy(), deleted)
        layer.metadata[_HISTORY] = History(table)
        layer.events.data.connect(partial(_on_edit, layer))
        layer.bind_key("Control-Z", undo, overwrite=True)
        layer.bind_key("Control-Shift-Z", redo, overwrite=True)
    return layer


def is_curated(layer: Points) -> bool:
    """Whether the edits of a layer are watched over."""
    return _HISTORY in layer.metadata


def undo(layer: Points) -> None:
    """Take the last edit back."""
    _restore(layer, layer.metadata[_HISTORY].undo())


def redo(layer: Points) -> None:
    """Make the edit again that was taken back."""
    _restore(layer, layer.metadata[_HISTORY].redo())


def replace_model_picks(
    layer: Points, index: int, found: Picks, radius_px: float, run: Hashable
) -> None:
    """Put what a model has found in slice `index` in place of what one found there before.

    What lies within `radius_px` of a pick that was placed or deleted by a person is left out.
    All results of one `run` are a single step to undo.
    """
    table: Table = layer.metadata[_HISTORY].current
    there = np.round(table.points[:, 0]) == index
    _replace(layer, ~(there & table.by_model), *rows_of(found, index), radius_px, run)


def replace_all_model_picks(
    layer: Points, found: Mapping[int, Picks], radius_px: float, run: Hashable
) -> None:
    """Likewise in all slices that something was found in; the others stay as they are."""
    if not found:
        return
    table: Table = layer.metadata[_HISTORY].current
    elsewhere = ~np.isin(table.points[:, 0].round(), list(found))
    _replace(layer, ~table.by_model | elsewhere, *all_rows_of(found), radius_px, run)


def claim(layer: Points, row: int) -> None:
    """Make a pick the person's, as if it had been moved."""
    _claim(layer, [row])
    history: History[Table] = layer.metadata[_HISTORY]
    history.record(Table(layer.data.copy(), layer.features.copy(), history.current.deleted))


def refute(layer: Points, row: int) -> None:
    """Delete a pick and remember its place as one without a particle, whoever has placed it."""
    history: History[Table] = layer.metadata[_HISTORY]
    table = history.current
    others = np.arange(len(table.points)) != row
    history.record(
        Table(
            table.points[others],
            table.features[others].reset_index(drop=True),
            np.concatenate([table.deleted, table.points[[row]]]),
        )
    )
    _restore(layer, history.current)


def _replace(
    layer: Points,
    kept: NDArray[np.bool_],
    points: NDArray[np.float64],
    features: pd.DataFrame,
    radius_px: float,
    run: Hashable,
) -> None:
    """Put points in place of those that are not kept, but for those near a person's."""
    history: History[Table] = layer.metadata[_HISTORY]
    table = history.current
    settled = np.concatenate([table.points[kept], table.deleted])
    new = _far_from(_apart(settled), _apart(points), radius_px)
    table = Table(
        np.concatenate([table.points[kept], points[new]]),
        _stacked(table.features[kept], features[new]),
        table.deleted,
    )
    history.record(table, kind=run)
    _restore(layer, table)


def curated_picks(layer: Points, index: int) -> tuple[Picks, Picks]:
    """The picks of one slice, and those that a person has deleted there.

    A deleted pick in whose circle a person has placed another one is forgotten.
    """
    table: Table = layer.metadata[_HISTORY].current
    picks = picks_of(table.points, table.features, index)
    deleted = table.deleted[np.round(table.deleted[:, 0]) == index, 1:]
    clicked = picks.positions[picks.sources == Source.PERSON]
    still = _far_from(clicked, deleted, float(layer.current_size) / 2)
    return picks, Picks.at(deleted[still], source=Source.MODEL, status=Status.DELETED)


def show_above(layer: Points, threshold: float) -> None:
    """Show what scores at least `threshold`, and whatever a person has placed."""
    layer.metadata[_THRESHOLD] = threshold
    scores, rows = layer.features["score"].to_numpy(float), layer.features
    by_model = (rows["source"] == Source.MODEL).to_numpy(bool)
    flagged = (rows["status"] != Status.OK).to_numpy(bool)
    layer.shown = ~by_model | ((scores >= threshold) & ~flagged)


def expected_scores(layer: Points) -> ExpectedScores:
    """What the scores promise of those of a model's picks that are shown."""
    rows = layer.features
    good = ((rows["source"] == Source.MODEL) & (rows["status"] == Status.OK)).to_numpy(bool)
    scores = rows["score"].to_numpy(float)
    return ExpectedScores.of(scores[good & layer.shown], float(scores[good].sum()))


def threshold_of(layer: Points) -> float:
    """The score from which on a model's picks are shown."""
    return float(layer.metadata.get(_THRESHOLD, 0.0))


def _on_edit(layer: Points, event: Any) -> None:
    history: History[Table] = layer.metadata[_HISTORY]
    before, rows, deleted = history.current, list(event.data_indices), history.current.deleted
    if event.action == ActionType.REMOVED:
        gone = before.points[rows][(before.features["source"] != Source.PERSON).iloc[rows]]
        deleted = np.concatenate([deleted, gone])
    elif event.action in (ActionType.ADDED, ActionType.CHANGED):
        _claim(layer, rows)
    else:
        return
    history.record(Table(layer.data.copy(), layer.features.copy(), deleted))


def _claim(layer: Points, rows: list[int]) -> None:
    """Points that a person has placed or moved are the person's."""
    features = layer.features.copy()
    for name, value in _CLICKED.items():
        features.iloc[rows, features.columns.get_loc(name)] = value
    layer.features = features
    colour_by_source(layer)


def _restore(layer: Points, table: Table | None) -> None:
    if table is None:
        return
    with layer.events.data.blocker():
        layer.selected_data = set()
        layer.data = table.points.copy()
        layer.features = table.features.copy()
        layer.size = layer.current_size
        colour_by_source(layer)
        show_above(layer, threshold_of(layer))


def colour_by_source(layer: Points) -> None:
    """Draw each point's circle in the colour of its source."""
    if len(layer.data):
        which, sources = layer.features["source"].factorize()
        unknown = SOURCE_COLOURS[Source.FILE]
        names = [SOURCE_COLOURS.get(source, unknown) for source in sources]
        layer.border_color = transform_color([*names, unknown])[which]


def _apart(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) points whose slices are further from each other than any pixels of one."""
    return np.column_stack([np.round(points[:, 0]) * _SLICE_PX, points[:, 1:]])


def _far_from(settled: NDArray, positions: NDArray, radius_px: float) -> NDArray[np.bool_]:
    """Which (n, d) positions are further than `radius_px` from all (m, d) settled ones."""
    if len(settled) == 0 or len(positions) == 0:
        return np.ones(len(positions), bool)
    distances, _ = KDTree(settled).query(positions)
    return np.asarray(distances) > radius_px


def _stacked(kept: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    tables = [table for table in (kept, features) if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else kept
