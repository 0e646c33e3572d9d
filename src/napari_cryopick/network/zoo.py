"""Models by name, file or run folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CryopickError

if TYPE_CHECKING:
    from .weights import Model

WEIGHTS = "model.safetensors"
BEST = "best"
_BUNDLED = Path(__file__).parent / "bundled"


def list_models(folders: Sequence[Path] = ()) -> list[str]:
    """Names of the models that come along, then the run folders among `folders`."""
    bundled = sorted(path.stem for path in _BUNDLED.glob("*.safetensors"))
    return bundled + [str(folder) for folder in folders if _in_run(folder)]


def load_model(name: str | Path) -> Model:
    """Load a model by its name, its file, its run folder (the best iteration) or one iteration.

    Raises
    ------
    CryopickError
        If there is no such model, or its file is broken.
    """
    from .weights import load_weights  # torch, which a list of names does without

    if not str(name):
        raise CryopickError("No model is named; train one first, or name a model file or run.")
    bundled = _BUNDLED / f"{name}.safetensors"
    return load_weights(bundled if bundled.is_file() else _file(Path(name)))


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = _in_run(path)
    if found is None:
        raise CryopickError(
            f"{path} holds no trained model; let its training finish or take another."
        )
    return found


def _in_run(folder: Path) -> Path | None:
    """The weights of a run (its best iteration) or of one of its iterations."""
    candidates = (folder / BEST / WEIGHTS, folder / WEIGHTS)
    return next((path for path in candidates if path.is_file()), None)
