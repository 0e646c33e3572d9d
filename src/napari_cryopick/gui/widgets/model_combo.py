"""Choosing a model: those trained meanwhile, those kept under a name, those that come along."""

from __future__ import annotations

from pathlib import Path

from psygnal.containers import EventedList
from qtpy.compat import isalive
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QComboBox, QSizePolicy

from ...model.registry import DEFAULT, ITERATION, ModelEntry, list_models, model_root
from ..contributions.preferences import models_folder

TRAINED: EventedList[Path] = EventedList()
"""Runs and weights that this session has trained or opened, oldest first."""


def offer(path: Path) -> None:
    """Have a run, one of its iterations or a file chosen wherever a model is."""
    if path in TRAINED:
        TRAINED.remove(path)
    TRAINED.append(path)


def title(path: Path) -> str:
    """A model's name among others; that of an iteration tells its run too."""
    path = model_root(path)
    in_run = path.name.startswith(ITERATION)
    return f"{path.parent.name} / {path.name}" if in_run else path.name


class ModelCombo(QComboBox):
    """A combo box of models, those of this session first, the newest of them chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip("The model: one that comes along, or one that you have trained.")
        TRAINED.events.inserted.connect(self._on_trained)
        self.setPlaceholderText("none yet: train one, or open one")
        self.choose(DEFAULT)

    def model(self) -> str:
        """Its name, or the path of its file or run folder; "" where there is none."""
        return str(self.currentData() or "")

    def choose(self, model: str) -> None:
        """List the models that there are now, and choose one, or else the first."""
        with QSignalBlocker(self):
            self.clear()
            for path in reversed(TRAINED):
                self._add(title(path), str(path), str(path))
            for listed in list_models(models_folder()):
                self._add(listed.name, _data(listed), f"{listed.origin}: {listed.path}")
        self.setCurrentIndex(max(0, self.findData(model)))

    def showPopup(self) -> None:  # noqa: N802
        """Models may have come and gone meanwhile."""
        self.choose(self.model())
        super().showPopup()

    def _on_trained(self) -> None:
        if isalive(self):
            self.choose(str(TRAINED[-1]))

    def _add(self, text: str, data: str, tip: str) -> None:
        self.addItem(text, data)
        self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)


def _data(listed: ModelEntry) -> str:
    return listed.name if listed.origin == "bundled" else str(listed.path)
