"""The image formats, by suffix."""

from __future__ import annotations

from pathlib import Path

from ..errors import CryopickError
from .bitmap import BITMAP
from .header import ImageFormat
from .mrc import MRC
from .tiff import TIFF

FORMATS: dict[str, ImageFormat] = {
    **{
        suffix + compression: MRC
        for suffix in (".mrc", ".mrcs", ".map", ".st")
        for compression in ("", ".gz", ".bz2")
    },
    ".tif": TIFF,
    ".tiff": TIFF,
    ".png": BITMAP,
    ".jpg": BITMAP,
    ".jpeg": BITMAP,
}
"""Image formats by suffix; a further one is a module like `tiff` and an entry here."""


def image_format(path: Path) -> ImageFormat:
    """The format that a suffix tells; `CryopickError` if it is unknown."""
    try:
        return FORMATS[suffix_of(path.name)]
    except KeyError:
        known = ", ".join(name for name in FORMATS if name.count(".") == 1)
        raise CryopickError(f"{path} is not of a known image format ({known}).") from None


def stem(name: str) -> str:
    """A micrograph's file name without the suffix that tells its format."""
    suffix = suffix_of(name)
    return name[: -len(suffix)] if suffix in FORMATS else name


def suffix_of(name: str) -> str:
    """The suffix that tells the format, with that of a compression: ".mrc", ".mrc.gz"."""
    suffixes = Path(name.lower()).suffixes
    return "".join(suffixes[-2:] if suffixes[-1:] in ([".gz"], [".bz2"]) else suffixes[-1:])
