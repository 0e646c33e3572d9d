"""Choosing a model: those that come along, those trained meanwhile, those in files."""

from __future__ import annotations

from pathlib import Path

from psygnal.containers import EventedList
from qtpy.compat import isalive
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QComboBox, QFileDialog, QSizePolicy

TRAINED: EventedList[Path] = EventedList()
"""Runs and weights that this session has trained or opened, oldest first."""


def offer(path: Path) -> None:
    """Have a run, one of its iterations or a file chosen wherever a model is."""
    if path in TRAINED:
        TRAINED.remove(path)
    TRAINED.append(path)


def title(path: Path) -> str:
    """A model's name among others; that of an iteration tells its run too."""
    in_run = path.name.startswith("iteration_")
    return f"{path.parent.name} / {path.name}" if in_run else path.name


class ModelCombo(QComboBox):
    """A combo box of models, the newest first, to which files can be added."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip("The model: one that comes along, or one that you have trained.")
        TRAINED.events.inserted.connect(self._on_trained)
        self.setPlaceholderText("none yet: train one, or browse")
        self._refresh()

    def model(self) -> str:
        """Its name, or the path of its file or run folder; "" where there is none."""
        return str(self.currentData() or "")

    def add(self, path: Path) -> None:
        """Add a model of one's own and choose it."""
        offer(path)

    def browse(self) -> None:
        """Let the user add a model file."""
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", "", "Models (*.safetensors)")
        if path:
            self.add(Path(path))

    def _on_trained(self) -> None:
        if isalive(self):
            self._refresh()
            self.setCurrentIndex(0)

    def _refresh(self) -> None:
        with QSignalBlocker(self):
            self.clear()
            for path in reversed(TRAINED):
                self.addItem(title(path), str(path))
                self.setItemData(self.count() - 1, str(path), Qt.ItemDataRole.ToolTipRole)
            for name in released_models():
                self.addItem(name, name)


def released_models() -> list[str]:
    """Names of the models that come along."""
    from ..network.zoo import list_models

    return [one.name for one in list_models()]
