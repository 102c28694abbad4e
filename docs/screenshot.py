"""Take the README's picture: the frames explorer in a real JupyterLab (make screenshot)."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))
import jupyter_driver as driver  # noqa: E402

CELL = """\
import twomass_nb as tm
scan = tm.open_scan(tm.sample("scan63") / "000529s" / "j1186063.rds.gz")
tm.explore.frames(scan, frame=170)"""


def main() -> None:
    """Write docs/images/frames.png."""
    with (
        tempfile.TemporaryDirectory() as folder,
        driver.serve(Path(folder)) as lab,
        driver.chromium() as browser,
    ):
        driver.write_notebook(Path(folder) / "frames.ipynb", CELL)
        page = driver.new_page(browser, width=1280, height=820)
        page.set_default_timeout(120_000)
        driver.open_notebook(page, lab, "frames.ipynb")
        driver.run_all(page)
        driver.wait_for_title(page, "frame 170 of")
        page.screenshot(path=ROOT / "docs" / "images" / "frames.png")


if __name__ == "__main__":
    main()
