"""Choose a model: of this session, one of mine or a bundled one; keep it, export it, get others."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

from napari import settings
from psygnal.containers import EventedList
from qtpy import QtWidgets
from qtpy.compat import isalive
from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtGui import QAction

from ...errors import CryopickError
from ...model import registry
from ...model.card import ModelCard, card_summary, format_size, read_card
from .jobs import JobError, LatestWorker
from .layout import stack_up

_SIZE_PX = (560, 520)
_FILES = "Models (*.safetensors)"

session_models: EventedList[Path] = EventedList()
"""Runs and weights that were trained or opened since napari was started, oldest first."""


def add_session_model(path: Path) -> None:
    """Have a run, one of its iterations or a file chosen wherever a model is."""
    if path in session_models:
        session_models.remove(path)
    session_models.append(path)


def model_title(path: Path) -> str:
    """Return a model's name in a list; that of an iteration includes its run."""
    path = registry.model_root(path)
    in_run = path.name.startswith(registry.ITERATION)
    return f"{path.parent.name} / {path.name}" if in_run else path.name


def models_folder() -> Path:
    """Return the folder of my models: that of napari's preferences, or else the default."""
    chosen = ""
    if hasattr(settings, "get_plugin_settings"):  # napari 0.6.5 and later
        ours = settings.get_plugin_settings().get("napari-cryopick")
        chosen = ours.models.folder.strip() if ours else ""
    return Path(chosen).expanduser() if chosen else registry.models_folder()


class ModelCombo(QtWidgets.QComboBox):
    """A combo box of models, those of this session first, the newest of them chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
        self.setToolTip("The model: the bundled general one, or one that you have trained.")
        self.setPlaceholderText("none: train or open one")
        session_models.events.inserted.connect(self._on_added)
        self.choose(registry.DEFAULT)

    def model(self) -> str:
        """Return its name, or the path of its file or run folder; "" where there is none."""
        return str(self.currentData() or "")

    def choose(self, model: str) -> None:
        """List the models that there are now, and choose one, or else the first."""
        with QSignalBlocker(self):
            self.clear()
            for path in reversed(session_models):
                self._add(model_title(path), str(path), str(path))
            for entry in registry.list_models(models_folder()):
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


def card_dialog(
    title: str, path: Path, card: ModelCard, parent: QtWidgets.QWidget | None
) -> QtWidgets.QDialog:
    """Make a dialog of a model's name, what it is for, and what its card says below."""
    dialog = QtWidgets.QDialog(parent, windowTitle="About this model")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.resize(*_SIZE_PX)
    frame = QtWidgets.QFrame.Shape.NoFrame
    text = QtWidgets.QTextBrowser(frameShape=frame, html=_page(title, path, card))
    buttons = QtWidgets.QDialogButtonBox(QtWidgets.QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    stack_up(dialog, text, buttons)
    return dialog


def _page(title: str, path: Path, card: ModelCard) -> str:
    """Return HTML of what whoever made the model wrote as plain text."""

    def lines(text: str) -> str:
        return escape(text).replace("\n", "<br>")

    summary = {**card_summary(card), "File": f"{path}, {format_size(path.stat().st_size)}"}
    rows = (
        f'<tr><td style="padding: 6px 18px 6px 0"><b>{lines(name)}</b></td>'
        f'<td style="padding: 6px 0">{lines(text)}</td></tr>'
        for name, text in summary.items()
    )
    heading = f"<h2>{lines(card.name or title)}</h2><p>{lines(card.description)}</p>"
    return f"{heading}<table>{''.join(rows)}</table>"


class ModelMenu(QtWidgets.QToolButton):
    """A button with a menu about the model that is chosen in a combo box.

    `reported` gives a sentence, and whether something is wrong.
    """

    reported = Signal(str, bool)

    def __init__(self, models: ModelCombo) -> None:
        super().__init__(text="…")
        self.models = models
        self._worker = LatestWorker(self)
        self._worker.done.connect(self._on_downloaded)
        menu = QtWidgets.QMenu(self)
        self.about = self._action(menu, "About this model…", lambda: self.card().open())
        self.export = self._action(menu, "Export to a file…", self._ask_where)
        self.keep = self._action(menu, "Save to my models…", self._ask_name)
        self.remove = self._action(menu, "Remove from my models…", self._ask_whether)
        menu.addSeparator()
        self._action(menu, "Open a file…", self._browse)
        self._action(menu, "Download from the web…", self._ask_address)
        menu.aboutToShow.connect(self._enable)
        self.setMenu(menu)
        self.setToolTip("About this model; save, export, open or download models.")
        self.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setStyleSheet("QToolButton::menu-indicator { image: none; }")

    def card(self) -> QtWidgets.QDialog:
        """Return a dialog that shows the card of the model chosen."""
        path = registry.find_model(self.models.model(), models_folder())
        return card_dialog(self.models.currentText(), path, read_card(path), self.window())

    def save_as(self, path: Path) -> str:
        """Write the model chosen as one file."""
        registry.export_model(self.models.model(), path, models_folder())
        return f"The model was exported to {path}."

    def keep_as(self, name: str) -> str:
        """Save the model chosen to my models under a name."""
        return self._choose(registry.import_model(self.models.model(), name, models_folder()))

    def remove_kept(self) -> str:
        """Remove the model chosen from my models."""
        name = Path(self.models.model()).stem
        registry.remove_model(name, models_folder())
        self.models.choose("")
        return f"{name} was removed from your models."

    def download(self, url: str) -> None:
        """Download a model to my models, and choose it."""
        folder = models_folder()
        self.reported.emit("Downloading…", False)
        self._worker.ask(lambda: registry.import_model(url, folder=folder))

    def _on_downloaded(self, got: registry.ModelEntry | JobError) -> None:
        wrong = isinstance(got, JobError)
        self.reported.emit(got.message if isinstance(got, JobError) else self._choose(got), wrong)

    def _choose(self, entry: registry.ModelEntry) -> str:
        self.models.choose(str(entry.path))
        return f"{entry.name} was saved to your models in {entry.path.parent}."

    def _ask_where(self) -> str | None:
        start = f"{registry.default_name(self.models.model(), models_folder())}.safetensors"
        dialog = QtWidgets.QFileDialog
        path, _ = dialog.getSaveFileName(self, "Export this model", start, _FILES)
        return self.save_as(Path(path).with_suffix(".safetensors")) if path else None

    def _ask_name(self) -> str | None:
        default = registry.default_name(self.models.model(), models_folder())
        dialog = QtWidgets.QInputDialog
        name, agreed = dialog.getText(self, "Save to my models", "Name:", text=default)
        return self.keep_as(name) if agreed else None

    def _ask_whether(self) -> str | None:
        question = f"Remove {self.models.currentText()}? Its file is deleted."
        box = QtWidgets.QMessageBox
        agreed = box.question(self, "Remove from my models", question) == box.StandardButton.Yes
        return self.remove_kept() if agreed else None

    def _browse(self) -> None:
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self, "Open a model", "", _FILES)
        if path:
            add_session_model(Path(path))

    def _ask_address(self) -> None:
        prompt = "Address of the file, with #sha256= and its hash at the end:"
        url, agreed = QtWidgets.QInputDialog.getText(self, "Download a model", prompt)
        if agreed:
            self.download(url.strip())

    def _enable(self) -> None:
        """Offer what makes sense with the model chosen."""
        model = self.models.model()
        self.about.setEnabled(bool(model))
        self.export.setEnabled(bool(model))
        self.keep.setEnabled(Path(model) in session_models)
        self.remove.setEnabled(bool(model) and Path(model).parent == models_folder())

    def _action(self, menu: QtWidgets.QMenu, text: str, do: Callable[[], str | None]) -> QAction:
        """Add an entry that does something, and reports what came of it or what is wrong."""

        def act() -> None:
            try:
                if sentence := do():
                    self.reported.emit(sentence, False)
            except CryopickError as error:
                self.reported.emit(str(error), True)

        action = QAction(text, menu)
        menu.addAction(action)
        action.triggered.connect(act)
        return action
