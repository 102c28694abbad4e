"""The archive's own sample: which files make it whole, and that its pairs prove one another."""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

from ..cache import verified
from ..errors import (
    ExistsError,
    FetchError,
    LayoutError,
    OfflineError,
    RawFileError,
    ScanMissingError,
    TwomassWarning,
)
from ..files import whole_file
from ..raw import Layout, learn_layout
from ..raw.packing import says_simulated
from ..scan import BANDS, ScanId
from ..tables import read_par
from . import umass
from .fetch import check_par, check_raw
from .labels import Looked
from .remote_manners import public_url

__all__ = ["fetch_sample"]

_MARKER = "sample.json"
_TWIN = "the simulated twin needs no network: source='simulated'"
#: On which tape and disk the sample is (seed 000).
_LABELS = {"tape_label": "raws0136", "disk_label": "s04"}

_README = """\
{title}

Fetched by twomass_nb from {source}
Scan 63 of 2000-05-29 (Cerro Tololo) in J, H and Ks, the dark scan 90 of 2000-06-02 and the
twilight scans 155 to 159 of 2000-05-31: the sample of the UMass raw pixel data archive.

Word order of the .rds files, learnt from {pairs} pairs of .rds and .rdo, byte for byte:
{layout}
"""


def fetch_sample(place: Path) -> Path:
    """Fetch what is not in a folder yet of the archive's sample, and prove its pairs.

    Every .rds that has an .rdo twin must become it, byte for byte, under one word order, which
    is remembered.

    Returns
    -------
    Path
        `place`, with the night folders.

    Raises
    ------
    OfflineError
        If the network is forbidden.
    ScanMissingError
        If files could not be fetched: `looked` has each with the reason. Those that came are
        kept, and the next call goes on from there.
    LayoutError
        If a twin is not that of its file. The pair is set aside.
    ExistsError
        If the folder holds the simulated sample.

    Warns
    -----
    TwomassWarning
        If what came says that it is simulated: then whoever answers is not the archive.
    """
    marker = place / _MARKER
    said = _said(marker)
    if said.get("source", "archive") != "archive":
        msg = f"{place} holds the simulated sample: give the real one another folder"
        raise ExistsError(msg)
    if said and all(_is_whole(place / name, size) for name, (size, _) in said["files"].items()):
        return place
    marker.unlink(missing_ok=True)
    _fetch_all(place)
    layouts = _learn(place)
    _finish(place, marker, layouts)
    return place


def _said(marker: Path) -> dict[str, Any]:
    try:
        said = json.loads(marker.read_text())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _is_whole(path: Path, size: int) -> bool:
    """Whether a file is still what came; one in the cache is hashed, too."""
    return verified(path) and path.stat().st_size == size


# Fetching -------------------------------------------------------------------------------


def _fetch_all(place: Path) -> None:
    """Fetch file by file; one that is not there does not keep the others from coming."""
    from tqdm import tqdm

    from .remote import fetch_file

    names = list(umass.sample_names())
    failed: list[Looked] = []
    cause: FetchError | None = None
    quiet = not sys.stderr.isatty()
    for scan_id, name in tqdm(names, "sample", delay=1, leave=False, disable=quiet):
        url = umass.raw_url(name)
        par = partial(check_par, scan_id=scan_id, band=name[0])
        check = par if name.endswith(".par") else check_raw
        try:
            fetch_file(url, place / scan_id.night / name, check=check, what=name)
        except OfflineError as error:
            lacking = len(names) - _count(place, names)
            msg = f"{lacking} files of the archive's sample are not here: {error}; {_TWIN}"
            raise OfflineError(msg) from error
        except FetchError as error:
            failed.append(Looked(public_url(url), str(error)))
            cause = error
            if _is_down(error):
                break  # the others would be waited for in vain
    if failed:
        raise _incomplete(place, failed, names) from cause


def _is_down(error: FetchError) -> bool:
    """Whether it is the server that is in trouble, and not one file."""
    from .remote_trouble import Passing

    return isinstance(error.__cause__, Passing)


def _incomplete(
    place: Path, failed: list[Looked], names: list[tuple[ScanId, str]]
) -> ScanMissingError:
    lost = ", ".join(one.place.rsplit("/", 1)[-1] for one in failed[:4])
    more = f" and {len(failed) - 4} more" if len(failed) > 4 else ""
    msg = (
        f"the archive's sample is not whole: {_count(place, names)} of {len(names)} files are in "
        f"{place}, the next call goes on from there; not fetched: {lost}{more} "
        f"({failed[0].outcome}); {_TWIN}"
    )
    error = ScanMissingError(msg)
    error.looked, error.labels = failed, dict(_LABELS)
    return error


def _count(place: Path, names: list[tuple[ScanId, str]]) -> int:
    """Return how many of the files are there."""
    return sum((place / scan_id.night / name).is_file() for scan_id, name in names)


# Proving --------------------------------------------------------------------------------


def _learn(place: Path) -> dict[str, Layout]:
    """Return the word order that each pair shows; it must be the same one.

    Raises
    ------
    LayoutError
        If a pair shows none, or another than the rest. It is set aside, unless no pair shows
        any: then it is not the files that are wrong, but what we think of their order.
    """
    from tqdm import tqdm

    layouts: dict[str, Layout] = {}
    wrong: dict[str, Exception] = {}
    pairs = dict(_pairs(place))
    quiet = not sys.stderr.isatty()
    for name, (rds, rdo) in tqdm(pairs.items(), "pairs", delay=1, leave=False, disable=quiet):
        try:
            layouts[name] = learn_layout(rds, rdo)
        except (LayoutError, RawFileError) as error:
            wrong[name] = error
    if not layouts:
        why = next(iter(wrong.values()))
        msg = f"no pair of the sample shows a word order; its files are kept in {place}; {why}"
        raise LayoutError(msg) from why
    found = list(layouts.values())
    most = max(found, key=found.count)
    for name, layout in layouts.items():
        if layout != most:
            wrong[name] = LayoutError(f"its order is {layout}, that of other pairs {most}")
    if wrong:
        for name in wrong:
            for path in pairs[name]:
                path.replace(path.with_name(f"{path.name}.wrong"))
        name, why = next(iter(wrong.items()))
        msg = (
            f"{', '.join(wrong)}: .rds and .rdo are not the same scan ({why}); both are set aside "
            f"as .wrong in {pairs[name][0].parent}, the next call fetches them again"
        )
        raise LayoutError(msg) from why
    return layouts


def _pairs(place: Path) -> list[tuple[str, tuple[Path, Path]]]:
    return [
        (stem, (place / scan_id.night / f"{stem}.rds.gz", place / scan_id.night / f"{stem}.rdo.gz"))
        for scan_id, suffixes in umass.SAMPLE.items()
        if ".rdo.gz" in suffixes
        for stem in map(scan_id.stem, BANDS)
    ]


def _finish(place: Path, marker: Path, layouts: dict[str, Layout]) -> None:
    """Say what was found: in the folder, and to the person."""
    paths = [place / scan_id.night / name for scan_id, name in umass.sample_names()]
    simulated = [path for path in paths if _says_simulated(path)]
    source = public_url(umass.raw_url(""))
    title = "The archive's own files, as they came."
    if simulated:
        title = "SIMULATED: these files say so themselves; whoever sent them is not the archive."
        text = f"{source} answers with simulated files ({simulated[0].name}): it is no archive"
        warnings.warn(text, TwomassWarning, stacklevel=5)
    layout = next(iter(layouts.values()))
    what = {
        "name": "scan63",
        "source": "archive",
        "simulated": bool(simulated),
        "from": source,
        "layout": str(layout),
        "pairs": sorted(layouts),
        "files": {str(path.relative_to(place)): _origin(path) for path in paths},
    }
    readme = _README.format(title=title, source=source, pairs=len(layouts), layout=layout)
    for path, content in ((place / "README.txt", readme), (marker, json.dumps(what, indent=1))):
        with whole_file(path) as file:
            file.write(f"{content}\n".encode())
    print(
        f"twomass-nb: {len(layouts)} pairs of .rds and .rdo agree byte for byte; word order "
        f"'{layout}' learnt and remembered",
        file=sys.stderr,
    )


def _says_simulated(path: Path) -> bool:
    return read_par(path).simulated if path.suffix == ".par" else says_simulated(path)


def _origin(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
