"""The report of comparisons: one page of HTML that needs nothing but itself."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from ..errors import NotFoundError
from ..files import as_path, refuse_existing, whole_file
from . import report_pictures
from .comparison_result import BRIGHTER, Check, Comparison
from .comparison_trends import FALSE_ALARM, NAMES

__all__ = ["write"]

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; color: #222; background: #fff; max-width: 82em;
  margin: 1.5em auto; padding: 0 1em }
h1 { font-size: 1.4em } h2 { font-size: 1.15em; margin: 1.6em 0 .3em }
.beside { display: flex; flex-wrap: wrap; gap: 0 2em; align-items: flex-start }
.beside img { flex: 1 1 30em; min-width: 0; max-width: 44em; height: auto }
.beside div { flex: 0 1 auto; max-width: 100%; overflow-x: auto }
.beside div:last-child { flex: 1 1 30em }
table { border-collapse: collapse; font-size: .92em; margin: .4em 0;
  font-variant-numeric: tabular-nums }
th, td { padding: .1em .5em; border-bottom: 1px solid #ddd; text-align: right;
  white-space: nowrap; vertical-align: top }
th:first-child, td:first-child, .text { text-align: left }
td.text, thead th { white-space: normal }
thead th { border-bottom: 2px solid #888; vertical-align: bottom }
caption { text-align: left; padding: .3em 0; font-weight: bold }
.yes { color: #0a6b2d } .no { color: #b00020; font-weight: bold } .open { color: #666 }
.simulated { color: #b00020 }
.note { color: #555; font-size: .92em; max-width: 60em }
@page { size: A4; margin: 11mm }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 7pt }
  section + section { break-before: page } table { break-inside: avoid; margin: .2em 0 }
  h1, h2, p { margin: .3em 0 }
  .beside { gap: 0 1em; flex-wrap: nowrap; break-inside: avoid } .beside img { flex: 0 0 49% }
  .beside div, .beside div:last-child { flex: 0 1 auto; overflow: visible } }
"""
_CARDS = (
    ("POSREF", "positions from"), ("DARK", "darks"), ("TWI", "twilights"),
    ("FRAME1", "first frame"), ("FRAME2", "last frame"), ("KERNEL", "kernel"),
    ("PIXFRAC", "pixfrac"), ("NSOLO", "transient pixels masked"), ("NSTREAK", "trails masked"),
)  # fmt: skip


def write(
    comparisons: Comparison | Iterable[Comparison], path: str | os.PathLike[str],
    overwrite: bool = False,
) -> Path:  # fmt: skip
    """Write the report of one comparison, or of several below each other.

    Parameters
    ----------
    comparisons : Comparison or iterable of them
    path : path
        Of the HTML file.
    overwrite : bool, optional

    Returns
    -------
    path

    Raises
    ------
    ExistsError
        If the file is there and `overwrite` is not set.
    NotFoundError
        If there is no comparison.
    """
    several = [comparisons] if isinstance(comparisons, Comparison) else list(comparisons)
    if not several:
        msg = "there is no comparison to report: give one or more of compare_images"
        raise NotFoundError(msg)
    path = as_path(path)
    refuse_existing(path, overwrite)
    page = _page(several)
    with whole_file(path) as file:
        file.write(page.encode())
    return path


def _page(several: list[Comparison]) -> str:
    title = (
        "Our coadds beside the survey's" if len(several) > 1 else "Our coadd beside the survey's"
    )
    if any(comparison.simulated for comparison in several):
        title += " · SIMULATED"
    contents = _contents(several) if len(several) > 1 else ""
    sections = "".join(_section(n, comparison) for n, comparison in enumerate(several))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>{contents}{sections}{_method()}</main></body></html>\n"
    )


def _contents(several: list[Comparison]) -> str:
    rows = []
    for n, comparison in enumerate(several):
        values = {check.what: check for check in comparison.checks}
        cells = "".join(f"<td>{_value(check)}</td>" for check in values.values())
        rows.append(f'<tr><td><a href="#c{n}">{escape(comparison.title)}</a></td>{cells}</tr>')
    names = "".join(
        f'<th scope="col">{escape(check.what)}<br>{escape(check.unit)}</th>'
        for check in several[0].checks
    )
    head = f'<thead><tr><th scope="col">coadd</th>{names}</tr></thead>'
    return f"<table>{head}<tbody>{''.join(rows)}</tbody></table>"


def _value(check: Check) -> str:
    kind = {True: "yes", False: "no", None: "open"}[check.ok]
    mark = {True: "✓", False: "✗", None: "–"}[check.ok]
    value = "" if np.isnan(check.value) else f"{check.value:.3f} "
    return f'<span class="{kind}">{value}{mark}</span>'


def _section(n: int, comparison: Comparison) -> str:
    real = comparison.real
    simulated = ' <span class="simulated">SIMULATED</span>' if comparison.simulated else ""
    title = comparison.title.removesuffix(" · SIMULATED")
    ours = "simulated frames" if comparison.ours.simulated else "raw frames"
    alt = (
        f"Our coadd of {ours}, the survey's image {real.coadd} of scan {real.scan_id}, and the "
        f"difference, rms {comparison.background.rms / comparison.sky_sigma:.2f} SKYSIG a pixel"
    )
    plots = (
        f"Differences of {len(comparison.stars)} stars in magnitude and position; the mean star "
        "and the correlation of noise in both images: the numbers are in the tables"
    )
    return (
        f'<section id="c{n}"><h2>{escape(title)}{simulated}</h2>'
        f"<p><b>{escape(_upper(comparison.verdict))}.</b></p>"
        f"{_checks(comparison)}"
        f'<div class="beside"><img alt="{escape(alt)}" src="{report_pictures.images(comparison)}">'
        f"<div>{_stars(comparison)}</div></div>"
        f'<div class="beside"><img alt="{escape(plots)}" '
        f'src="{report_pictures.measurements(comparison)}"><div>{_trends(comparison)}</div></div>'
        f'<div class="beside"><div>{_numbers(comparison)}</div><div>{_made(comparison)}</div></div>'
        "</section>"
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _checks(comparison: Comparison) -> str:
    words = {True: ("yes", "✓ yes"), False: ("no", "✗ no"), None: ("open", "not judged")}
    rows = [
        (
            escape(check.what), _with_error(check.value, check.error), escape(check.bound),
            escape(check.unit), f'<span class="{words[check.ok][0]}">{words[check.ok][1]}</span>',
            escape(check.note),
        )
        for check in comparison.checks
    ]  # fmt: skip
    return _table(
        "Against the limits", ("", "found", "limit", "unit", "passes", ""), rows, text=(3, 4, 5)
    )


def _stars(comparison: Comparison) -> str:
    table = comparison.by_magnitude
    rows = [
        (
            f"{row['from']} to {row['to']}", str(row["n"]),
            *(f"{1000 * row[name]:.1f}" for name in ("mag_rms", "mag_robust", "mag_noise")),
            *(f"{1000 * row[name]:.0f}" for name in ("ra_rms", "dec_rms", "place_noise")),
        )
        for row in table
    ]  # fmt: skip
    limit = comparison.stars.meta["limit"]
    names = (
        "magnitude", "stars", "mmag rms", "mmag robust", "by noise", "mas rms, RA",
        "mas rms, Dec", "by noise",
    )  # fmt: skip
    caption = (
        f"Isolated stars. The limit (signal to noise 10) is {limit:.2f}: the limits above are "
        f"for {limit - BRIGHTER:.2f} and brighter"
    )
    return _table(caption, names, rows)


def _numbers(comparison: Comparison) -> str:
    rows = [
        (escape(what), _with_error(value, error), escape(unit))
        for what, value, error, unit in comparison.numbers
    ]
    return _table("Other numbers", ("", "found", "unit"), rows, text=(2,))


def _trends(comparison: Comparison) -> str:
    if not comparison.trends:
        return ""
    rows = []
    for name in dict.fromkeys(trend.with_ for trend in comparison.trends):
        cells = []
        for trend in comparison.trends:
            if trend.with_ == name:
                kind = "no" if not trend.ok else "open" if trend.found else ""
                text = (
                    f"{1000 * trend.size:.1f} ({1000 * trend.usual:.1f}), {_chance(trend.chance)}"
                )
                cells.append(f'<span class="{kind}">{text}</span>')
        rows.append((escape(name), *cells))
    heads = [NAMES[of] for of in dict.fromkeys(trend.of for trend in comparison.trends)]
    note = (
        "mmag and mas: size (what chance alone reaches in one of twenty), chance that one of all "
        f"these would be as unlikely. Without any trend, one comparison in {1 / FALSE_ALARM:.0f} "
        f"shows a chance under {FALSE_ALARM:g}; then a fifth of the limit still passes."
    )
    return _table("Trends of those stars", ("with", *heads), rows) + f'<p class="note">{note}</p>'


def _chance(chance: float) -> str:
    return f"{chance:.3f}" if chance < 0.1 else f"{chance:.1f}"


def _made(comparison: Comparison) -> str:
    """Say what both images were made from, as far as their headers tell."""
    from .. import __version__

    rows = []
    for name, image in (("ours", comparison.ours), ("real", comparison.real)):
        said = [f"{image!r}"[1:-1]]
        if image.path is not None:
            said.append(f"file {image.path.name}")
        for key, words in _CARDS:
            cards = [str(image.header[k]) for k in image.header if _numbered(k, key)]
            said += [f"{words} {', '.join(cards)}"] if cards else []
        made = [str(line) for line in image.header.get("HISTORY", ()) if name == "ours"]
        rows.append((name, escape("; ".join([*said, *made]))))
    blur = comparison.blur
    for name, sigma in (("real", blur.real), ("ours", blur.ours)):
        if max(sigma) > 0:
            text = f"{name} by sigma {sigma[0]:.2f} × {sigma[1]:.2f} pixels"
            rows.append(("blurred for stars", f"{text}, residual {blur.residual:.1%}"))
    rows.append(("compared by", f"twomass_nb {escape(__version__)}"))
    return _table("What they were made from", ("", ""), rows, text=(1,))


def _numbered(key: str, card: str) -> bool:
    """Whether a card is `card` itself or one of a row, as DARK1, DARK2."""
    return key == card or (key.startswith(card) and key[len(card) :].isdigit())


def _method() -> str:
    return (
        '<p class="note">Differences are ours less the real one. Stars are found in the real '
        "image, and measured in both at the same places, after the sharper image was blurred so "
        "that the mean star of both is the same. SKYSIG is the noise of a pixel that the real "
        "image's header gives.</p>"
    )


def _with_error(value: float, error: float) -> str:
    if np.isnan(value):
        return "–"
    if not error > 0:
        return f"{value:.4g}"
    places = min(6, max(0, 1 - math.floor(math.log10(error))))
    return f"{value:.{places}f} ± {error:.{places}f}"


def _table(
    caption: str,
    names: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    text: tuple[int, ...] = (),
) -> str:
    """Return a table; `rows` hold HTML, `text` says which columns are words."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=text' * (i in text)}>{cell}</td>" for i, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    head = f"<thead><tr>{head}</tr></thead>" if any(names) else ""
    return f"<table><caption>{escape(caption)}</caption>{head}<tbody>{body}</tbody></table>"
