"""Time from a move of the slider to the new frame painted: the explorer against a bare Bokeh image.

Both are in one page of a headless Chromium, in JupyterLab, over the same bridge, and read the same
scan. The bare image is what anybody would write: a slider, and ``source.data["image"] = [frame]``.
The explorer does more a step: limits, colour bars, titles, WCS of the frame, the target, and the
coadd with the frame's outline.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
import jupyter_driver as driver

STEPS = 40
WARM_UP = 5

SCAN = """
import twomass_nb as tm
folder = tm.sample("scan63", short=True, folder="sample")
scan = tm.open_scan(folder / "000529s" / "j1186063.rds.gz")
"""
EXPLORER = """
explorer = tm.explore.frames(scan, frame=0)
explorer.figure.frame.figure.tags = ["explorer"]
explorer
"""
BARE = """
import ipywidgets
from bokeh.plotting import figure
from twomass_nb.explore.bridge import BokehView

plot = figure(frame_width=336, frame_height=336, name="bare-figure")
image = plot.image([scan.difference(0)], x=-0.5, y=-0.5, dw=256, dh=256, palette="Cividis256")
image.data_source.name = "bare"
slider = ipywidgets.IntSlider(0, 0, scan.n_frames - 1)
slider.add_class("bare")

def show(change):
    image.data_source.data["image"] = [scan.difference(change["new"])]

slider.observe(show, "value")
ipywidgets.VBox([slider, BokehView(plot)])
"""

# One step in the page: a key on the slider's handle, then the paint that follows the new pixels.
STEP = """async ([figure, source, slider, key]) => {
  const find = (name) => Bokeh.documents.map((d) => d.get_model_by_name(name)).find(Boolean);
  const view = Bokeh.index.find_one(find(figure));
  const image = () => find(source).data.image[0];
  const handle = document.querySelector(`${slider} .noUi-handle`);
  const before = image();
  await new Promise((resolve) => setTimeout(resolve, 60));
  return await new Promise((resolve) => {
    const paint = view._actual_paint;
    view._actual_paint = function () {
      paint.call(this);
      if (image() === before) return;
      const end = performance.now();
      view._actual_paint = paint;
      resolve(end - start);
    };
    const start = performance.now();
    handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  });
}"""
EXPLORER_STEP = ("frame-figure", "frame", ".twomass-nb-frames")
BARE_STEP = ("bare-figure", "bare", ".bare")


def measure(folder: Path, cells: tuple[str, ...] = (SCAN, EXPLORER, BARE)) -> tuple[float, float]:
    """Return the median time of a step of the explorer and of the bare image, ms."""
    driver.write_notebook(folder / "bench.ipynb", *cells)
    with driver.serve(folder) as server, driver.chromium() as browser:
        page = driver.new_page(browser)
        page.set_default_timeout(120_000)
        driver.open_notebook(page, server, "bench.ipynb")
        driver.run_all(page)
        for name in ("frame", "bare"):
            driver.wait_for_document(page, name)
        times = {EXPLORER_STEP: [], BARE_STEP: []}
        for i in range(WARM_UP + STEPS):
            key = "ArrowRight" if i // 20 % 2 == 0 else "ArrowLeft"
            for which, taken in times.items():
                taken.append(page.evaluate(STEP, [*which, key]))
    return tuple(statistics.median(taken[WARM_UP:]) for taken in times.values())


def main() -> None:
    """Print the claim."""
    with tempfile.TemporaryDirectory() as folder:
        explorer, bare = measure(Path(folder))
    print(
        f"frame step: explorer {explorer:.1f} ms, bare Bokeh image {bare:.1f} ms, "
        f"ratio {explorer / bare:.2f}"
    )


if __name__ == "__main__":
    main()
