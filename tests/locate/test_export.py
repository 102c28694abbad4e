"""What the explorer writes of a locator says that scans are simulated where its own rows are."""

from __future__ import annotations

from astropy.coordinates import SkyCoord

from twomass_nb.explore.locator_export import KINDS, write
from twomass_nb.explore.locator_model import LocatorModel
from twomass_nb.locate import ScanLocator
from twomass_nb.simulate.scan_table import scan_table


def test_files_of_observed_scans_do_not_say_simulated(tmp_path):
    table = scan_table(20)
    table["source"] = ["scn", *["sim"] * 19]
    model = LocatorModel(ScanLocator(table))  # starts at the first scan
    assert model.simulated
    for i, said in ((0, False), (5, True)):
        model.go(SkyCoord(table["ra"][i], table["dec"][i], unit="deg"))
        assert set(model.table["source"]) == {"sim" if said else "scn"}
        for what, ending in KINDS.items():
            content = write(model, what, tmp_path / f"{i}{ending}").read_bytes()
            claims = (b"# SIMULATED by", b"SIMULATE: true", b"SIMULATE =", b"SIMULATE=")
            assert any(claim in content for claim in claims) is said
