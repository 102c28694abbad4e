"""What a person can take away from the locator explorer: files of the answer, and the code."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ..errors import TwomassError
from ..files import refuse_existing, whole_file
from .controls import Telling, labelled

if TYPE_CHECKING:
    from .locator_model import LocatorModel

__all__ = ["KINDS", "Export", "code", "write"]

#: What can be written, and the ending of its file's name.
KINDS = {
    "table, CSV": ".csv",
    "table, ECSV": ".ecsv",
    "area, MOC": ".moc.fits",
    "footprints, DS9 regions": ".reg",
}


def write(model: LocatorModel, kind: str, path: Path) -> Path:
    """Write the answer to a file, whole or not at all; what is simulated says so.

    Parameters
    ----------
    model : LocatorModel
    kind : str
        One of `KINDS`.
    path : path

    Raises
    ------
    ExistsError
        If the file is there already.
    TwomassError
        If there is nothing to write.
    """
    if len(model.table) == 0:
        message = "no scan is listed, so there is nothing to write"
        raise TwomassError(message)
    refuse_existing(path)
    content = {
        ".csv": _csv, ".ecsv": _ecsv, ".moc.fits": _moc, ".reg": _regions,
    }[KINDS[kind]](model)  # fmt: skip
    with whole_file(path) as file:
        file.write(content)
    return path


def _csv(model: LocatorModel) -> bytes:
    text = io.StringIO()
    model.table.write(text, format="ascii.csv")
    head = "# SIMULATED by twomass_nb\n" if model.listed_simulated else ""
    return (head + text.getvalue()).encode()


def _ecsv(model: LocatorModel) -> bytes:
    text = io.StringIO()
    model.table.write(text, format="ascii.ecsv")
    return text.getvalue().encode()


def _moc(model: LocatorModel) -> bytes:
    hdus = model.loc.moc(rows=model.rows).serialize(format="fits")
    if model.listed_simulated:
        hdus[1].header["SIMULATE"] = (True, "these scans never were")
    file = io.BytesIO()
    hdus.writeto(file)
    return file.getvalue()


def _regions(model: LocatorModel) -> bytes:
    return str(model.loc.ds9(rows=model.rows)).encode()


def code(model: LocatorModel) -> str:
    """Return Python code that asks the locator again what the table answers."""
    method = {"position": "covering", "box": "overlapping", "list": "covering_many"}[model.asked]
    return str(model.loc.code(method, model.question()[0], **model.selection))


class Export(widgets.VBox):
    """Controls that write files of a model's answer, and the code that repeats the question."""

    def __init__(self, model: LocatorModel) -> None:
        self.model = model
        self.kind = widgets.Dropdown(options=list(KINDS), layout={"width": "190px"})
        self.path = widgets.Text(value="scans.csv", layout={"width": "250px"})
        self.button = widgets.Button(description="Write", icon="save", layout={"width": "92px"})
        self.telling = Telling()
        self.code = widgets.Textarea(rows=6, layout={"width": "98%"})
        bar = widgets.HBox(
            [labelled("Write", self.kind), labelled("to the file", self.path), self.button],
            layout={"flex_flow": "row wrap", "align_items": "center"},
        )
        super().__init__([bar, self.telling, widgets.Label("The code that asks this:"), self.code])
        self.kind.observe(lambda change: self._rename(change["old"], change["new"]), "value")
        self.button.on_click(lambda _: self._write())
        self.show()

    def show(self) -> None:
        """Show the code of what is asked now."""
        try:
            self.code.value = code(self.model)
        except TwomassError as error:
            self.code.value = f"# {error}"

    def _rename(self, old: str, new: str) -> None:
        self.path.value = self.path.value.removesuffix(KINDS[old]) + KINDS[new]

    def _write(self) -> None:
        try:
            path = write(self.model, self.kind.value, Path(self.path.value).expanduser())
        except (TwomassError, OSError) as error:
            self.telling.warn(str(error))
        else:
            size = path.stat().st_size
            self.telling.say(f"Written: {path.absolute()} ({size:,} bytes)")
