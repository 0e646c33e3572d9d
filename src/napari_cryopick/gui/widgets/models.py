"""Choose a model: one trained or opened in this session, one of my models, a bundled one."""

from __future__ import annotations

from pathlib import Path

from napari import settings
from psygnal.containers import EventedList
from qtpy.compat import isalive
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QComboBox, QSizePolicy

from ...model import registry
from ...model.registry import DEFAULT, ITERATION, list_models, model_root

session_models: EventedList[Path] = EventedList()
"""Runs and weights that were trained or opened since napari was started, oldest first."""


def add_session_model(path: Path) -> None:
    """Have a run, one of its iterations or a file chosen wherever a model is."""
    if path in session_models:
        session_models.remove(path)
    session_models.append(path)


def model_title(path: Path) -> str:
    """Return a model's name in a list; that of an iteration includes its run."""
    path = model_root(path)
    in_run = path.name.startswith(ITERATION)
    return f"{path.parent.name} / {path.name}" if in_run else path.name


def models_folder() -> Path:
    """Return the folder of my models: that of napari's preferences, or else the default."""
    chosen = ""
    if hasattr(settings, "get_plugin_settings"):  # napari 0.6.5 and later
        ours = settings.get_plugin_settings().get("napari-cryopick")
        chosen = ours.models.folder.strip() if ours else ""
    return Path(chosen).expanduser() if chosen else registry.models_folder()


class ModelCombo(QComboBox):
    """A combo box of models, those of this session first, the newest of them chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip("The model: the bundled general one, or one that you have trained.")
        self.setPlaceholderText("none: train or open one")
        session_models.events.inserted.connect(self._on_added)
        self.choose(DEFAULT)

    def model(self) -> str:
        """Return its name, or the path of its file or run folder; "" where there is none."""
        return str(self.currentData() or "")

    def choose(self, model: str) -> None:
        """List the models that there are now, and choose one, or else the first."""
        with QSignalBlocker(self):
            self.clear()
            for path in reversed(session_models):
                self._add(model_title(path), str(path), str(path))
            for entry in list_models(models_folder()):
                name = entry.name if entry.origin == "bundled" else str(entry.path)
                self._add(entry.name, name, f"{entry.origin}: {entry.path}")
        self.setCurrentIndex(max(0, self.findData(model)))

    def showPopup(self) -> None:  # noqa: N802
        """List the models that have come and gone meanwhile."""
        self.choose(self.model())
        super().showPopup()

    def _on_added(self) -> None:
        if isalive(self):
            self.choose(str(session_models[-1]))

    def _add(self, text: str, data: str, tip: str) -> None:
        self.addItem(text, data)
        self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
