"""Model files from the web: downloaded once, kept under their hash."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urldefrag

from ..errors import CryopickError
from ..io import writing_in
from .card import SUFFIX

_URL = re.compile("https?://", re.IGNORECASE)
_SHA256 = re.compile("[0-9a-f]{64}")


def is_url(name: str) -> bool:
    """Return whether a model is named by its address on the web."""
    return _URL.match(name) is not None


def fetch(url: str, folder: Path) -> Path:
    """Download a file into a folder unless it is there already.

    Parameters
    ----------
    url
        Ends in ``#sha256=`` and the hash of the file.
    folder
        Where it is kept, named by its hash.

    Raises
    ------
    CryopickError
        If there is no hash, it does not fit the file, or the download failed; no file is left.
    """
    from pooch import retrieve
    from requests import RequestException

    address, sha256 = _split(url)
    with writing_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return Path(retrieve(address, f"sha256:{sha256}", fname=sha256 + SUFFIX, path=folder))
        except RequestException as error:
            raise CryopickError(_unreachable(address, error)) from error
        except PermissionError:
            problem = f"{folder} cannot be written to; choose another folder for models."
        except ValueError:
            hint = "ask whoever gave you the address"
            problem = f"{address} is not the file with the hash {sha256[:8]}…; {hint}."
        raise CryopickError(problem)


def _split(url: str) -> tuple[str, str]:
    """Split an address with a hash into both."""
    address, fragment = urldefrag(url)
    sha256 = parse_qs(fragment).get("sha256", [""])[0].lower()
    if not _SHA256.fullmatch(sha256):
        raise CryopickError(
            f"{address} comes without its hash; add #sha256= and 64 hexadecimal digits."
        )
    return address, sha256


def _unreachable(address: str, error: OSError) -> str:
    answer = getattr(error, "response", None)
    if answer is not None:
        return (
            f"{address}: download failed ({answer.status_code} {answer.reason}); check the address."
        )
    return f"{address}: download failed; check the network, or get the file in another way."
