"""Micrographs and picks, from files and into files."""

from .files import atomic_path, writing_in
from .finding import find_micrographs
from .header import Header
from .image_formats import FORMATS
from .matching import match_picks
from .micrographs import check_pixels, read_header, read_micrograph, require_pixel_size
from .pick_formats import PICK_FORMATS, pick_format, read_picks, write_picks
from .pick_set import PickSet, flip_y

__all__ = [
    "FORMATS",
    "PICK_FORMATS",
    "Header",
    "PickSet",
    "atomic_path",
    "check_pixels",
    "find_micrographs",
    "flip_y",
    "match_picks",
    "pick_format",
    "read_header",
    "read_micrograph",
    "read_picks",
    "require_pixel_size",
    "write_picks",
    "writing_in",
]
