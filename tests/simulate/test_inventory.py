from __future__ import annotations

import numpy as np
import pytest

from twomass_nb.errors import ExistsError
from twomass_nb.scan import FileName, ScanId
from twomass_nb.simulate.inventory import raw_archive, write_dump
from twomass_nb.tables import is_simulated, read_inventory
from twomass_nb.tables.known import DUPLICATED, N_FILES, N_RAW_SCANS
from twomass_nb.tables.raw_scans import RAW_SCAN_COLUMNS


@pytest.fixture(scope="module")
def archive():
    return raw_archive(3_000, seed=5)


def test_the_archives_numbers_agree_with_each_other():
    # six files a scan, and second entries of scans that are listed twice have none of their own
    assert 6 * (N_RAW_SCANS - len(DUPLICATED)) == N_FILES


def test_it_has_the_size_and_the_duplicates_of_the_archive(archive):
    raw = archive.raw_scans
    assert len(raw) == 3_000
    keys = list(zip(raw["date"].tolist(), raw["hemis"].tolist(), raw["scan"].tolist(), strict=True))
    assert {key for key in keys if keys.count(key) > 1} == set(DUPLICATED)
    assert len(archive.inventory) == 6 * (3_000 - len(DUPLICATED))
    assert tuple(raw.colnames) == RAW_SCAN_COLUMNS


def test_every_table_says_that_it_is_simulated(archive):
    assert all(is_simulated(table) for table in vars(archive).values())


def test_days_files_and_labels_fit(archive):
    for row in archive.raw_scans[::97]:
        scan_id = ScanId(row["date"], row["hemis"], row["scan"])
        assert scan_id.day_no == row["day_no"]
        assert row["tape_label"].startswith(f"raw{row['hemis']}")
        assert row["disk_label"].startswith(row["hemis"])
    for row in archive.inventory[::997]:
        said = FileName.parse(row["file"], hemis=row["hemis"])
        assert said.scan_id == ScanId(row["date"], row["hemis"], row["scan"])
        assert (said.band, said.kind) == (row["band"], row["kind"])
    nights = archive.raw_scans["date", "hemis", "tape_label", "disk_label"]
    where = {(d, h): (t, k) for d, h, t, k in nights.iterrows()}
    assert all(where[d, h] == (t, k) for d, h, t, k in nights.iterrows())
    assert set(np.unique(archive.raw_scans["s_type"])) == {"sci", "flt", "dar", "tst"}


def test_the_same_seed_gives_the_same_tables():
    one, two = raw_archive(1_500, seed=1), raw_archive(1_500, seed=1)
    for a, b in zip(vars(one).values(), vars(two).values(), strict=True):
        assert a.as_array().tolist() == b.as_array().tolist()


def test_dumps_are_marked_and_not_written_over(archive, tmp_path):
    path = tmp_path / "inventory.dump"
    write_dump(archive.inventory[:60], path, "inventory")
    assert is_simulated(read_inventory(path))
    with pytest.raises(ExistsError):
        write_dump(archive.inventory[:60], path, "inventory")
