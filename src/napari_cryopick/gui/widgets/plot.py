"""The course of a training, drawn while it goes on."""

from __future__ import annotations

from math import isfinite
from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QVBoxLayout, QWidget

from .jobs import Soon

_PAUSE_MS = 500
_HEIGHT_PX = 190
_COLOURS = {"loss": "#35e0d2", "F1": "#ffc233", "AP": "#c9a0ff"}


def import_matplotlib() -> None:
    """Do it in a thread, before the first curve is drawn."""
    import matplotlib.backends.backend_qtagg
    import matplotlib.figure  # noqa: F401


class TrainingPlot(QWidget):
    """Loss and validation against steps, drawn at most twice a second."""

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._theme = get_theme(theme)
        self._curves: dict[str, tuple[list[int], list[float]]] = {}
        self._marks: list[int] = []
        self._lines: dict[str, Any] = {}
        self._rules: list[Any] = []
        self._canvas: Any = None
        self._drawing = Soon(self._draw, self, _PAUSE_MS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.setFixedHeight(_HEIGHT_PX)
        self.clear()

    def clear(self) -> None:
        """Forget all curves."""
        self._curves = {name: ([], []) for name in _COLOURS}
        self._marks = []
        self.hide()

    def add(self, step: int, **values: float) -> None:
        """Add a point to curves, by name: loss, F1, AP; what is not known is left out."""
        for name, value in values.items():
            if isfinite(value):
                steps, heights = self._curves[name]
                steps.append(step)
                heights.append(value)
        self._drawing.ask()

    def mark(self) -> None:
        """Draw a line where the curve of the loss has come to."""
        if steps := self.steps("loss"):
            self._marks.append(steps[-1])
            self._drawing.ask()

    def steps(self, name: str) -> list[int]:
        """At which steps a curve has points."""
        return self._curves[name][0]

    def _draw(self) -> None:
        from matplotlib import rc_context

        with rc_context(self._style()):
            if self._canvas is None:
                self._make_canvas()
                self._drawing.ask()
                return
            self._redraw()
        self.show()

    def _redraw(self) -> None:
        for name, line in self._lines.items():
            line.set_data(*self._curves[name])
        for rule in self._rules:
            rule.remove()
        self._rules = [
            self._loss.axvline(step, color="gray", linewidth=0.8, linestyle=":")
            for step in self._marks
        ]
        drawn = [line for name, line in self._lines.items() if self._curves[name][0]]
        self._figure.legends.clear()
        self._figure.legend(handles=drawn, loc="outside upper left", ncols=3)
        self._loss.relim()
        self._loss.autoscale_view()
        self._canvas.draw_idle()

    def _make_canvas(self) -> None:
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
        from matplotlib.figure import Figure

        self._figure = Figure(layout="constrained")
        self._loss = self._figure.add_subplot(xlabel="step")
        score = self._loss.twinx()
        score.set_ylim(0, 1.02)
        for name, colour in _COLOURS.items():
            axes, marker = (self._loss, "") if name == "loss" else (score, ".")
            (self._lines[name],) = axes.plot([], [], color=colour, label=name, marker=marker)
        self._canvas = FigureCanvasQTAgg(self._figure)
        self.layout().addWidget(self._canvas)

    def _style(self) -> Any:
        """Matplotlib's parameters for napari's theme."""
        text, line = self._theme.text.as_hex(), self._theme.primary.as_hex()
        return {
            "figure.facecolor": self._theme.background.as_hex(),
            "axes.facecolor": self._theme.background.as_hex(),
            "axes.edgecolor": line,
            "axes.labelcolor": text,
            "axes.spines.top": False,
            "xtick.color": line,
            "ytick.color": line,
            "xtick.labelcolor": text,
            "ytick.labelcolor": text,
            "text.color": text,
            "legend.frameon": False,
            "font.size": 8,
            "lines.linewidth": 1.5,
        }
