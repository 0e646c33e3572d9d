"""The progress of a training, drawn while it runs."""

from __future__ import annotations

from math import isfinite
from typing import Any

from qtpy.QtWidgets import QWidget

from .jobs import throttled
from .layout import stack_up

_PAUSE_MS = 500
_HEIGHT_PX = 190
_CLEAR: Any = {"figure.facecolor": "none", "axes.facecolor": "none"}
_LOOK: Any = {**_CLEAR, "axes.spines.top": False, "font.size": 8}
_CURVES = {"loss": ("-", "#35e0d2"), "F1": (".-", "#ffc233"), "AP": (".-", "#c9a0ff")}


def import_matplotlib() -> None:
    """Import what a plot needs; called in a thread, before the first curve is drawn."""
    import matplotlib.backends.backend_qtagg  # noqa: F401
    import matplotlib.figure  # noqa: F401


class TrainingPlot(QWidget):
    """Loss and validation against steps, drawn at most twice a second."""

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._style = "default" if theme == "light" else "dark_background"
        self._canvas: Any = None
        self._lines: dict[str, Any] = {}
        self._draw_soon = throttled(self._draw, self, _PAUSE_MS)
        self.setFixedHeight(_HEIGHT_PX)
        self.clear()

    def clear(self) -> None:
        """Forget all curves."""
        self._curves: dict[str, tuple[list[int], list[float]]] = {n: ([], []) for n in _CURVES}
        self._ends: list[int] = []
        self.hide()

    def add(self, step: int, **values: float) -> None:
        """Add a point to curves, by name: loss, F1, AP; what is not known is left out."""
        for name, value in values.items():
            if isfinite(value):
                steps, heights = self._curves[name]
                steps.append(step)
                heights.append(value)
        self._draw_soon()

    def end_iteration(self) -> None:
        """Draw a vertical line at the last step."""
        self._ends += self.steps("loss")[-1:]
        self._draw_soon()

    def steps(self, name: str) -> list[int]:
        """Return the steps at which a curve has points."""
        return self._curves[name][0]

    def _draw(self) -> None:
        if self._canvas is None:
            self._make_canvas()
            self._draw_soon()
            return
        for name, line in self._lines.items():
            line.set_data(*self._curves[name])
        self._end_lines.set_segments([[(x, 0), (x, 1)] for x in self._ends])
        self._scores.set_visible(bool(self.steps("F1")))
        drawn = [line for name, line in self._lines.items() if self.steps(name)]
        self._figure.legends.clear()
        look: Any = {"frameon": False, "labelcolor": "linecolor", "fontsize": 8}
        self._figure.legend(handles=drawn, loc="outside upper left", ncols=3, **look)
        self._losses.relim()
        self._losses.autoscale_view()
        self._canvas.draw_idle()
        self.show()

    def _make_canvas(self) -> None:
        from matplotlib import style
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
        from matplotlib.figure import Figure

        with style.context([self._style, _LOOK]):
            self._figure = Figure(layout="constrained")
            self._losses = self._figure.add_subplot(xlabel="step")
            self._scores = self._losses.twinx()
            self._scores.set_ylim(0, 1.02)
            for name, (line, colour) in _CURVES.items():
                axes = self._losses if name == "loss" else self._scores
                (self._lines[name],) = axes.plot([], [], line, color=colour, label=name)
            across = self._losses.get_xaxis_transform()
            self._end_lines = self._losses.vlines([], 0, 1, "gray", "dotted", transform=across)
            self._canvas = FigureCanvasQTAgg(self._figure)
        self._canvas.setStyleSheet("background: transparent")
        stack_up(self, self._canvas)
