"""Pick cryo-EM particles in napari: from ten clicks, in minutes, on a laptop."""

from importlib.metadata import version

from .errors import CryopickError
from .labels import LabelClass, Labels
from .micrograph import Micrograph
from .picks import Picks, Source, Status

__version__ = version("napari-cryopick")

__all__ = ["CryopickError", "LabelClass", "Labels", "Micrograph", "Picks", "Source", "Status"]
