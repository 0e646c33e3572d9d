"""Model files from the web: downloaded once, kept under their hash."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urldefrag

from ..errors import CryopickError
from ..io import writing_in
from .card import SUFFIX


def is_url(name: str) -> bool:
    """Return whether a model is named by its address on the web."""
    return re.match("https?://", name, re.IGNORECASE) is not None


def fetch(url: str, folder: Path) -> Path:
    """Download a file into a folder, named by its hash, unless it is there already.

    The address ends in ``#sha256=`` and the hash. No file is left if it does not fit or the
    download failed.
    """
    from pooch import retrieve
    from requests import RequestException

    address, fragment = urldefrag(url)
    sha256 = parse_qs(fragment).get("sha256", [""])[0].lower()
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise CryopickError(
            f"{address} comes without its hash; add #sha256= and 64 hexadecimal digits."
        )
    with writing_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return Path(retrieve(address, f"sha256:{sha256}", fname=sha256 + SUFFIX, path=folder))
        except RequestException as error:
            reason, advice = "", "check the network, or get the file in another way"
            if error.response is not None:
                reason = f" ({error.response.status_code} {error.response.reason})"
                advice = "check the address"
            problem = f"{address}: download failed{reason}; {advice}."
        except PermissionError:
            problem = f"{folder} cannot be written to; choose another folder for models."
        except ValueError:
            hint = "ask whoever gave you the address"
            problem = f"{address} is not the file with the hash {sha256[:8]}…; {hint}."
        raise CryopickError(problem)
