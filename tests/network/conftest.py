"""Small models in files, in a run and on the web."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from napari_cryopick.network.architectures import ARCHITECTURES
from napari_cryopick.network.card import ModelCard
from napari_cryopick.network.weights import Model, save_weights
from napari_cryopick.network.zoo import VARIABLE

Save = Callable[..., Path]


def _save(path: Path, threshold: float = 0.5, **card: Any) -> Path:
    made = ModelCard(architecture="compact", particle_px=20, threshold=threshold, **card)
    save_weights(path, Model(ARCHITECTURES["compact"](), made))
    return path


@pytest.fixture(scope="session")
def save() -> Save:
    """Writes a model that nobody has trained."""
    return _save


@pytest.fixture
def run(tmp_path) -> Path:
    """A run of two iterations of which the first is the better."""
    run = tmp_path / "my run"
    _save(run / "iteration_0_supervised" / "model.safetensors", 0.25)
    _save(run / "iteration_1_selftrain" / "model.safetensors", 0.75)
    (run / "best").symlink_to("iteration_0_supervised")
    return run


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch) -> Path:
    """The folder of one's own models."""
    folder = tmp_path / "own models"
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


class Web:
    """A web server for the files in a folder; it counts what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(_Handler, self.asked, directory=str(folder))
        )
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def address(self, name: str) -> str:
        """Where a file of the folder is."""
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def go_off(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, asked: list[str], *args: Any, **kwargs: Any) -> None:
        self._asked = asked
        super().__init__(*args, **kwargs)

    def log_message(self, format: str, *args: Any) -> None:
        self._asked.append(self.path)


@pytest.fixture
def web(tmp_path) -> Iterator[Web]:
    """A folder on the web."""
    folder = tmp_path / "web"
    folder.mkdir()
    web = Web(folder)
    yield web
    web.go_off()
