"""What tests share."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cryopick.io import match_picks, read_picks
from napari_cryopick.picks import Picks
from napari_cryopick.simulation.simulate import simulate_example
from napari_cryopick.simulation.synthetic import example_particle


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real micrographs with labels; see CONTRIBUTING.md."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real micrographs are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def simulated(tmp_path_factory) -> Path:
    """A folder with three small simulated micrographs and all their particles, 160 Å wide."""
    folder = tmp_path_factory.mktemp("simulated")
    how = {"shape": (256, 320), "pixel_size_angstrom": 4, "ice_balls": 0}
    simulate_example(folder, count=3, particles=12, **how)
    return folder


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """File permissions bind even if the tests are run by root."""
    if not hasattr(os, "geteuid"):
        pytest.skip("permissions of files are POSIX's")
    user = os.geteuid()
    if user != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(user)


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

    def publish(self, file: Path) -> str:
        """Put a file there; its address, with its hash."""
        (self.folder / file.name).write_bytes(file.read_bytes())
        return f"{self.address(file.name)}#sha256={sha256(file.read_bytes()).hexdigest()}"

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


@dataclass(frozen=True)
class Project:
    """Micrographs and every particle in them."""

    micrographs: list[Path]
    particles: dict[Path, Picks]

    def annotated(self, count: int) -> dict[Path, Picks]:
        """Return every particle of the first few micrographs."""
        return {path: self.particles[path] for path in self.micrographs[:count]}

    def clicks(self, count: int = 6) -> dict[Path, Picks]:
        """Return a few particles of the first micrograph."""
        path = self.micrographs[0]
        return {path: self.particles[path][np.arange(count)]}


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Project:
    """Four clean micrographs of particles that stand out."""
    folder = tmp_path_factory.mktemp("project")
    clean = {"pixel_size_angstrom": 4, "fragments": 0, "ice_balls": 0, "aggregates": 0}
    size = {"count": 4, "shape": (320, 384), "particles": 16}
    micrographs, star = simulate_example(folder, example_particle().scaled(2), **clean, **size)
    return Project(micrographs, match_picks(read_picks(star), micrographs))
