"""Heavy work and heavy imports in a thread, while the window stays alive.

Python holds its lock while it loads a shared library and while it looks for garbage; torch brings
a library of half a gigabyte and a million objects. Either would stop the window for a quarter of
a second.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import get_native_id


@contextmanager
def window_first() -> Iterator[None]:
    """What runs in here, and in threads that it starts, gives way to the window.

    All objects are searched for garbage a hundred times less often meanwhile.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), 5)
    interval, (young, middle, old) = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(0.0005)
    gc.set_threshold(young, middle, 100 * old)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(young, middle, old)


@contextmanager
def gentle_imports() -> Iterator[None]:
    """Imports in here, torch among them, stop no other thread for long."""
    _load_torch_libraries()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        gc.enable()


def _load_torch_libraries() -> None:
    """Load what `import torch` will need, through a call that leaves the lock to others."""
    torch = find_spec("torch")
    if "torch" in sys.modules or os.name == "nt" or torch is None or torch.origin is None:
        return
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    folder = Path(torch.origin).parent / "lib"
    for name, scope in (("libtorch_global_deps", os.RTLD_GLOBAL), ("libtorch_cpu", 0)):
        load(os.fsencode(folder / (name + suffix)), os.RTLD_NOW | scope)
