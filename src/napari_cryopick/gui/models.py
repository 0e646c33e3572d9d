"""Choosing a model: those that come along, those trained meanwhile, those in files."""

from __future__ import annotations

from pathlib import Path

from psygnal.containers import EventedList
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QComboBox, QFileDialog, QSizePolicy

TRAINED: EventedList[Path] = EventedList()
"""Runs and weights that this session has trained or opened, oldest first."""

_BROWSE = "Browse…"


class ModelCombo(QComboBox):
    """A combo box of models, the newest first, to which files can be added."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip("The model: one that comes along, or one that you have trained.")
        TRAINED.events.inserted.connect(self._on_trained)
        self.activated.connect(self._on_activated)
        self._refresh()

    def model(self) -> str:
        """Its name, or the path of its file or run folder; "" where there is none."""
        return str(self.currentData() or "")

    def add(self, path: Path) -> None:
        """Add a model of one's own and choose it."""
        TRAINED.append(path)

    def _on_trained(self) -> None:
        self._refresh()
        self.setCurrentIndex(0)

    def _refresh(self) -> None:
        with QSignalBlocker(self):
            self.clear()
            for path in reversed(TRAINED):
                self.addItem(path.name, str(path))
                self.setItemData(self.count() - 1, str(path), 3)
            for name in released_models():
                self.addItem(name, name)
            self.insertSeparator(self.count())
            self.addItem(_BROWSE)

    def _on_activated(self, index: int) -> None:
        if self.itemText(index) == _BROWSE:
            self.setCurrentIndex(0)
            path, _ = QFileDialog.getOpenFileName(
                self, "Open a model", "", "Models (*.safetensors)"
            )
            if path:
                self.add(Path(path))


def released_models() -> list[str]:
    """Names of the models that come along."""
    from ..network.zoo import list_models

    return list_models()
