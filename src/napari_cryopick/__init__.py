"""Pick cryo-EM particles in napari: from ten clicks, in minutes, on a laptop.

>>> import napari_cryopick as cryopick
>>> picks = cryopick.predict("micrographs", diameter_angstrom=160)
>>> cryopick.write_picks("picks.star", picks)
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

from .errors import CryopickError

if TYPE_CHECKING:
    from .api import classify, evaluate, extract, predict, self_train, train
    from .io import read_micrograph, read_picks, write_picks
    from .labels import LabelClass, Labels
    from .micrograph import Micrograph
    from .model.registry import load_model
    from .picks import Picks, PickSet, Source, Status

__version__ = version("napari-cryopick")

__all__ = [
    "CryopickError",
    "LabelClass",
    "Labels",
    "Micrograph",
    "PickSet",
    "Picks",
    "Source",
    "Status",
    "classify",
    "evaluate",
    "extract",
    "load_model",
    "predict",
    "read_micrograph",
    "read_picks",
    "self_train",
    "train",
    "write_picks",
]

_ORIGINS = {
    "api": ("classify", "evaluate", "extract", "predict", "self_train", "train"),
    "io": ("read_micrograph", "read_picks", "write_picks"),
    "labels": ("LabelClass", "Labels"),
    "micrograph": ("Micrograph",),
    "model.registry": ("load_model",),
    "picks": ("PickSet", "Picks", "Source", "Status"),
}

if not TYPE_CHECKING:  # a type checker would take every name for one that exists

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used, so that importing the package is quick."""
        for module, names in _ORIGINS.items():
            if name in names:
                return getattr(import_module(f".{module}", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
