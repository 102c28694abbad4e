"""What finding sources takes that is no part of the plain installation."""

from __future__ import annotations

from ..errors import TwomassError

__all__ = ["needs"]


def needs(package: str) -> None:
    """Raise `TwomassError` if a package that finding sources takes is not installed."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        msg = f"finding sources needs {package}: pip install 'twomass_nb[reduce]'"
        raise TwomassError(msg)
