"""The progress of a training, drawn while it runs."""

from __future__ import annotations

from math import isfinite
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt.utils import qthrottled

_PAUSE_MS = 500
_HEIGHT_PX = 190
_COLOURS = {"loss": "#35e0d2", "F1": "#ffc233", "AP": "#c9a0ff"}


def import_matplotlib() -> None:
    """Import what a plot needs; called in a thread, before the first curve is drawn."""
    import matplotlib.backends.backend_qtagg
    import matplotlib.figure  # noqa: F401


class TrainingPlot(QWidget):
    """Loss and validation against steps, drawn at most twice a second."""

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._theme = get_theme(theme)
        self._curves: dict[str, tuple[list[int], list[float]]] = {}
        self._lines: dict[str, Any] = {}
        self._ends: list[int] = []
        self._end_lines: list[Any] = []
        self._canvas: Any = None
        self._draw_soon = qthrottled(self._draw, timeout=_PAUSE_MS, leading=False, parent=self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.setFixedHeight(_HEIGHT_PX)
        self.clear()

    def clear(self) -> None:
        """Forget all curves."""
        self._curves = {name: ([], []) for name in _COLOURS}
        self._ends = []
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
        if steps := self.steps("loss"):
            self._ends.append(steps[-1])
            self._draw_soon()

    def steps(self, name: str) -> list[int]:
        """Return the steps at which a curve has points."""
        return self._curves[name][0]

    def _draw(self) -> None:
        from matplotlib import rc_context

        with rc_context(self._style()):
            if self._canvas is None:
                self._make_canvas()
                self._draw_soon()
                return
            self._redraw()
        self.show()

    def _redraw(self) -> None:
        for name, line in self._lines.items():
            line.set_data(*self._curves[name])
        for line in self._end_lines:
            line.remove()
        self._end_lines = [self._axes.axvline(x, color="gray", linestyle=":") for x in self._ends]
        drawn = [line for name, line in self._lines.items() if self.steps(name)]
        self._figure.legends.clear()
        self._figure.legend(handles=drawn, loc="outside upper left", ncols=3)
        self._axes.relim()
        self._axes.autoscale_view()
        self._canvas.draw_idle()

    def _make_canvas(self) -> None:
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
        from matplotlib.figure import Figure

        self._figure = Figure(layout="constrained")
        self._axes = self._figure.add_subplot(xlabel="step")
        score = self._axes.twinx()
        score.set_ylim(0, 1.02)
        for name, colour in _COLOURS.items():
            axes, marker = (self._axes, "") if name == "loss" else (score, ".")
            (self._lines[name],) = axes.plot([], [], color=colour, label=name, marker=marker)
        self._canvas = FigureCanvasQTAgg(self._figure)
        self.layout().addWidget(self._canvas)

    def _style(self) -> Any:
        """Return matplotlib's parameters for napari's theme."""
        text, line = self._theme.text.as_hex(), self._theme.primary.as_hex()
        background = self._theme.background.as_hex()
        return {
            **dict.fromkeys(("figure.facecolor", "axes.facecolor"), background),
            **dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), line),
            **dict.fromkeys(("axes.labelcolor", "text.color"), text),
            **dict.fromkeys(("xtick.labelcolor", "ytick.labelcolor"), text),
            "axes.spines.top": False,
            "legend.frameon": False,
            "font.size": 8,
            "lines.linewidth": 1.5,
        }
