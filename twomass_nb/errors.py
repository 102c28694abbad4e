"""The kinds of things that go wrong; every message is one line saying what, and what to do."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

__all__ = [
    "AtlasError",
    "CalibrationError",
    "ExistsError",
    "FetchError",
    "LayoutError",
    "NotFoundError",
    "OfflineError",
    "PositionError",
    "RawFileError",
    "ScanMissingError",
    "ScanNameError",
    "TableError",
    "TwomassError",
    "TwomassWarning",
    "WriteError",
    "needs",
    "warn",
]


class TwomassError(Exception):
    """Anything twomass_nb refuses to do; the command line prints it and exits with 1."""


class ScanNameError(TwomassError, ValueError):
    """A text that does not name a scan, or names an impossible one."""


class PositionError(TwomassError, ValueError):
    """A position that is not on the sky: NaN, out of range, or not understood."""


class TableError(TwomassError, ValueError):
    """A table of the archive that cannot be read, or lacks what is needed."""


class AtlasError(TwomassError, ValueError):
    """A file that is not a 2MASS Atlas Image, or a broken one."""


class CalibrationError(TwomassError, ValueError):
    """Frames that cannot be calibrated, or cannot calibrate others."""


class RawFileError(TwomassError, ValueError):
    """A raw file that is empty, broken, of the wrong size or not a raw file at all."""


class LayoutError(TwomassError, ValueError):
    """The word order of a raw file is unknown, ambiguous or contradicted by its content.

    `tried` lists what was tried, where a search found nothing.
    """

    tried: tuple[str, ...] = ()


class ExistsError(TwomassError, FileExistsError):
    """A file that would be overwritten without having been told to."""


class WriteError(TwomassError, OSError):
    """A file that cannot be written: no permission, no room, no such place."""


class NotFoundError(TwomassError, LookupError):
    """Something asked for is not there: a scan, a band, a frame, a file."""


class ScanMissingError(NotFoundError):
    """A scan whose raw files are nowhere: says where was looked and what to ask the archive for.

    Attributes
    ----------
    looked : list
        Every place that was looked at, with its `place` and `outcome`.
    labels : dict of str
        ``tape_label`` and ``disk_label`` of the scan, where the raw scan table is known.
    """

    looked: list[Any]
    labels: dict[str, str]


class FetchError(TwomassError, OSError):
    """Something that cannot be fetched: a dead host, a refusal, or not what was asked for.

    Attributes
    ----------
    status : int or None
        The HTTP status, if the server answered with one that is an error.
    """

    status: int | None = None


class OfflineError(FetchError):
    """Something that would have been fetched, had the network not been forbidden."""


class TwomassWarning(UserWarning):
    """Something a person should know although the work goes on."""


_PASSED_OVER = (__package__, "functools")  # which stands between, where a property is cached


def warn(text: str) -> None:
    """Give a `TwomassWarning` at the line that called this package, however far up that is."""
    level, frame = 1, inspect.currentframe()
    while (
        frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _PASSED_OVER
    ):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, TwomassWarning, stacklevel=level)


def needs(package: str, extra: str) -> None:
    """Raise `TwomassError` if a package of an extra is not installed; the message says which."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        msg = f"this needs {package}: pip install 'twomass_nb[{extra}]'"
        raise TwomassError(msg)
