"""Micrographs and picks, from files and into files."""

from ..picks import PickSet, flip_y
from .files import atomic_path, writing_in
from .images import Header
from .matching import left_out, match_picks, unmatched
from .micrograph_lists import names_micrographs
from .micrographs import (
    FORMATS,
    check_pixels,
    find_micrographs,
    read_header,
    read_micrograph,
    require_pixel_size,
)
from .pick_formats import PICK_FORMATS, pick_format, read_picks, write_picks

__all__ = [
    "FORMATS",
    "PICK_FORMATS",
    "Header",
    "PickSet",
    "atomic_path",
    "check_pixels",
    "find_micrographs",
    "flip_y",
    "left_out",
    "match_picks",
    "names_micrographs",
    "pick_format",
    "read_header",
    "read_micrograph",
    "read_picks",
    "require_pixel_size",
    "unmatched",
    "write_picks",
    "writing_in",
]
