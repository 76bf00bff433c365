"""Patches the test process as `main.py` patches the real one: `python -m pytest -p tests.green tests/ticker`.

A pytest plugin and not a `conftest.py`, because `-p` is read before any conftest, any test, any other plugin and any library of ours is
imported: what is imported after the patch is green, what was before may not be.
"""

import gc
import os
import warnings

os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
warnings.filterwarnings("ignore", message="\\s*Eventlet is deprecated")
import eventlet  # noqa: E402  (the warning filter must stand before it)

eventlet.monkey_patch()


def pytest_report_header() -> str:
    """Say it at the top of the run: a test that passes only patched, or only unpatched, is easier to understand."""
    return f"eventlet: {eventlet.__version__}, patched"


def pytest_collection_finish() -> None:
    """What is imported and collected by now stays: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
