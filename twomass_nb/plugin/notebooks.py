"""The notebooks that the plugin writes for a person: for a raw file, the locator, the sample."""

from __future__ import annotations

from typing import Any

from ..errors import NotFoundError

__all__ = ["notebook"]

_TEXTS = {
    "scan": """\
# A raw scan

Rows are counted from the south, columns from the east, frames from 0.
---
import twomass_nb as tm

scan = tm.open_scan({path!r})
scan
---
explorer = tm.explore.frames(scan, frame={frame})
explorer
---
scan.r1({frame}), scan.difference({frame})  # (256, 256) pixels, in DN""",
    "locator": """\
# Which scans saw this position?

The scan table here is SIMULATED. For the real one read twomass_scn of the 2MASS All-Sky DVD, or
fp_scan_dat of IRSA, with `tm.read_scan_table(path)`.
---
import twomass_nb as tm

loc = tm.ScanLocator(tm.simulate.scan_table())  # SIMULATED
---
sky = tm.explore.locator(loc, "18:19:59.7 -16:14:49")
sky
---
sky.state""",
    "sample": """\
# The sample: scan 63 of 2000-05-29, Cerro Tololo

It is SIMULATED, made on this machine (half a minute the first time). No telescope saw it.
---
import twomass_nb as tm

folder = tm.sample("scan63")
scan = tm.open_scan(folder / "000529s" / "j1186063.rds.gz")
scan
---
explorer = tm.explore.frames(scan)
explorer""",
}


def notebook(kind: str, path: str = "", frame: int = 0) -> dict[str, Any]:
    """Return a notebook, in Jupyter's format 4.5.

    Parameters
    ----------
    kind : {"scan", "locator", "sample"}
    path : str, optional
        The raw file, as seen from the notebook's folder.
    frame : int, optional
        Frame to start with.

    Raises
    ------
    NotFoundError
        If there is no such notebook.
    """
    if kind not in _TEXTS:
        msg = f"there is no notebook {kind!r}: use {', '.join(_TEXTS)}"
        raise NotFoundError(msg)
    text, *code = _TEXTS[kind].split("\n---\n")
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "id": "text", "metadata": {}, "source": text}
    ]
    for i, source in enumerate(code):
        source = source.format(path=path, frame=frame) if kind == "scan" else source
        cells.append(
            {
                "cell_type": "code",
                "id": f"code{i}",
                "metadata": {},
                "source": source,
                "execution_count": None,
                "outputs": [],
            }
        )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
