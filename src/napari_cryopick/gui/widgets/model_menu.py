"""What can be done about models: look at one, keep it, give it away, get others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFrame,
    QInputDialog,
    QLabel,
    QMenu,
    QMessageBox,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...errors import CryopickError
from ...model.card import ModelCard, card_summary, format_size, read_card
from ...model.registry import (
    ModelEntry,
    default_name,
    export_model,
    find_model,
    import_model,
    remove_model,
)
from ..contributions.preferences import models_folder
from .form import compact_rows
from .jobs import Errand, Refused
from .model_combo import TRAINED, ModelCombo, offer

_SIZE_PX = (560, 520)


class ModelCardDialog(QDialog):
    """A model's name, what it is for, and what its card says below.

    Parameters
    ----------
    title
        What the model is called where it was chosen.
    path
        Its file.
    card
        Its card.
    """

    def __init__(self, title: str, path: Path, card: ModelCard, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("About this model")
        self.resize(*_SIZE_PX)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(20, 20, 20, 14)
        rows.setSpacing(12)
        rows.addWidget(_heading(card.name or title))
        if card.description:
            rows.addWidget(_text(card.description))
        file = f"{path}, {format_size(path.stat().st_size)}"
        rows.addWidget(_scrolled({**card_summary(card), "File": file}), stretch=1)
        buttons = QDialogButtonBox()
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        rows.addWidget(buttons)


def _scrolled(told: dict[str, str]) -> QScrollArea:
    content = QWidget()
    rows = compact_rows(content)
    rows.setVerticalSpacing(10)
    rows.setHorizontalSpacing(18)
    for title, text in told.items():
        rows.addRow(_dim(title), _text(text))
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def _text(text: str) -> QLabel:
    """Words of whoever made the model: to be copied, but not taken for HTML."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    return label


def _heading(text: str) -> QLabel:
    label = _text(text)
    label.setStyleSheet("font-size: 18px; font-weight: bold")
    return label


def _dim(text: str) -> Any:
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    label.setStyleSheet("font-weight: bold")
    return label


_FILES = "Models (*.safetensors)"


class ModelMenu(QToolButton):
    """A button with a menu about the model that is chosen in a combo box.

    Parameters
    ----------
    models
        The combo box.
    """

    told = Signal(str, bool)

    def __init__(self, models: ModelCombo) -> None:
        super().__init__()
        self.models = models
        self._errand = Errand(self)
        self._errand.done.connect(self._on_downloaded)
        menu = QMenu(self)
        self.about = self._action(menu, "About this model…", self._show_card)
        self.export = self._action(menu, "Save as one file…", self._ask_where)
        self.keep = self._action(menu, "Keep under a name…", self._ask_name)
        self.remove = self._action(menu, "Remove…", self._ask_whether)
        menu.addSeparator()
        self._action(menu, "Open a file…", self._browse)
        self._action(menu, "Import from the web…", self._ask_address)
        menu.aboutToShow.connect(self._enable)
        self.setMenu(menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setStyleSheet("QToolButton::menu-indicator { image: none; }")

    def card(self) -> ModelCardDialog:
        """What the model chosen says of itself, in a dialog."""
        path = find_model(self.models.model(), models_folder())
        return ModelCardDialog(self.models.currentText(), path, read_card(path), self.window())

    def save_as(self, path: Path) -> str:
        """Write the model chosen as one file."""
        export_model(self.models.model(), path, models_folder())
        return f"The model is in {path}."

    def keep_as(self, name: str) -> str:
        """Keep the model chosen under a name."""
        kept = import_model(self.models.model(), name, models_folder())
        self.models.choose(str(kept.path))
        return f"{kept.name} is kept in {kept.path.parent}."

    def remove_kept(self) -> str:
        """Remove the model chosen from those kept."""
        name = Path(self.models.model()).stem
        remove_model(name, models_folder())
        self.models.choose("")
        return f"{name} is removed."

    def download(self, url: str) -> None:
        """Import a model from the web, and choose it."""
        folder = models_folder()
        self.told.emit("Downloading…", False)
        self._errand.ask(lambda: import_model(url, folder=folder))

    def forget(self) -> None:
        """Tell nothing any more of what is still being downloaded."""
        self._errand.forget()

    def _on_downloaded(self, got: ModelEntry | Refused) -> None:
        if isinstance(got, Refused):
            self.told.emit(got.message, True)
            return
        self.models.choose(str(got.path))
        self.told.emit(f"{got.name} is kept in {got.path.parent}.", False)

    def _show_card(self) -> None:
        self.card().open()

    def _ask_where(self) -> None:
        start = default_name(self.models.model(), models_folder()) + ".safetensors"
        path, _ = QFileDialog.getSaveFileName(self, "Save as one file", start, _FILES)
        if path:
            self._tell(lambda: self.save_as(Path(path).with_suffix(".safetensors")))

    def _ask_name(self) -> None:
        usual = default_name(self.models.model(), models_folder())
        name, agreed = QInputDialog.getText(self, "Keep this model", "Its name:", text=usual)
        if agreed:
            self._tell(lambda: self.keep_as(name))

    def _ask_whether(self) -> None:
        question = f"Remove {self.models.currentText()}? Its file is deleted."
        answer = QMessageBox.question(self, "Remove this model", question)
        if answer == QMessageBox.StandardButton.Yes:
            self._tell(self.remove_kept)

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a model", "", _FILES)
        if path:
            offer(Path(path))

    def _ask_address(self) -> None:
        prompt = "Address of the file, with #sha256= and its hash at the end:"
        url, agreed = QInputDialog.getText(self, "Import a model from the web", prompt)
        if agreed:
            self.download(url.strip())

    def _enable(self) -> None:
        """Offer what makes sense with the model chosen."""
        model = self.models.model()
        kept = bool(model) and Path(model).parent == models_folder()
        self.about.setEnabled(bool(model))
        self.export.setEnabled(bool(model))
        self.keep.setEnabled(Path(model) in TRAINED)
        self.remove.setEnabled(kept)

    def _action(self, menu: QMenu, text: str, do: Callable[[], Any]) -> Any:
        action = menu.addAction(text)
        action.triggered.connect(lambda: self._tell(do))
        return action

    def _tell(self, do: Callable[[], str | None]) -> None:
        """Do something; tell what came of it, or why it could not be done."""
        try:
            if said := do():
                self.told.emit(said, False)
        except CryopickError as error:
            self.told.emit(str(error), True)
