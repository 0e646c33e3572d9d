"""A picks layer while a person and a model work on it: threshold, deletions, undo.

A person's points are always shown and never replaced. A model's pick that is moved becomes the
person's; one that is deleted is remembered, so that it does not come back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Points
from napari.layers.base import ActionType
from napari.utils.colormaps.standardize_color import transform_color
from napari.utils.events import Event
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ...detection.calibration import ExpectedScores
from ...picks import Picks, Source, Status
from .layers import DELETED, HISTORY, OFFSET_SD, THRESHOLD

if TYPE_CHECKING:
    import pandas as pd

SOURCE_COLOURS = {
    Source.PERSON: "#ffc233",
    Source.MODEL: "#35e0d2",
    Source.FILE: "#c9a0ff",
    Source.CLASS: "#9be564",
}

CLICKED = {"score": np.nan, "source": str(Source.PERSON), "status": str(Status.OK)}
"""The features of a point that a person has placed."""

_FEATURES = {"score": "scores", "source": "sources", "status": "statuses"}

_STEPS_BACK = 100
"""More edits than anyone takes back; each keeps a copy of the table."""


@dataclass(frozen=True, eq=False)
class Table:
    """What a picks layer holds: (n, 3) points, their features and (m, 3) deleted picks."""

    points: NDArray[np.float64]
    features: pd.DataFrame
    deleted: NDArray[np.float64]


class History:
    """What a layer has held, in the order in which it came about, with one table current.

    A copy of a layer has the same metadata: `layer_id` tells whose history it is.
    """

    def __init__(self, table: Table, layer_id: Hashable) -> None:
        self.layer_id = layer_id
        self._tables, self._at = [table], 0
        self._kind: Hashable | None = None

    @property
    def current(self) -> Table:
        """What the layer holds now."""
        return self._tables[self._at]

    def record(self, table: Table, kind: Hashable | None = None) -> None:
        """Make a table current; steps of the same kind, one after the other, count as one."""
        if kind is None or kind != self._kind:
            self._at += 1
        self._tables = [*self._tables[: self._at], table][-_STEPS_BACK - 1 :]
        self._at, self._kind = len(self._tables) - 1, kind

    def go(self, by: int) -> Table:
        """Go one step forward or back, if there is one."""
        self._at, self._kind = min(max(self._at + by, 0), len(self._tables) - 1), None
        return self.current


def curate(layer: Points) -> Points:
    """Watch the edits of a picks layer from now on; Ctrl+Z takes them back."""
    if not is_curated(layer):
        deleted = layer.metadata.pop(DELETED, np.empty((0, 3)))
        if (copied := layer.metadata.get(HISTORY)) is not None:
            deleted = copied.current.deleted
        layer.metadata[HISTORY] = History(_table(layer, deleted), layer.unique_id)
        layer.events.data.connect(partial(_on_edit, layer))
        layer.bind_key("Control-Z", undo, overwrite=True)
        layer.bind_key("Control-Shift-Z", redo, overwrite=True)
    return layer


def is_curated(layer: Points) -> bool:
    """Return whether the edits of a layer are watched."""
    history = layer.metadata.get(HISTORY)
    return history is not None and history.layer_id == layer.unique_id


def undo(layer: Points) -> None:
    """Take the last edit back."""
    _restore(layer, _history(layer).go(-1))


def redo(layer: Points) -> None:
    """Make the edit again that was taken back."""
    _restore(layer, _history(layer).go(1))


def replace_model_picks(layer: Points, found: Mapping[int, Picks], run: Hashable) -> None:
    """Replace a model's picks in the slices in which something was looked for.

    What lies within half a diameter of a pick that a person has placed or deleted is left out.
    All results of one `run` are a single step to undo.
    """
    import pandas as pd

    table = _history(layer).current
    by_model = (table.features["source"] == Source.MODEL).to_numpy(bool)
    here = np.isin(table.points[:, 0].round(), list(found))
    kept = ~by_model | ~here
    points, features = rows_of(found)
    settled = np.concatenate([table.points[kept & here], table.deleted])
    new = far_from(apart(settled), apart(points), layer.current_size / 2)
    points = np.concatenate([table.points[kept], points[new]])
    tables = [some for some in (table.features[kept], features[new]) if len(some)]
    features = pd.concat(tables, ignore_index=True) if tables else features
    _record(layer, Table(points, features, table.deleted), run)


def accept_pick(layer: Points, row: int) -> None:
    """Make a pick the person's, as if it had been moved."""
    _make_clicked(layer, [row])
    _history(layer).record(_table(layer, _history(layer).current.deleted))


def reject_picks(layer: Points, rows: Sequence[int] | NDArray[np.intp]) -> None:
    """Delete picks and remember their places as without a particle, whoever has placed them."""
    table = _history(layer).current
    others = ~np.isin(np.arange(len(table.points)), rows)
    features = table.features[others].reset_index(drop=True)
    deleted = np.concatenate([table.deleted, table.points[~others]])
    _record(layer, Table(table.points[others], features, deleted))


def replace_scores(layer: Points, scores: NDArray[np.float64], threshold: float) -> None:
    """Give all picks other scores, as one step, and show those from a threshold on."""
    table = _history(layer).current
    _record(layer, Table(table.points, table.features.assign(score=scores), table.deleted))
    show_above(layer, threshold)


def curated_picks(layer: Points) -> defaultdict[int, tuple[Picks, Picks]]:
    """Return the picks of each slice, and those that a person has deleted there.

    A deleted pick in whose circle a person has placed another one is forgotten.
    """
    table = _history(layer).current
    found, deleted = picks_of(table.points, table.features), _rows_by_slice(table.deleted)
    curated: defaultdict[int, tuple[Picks, Picks]]
    curated = defaultdict(lambda: (Picks.at([]), Picks.at([])))
    for index in found.keys() | deleted.keys():
        clicked = found[index].positions[found[index].sources == Source.PERSON]
        rejected = table.deleted[deleted.get(index, []), 1:]
        rejected = rejected[far_from(clicked, rejected, layer.current_size / 2)]
        rejects = Picks.at(rejected, source=Source.MODEL, status=Status.DELETED)
        curated[index] = found[index], rejects
    return curated


def show_above(layer: Points, threshold: float) -> None:
    """Show what scores at least `threshold`, and whatever a person has placed."""
    layer.metadata[THRESHOLD], rows = threshold, layer.features
    likely = (rows["score"].astype(float) >= threshold) & (rows["status"] == Status.OK)
    layer.shown = (likely | (rows["source"] != Source.MODEL)).to_numpy(bool)


def threshold_of(layer: Points) -> float:
    """Return the score from which on a model's picks are shown."""
    return float(layer.metadata.get(THRESHOLD, 0.0))


def expected_scores(layer: Points, kept: NDArray[np.bool_] | None = None) -> ExpectedScores:
    """Return the precision and recall that a model's own scores imply for its picks.

    `kept` are those that count as found, by default those shown.
    """
    rows, kept = layer.features, layer.shown if kept is None else kept
    good = ((rows["source"] == Source.MODEL) & (rows["status"] == Status.OK)).to_numpy(bool)
    scores = rows["score"].to_numpy(float)
    offset_sd = layer.metadata.get(OFFSET_SD)
    if offset_sd is None:
        return ExpectedScores()
    return ExpectedScores.of(scores[good], kept[good], offset_sd)


def colour_by_source(layer: Points) -> None:
    """Draw each point's circle in the colour of its source."""
    if len(layer.data):
        which, sources = layer.features["source"].factorize()
        unknown = SOURCE_COLOURS[Source.FILE]
        names = [SOURCE_COLOURS.get(source, unknown) for source in sources]
        layer.border_color = transform_color([*names, unknown])[which]


def fill(layer: Points, points: NDArray[np.float64], features: pd.DataFrame) -> None:
    """Have a picks layer hold copies of (n, 3) points and of their features.

    Column by column in memory, for napari looks for the ends of each axis at every step.
    """
    layer.data = np.array(points, order="F")
    layer.features = features.copy()
    layer.size = layer.current_size
    colour_by_source(layer)


def rows_of(found: Mapping[int, Picks]) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Return points (n, 3) in all slices, and their features.

    Further columns are kept where the picks of every slice have them.
    """
    import pandas as pd

    tables = list(found.values()) or [Picks.at([])]
    indices = np.repeat([float(index) for index in found], [len(p) for p in found.values()])
    columns = {
        name: np.concatenate([getattr(picks, column) for picks in tables])
        for name, column in _FEATURES.items()
    }
    for name in sorted(set.intersection(*(set(picks.extra) for picks in tables))):
        columns[name] = np.concatenate([picks.extra[name] for picks in tables])
    positions = np.concatenate([picks.positions for picks in tables])
    return np.column_stack([indices, positions]), pd.DataFrame(columns)


def picks_of(points: NDArray, features: pd.DataFrame) -> defaultdict[int, Picks]:
    """Return the picks in each slice; a missing column means that a person has clicked."""
    scores, sources, statuses = (
        features[name].to_numpy(type(value)) if name in features else np.full(len(points), value)
        for name, value in CLICKED.items()
    )
    extra = {str(name): features[name].to_numpy() for name in features if name not in CLICKED}
    picks = Picks(points[:, 1:].astype(float), scores, sources, statuses, extra)
    by_slice = {index: picks[rows] for index, rows in _rows_by_slice(points).items()}
    return defaultdict(lambda: Picks.at([]), by_slice)


def _rows_by_slice(points: NDArray) -> dict[int, NDArray[np.intp]]:
    """Return the rows of (n, 3) points in each slice that has any."""
    slices = np.round(points[:, 0]).astype(int)
    order = np.argsort(slices, kind="stable")
    found, starts = np.unique(slices[order], return_index=True)
    return dict(zip(found.tolist(), np.split(order, starts[1:]), strict=False))


def _history(layer: Points) -> History:
    history: History = layer.metadata[HISTORY]
    return history


def _table(layer: Points, deleted: NDArray[np.float64]) -> Table:
    return Table(layer.data.copy(), layer.features.copy(), deleted)


def _on_edit(layer: Points, event: Event) -> None:
    before, rows = _history(layer).current, list(event.data_indices)
    deleted = before.deleted
    if event.action == ActionType.REMOVED:
        gone = before.points[rows][(before.features["source"] != Source.PERSON).iloc[rows]]
        deleted = np.concatenate([deleted, gone])
    elif event.action in (ActionType.ADDED, ActionType.CHANGED):
        _make_clicked(layer, rows)
    else:
        return
    _history(layer).record(_table(layer, deleted))


def _make_clicked(layer: Points, rows: list[int]) -> None:
    features = layer.features.copy()
    for name, value in CLICKED.items():
        features.iloc[rows, features.columns.get_loc(name)] = value
    layer.features = features
    colour_by_source(layer)


def _record(layer: Points, table: Table, run: Hashable | None = None) -> None:
    _history(layer).record(table, run)
    _restore(layer, table)


def _restore(layer: Points, table: Table) -> None:
    with layer.events.data.blocker():
        layer.selected_data = set()
        fill(layer, table.points, table.features)
        show_above(layer, threshold_of(layer))


def apart(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move the slices of (n, 3) points further from each other than any pixels of one are."""
    return np.column_stack([np.round(points[:, 0]) * 1e7, points[:, 1:]])


def far_from(settled: NDArray, positions: NDArray, radius_px: float) -> NDArray[np.bool_]:
    """Return which (n, d) positions are further than `radius_px` from all (m, d) settled ones."""
    distances, _ = KDTree(settled).query(positions)
    return np.asarray(distances) > radius_px
