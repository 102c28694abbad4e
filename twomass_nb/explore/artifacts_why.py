"""Why each artifact is there, in three sentences: what it comes from, where it shows, and when.

After UMass' description of the raw archive, unless a sentence names another source.
"""

from __future__ import annotations

__all__ = ["WHY"]

_TEXTS = {
    "jail bars": """
- Each column of a quadrant starts from a level of its own, the same in every frame, and dark
  frames show the bars best.
- They appear in identical fashion in r1 and r2, so they are not visible in r2 − r1, which all
  further processing begins with.
- The archive's example is a J dark; no band, site or period is known to be without them.
""",
    "reset decay": """
- Something of the reset is still there when read 1 begins 52 ms after it, and it decays in an
  irregular manner while the pixels are read, the bottom rows of each quadrant first.
- Read 2, 1298 ms later, is free of it, so r2 − r1 has a dark band over the bottom rows of each
  quadrant.
- The pattern is identical from frame to frame, so that a dark takes it away; its size is
  different for each array, so compare the bands.
""",
    "first column": """
- A transient occurs when the first column of a quadrant is read: a line down the centre of the
  array and another at its left edge.
- It is most prominent in r1 and r2; r2 − r1 is all but free of it.
- Its amplitude changed when the cameras' preamplifiers were modified: at Cerro Tololo before
  the night of 1999-01-18, at Mt. Hopkins on a date that we do not know.
""",
    "stripe": """
- A group of hot pixels disturbs the electronics when it is read.
- All four quadrants are read out at the same time, so a faint stripe appears in the same row of
  all four.
- The archive's example is a J dark, with hot pixels near column 6 of row 205; each array, and
  so each band, site and period, has hot pixels of its own.
""",
    "hot pixels": """
- Hot pixels collect charge without light, so they stand alone when the cold shutter is closed.
- They stay where they are while stars move by a sixth of a frame, so where there are no darks
  the median of the scan shows the hottest.
- Some have two states: in H, jumps of about 600 DN in r2 − r1 and 50 DN in r1 made sources that
  no other band has (G. Kopan).
""",
    "linearity": """
- If the electronics are linear, (sky1 − dark)/(sky2 − dark) is the same for all pixels, however
  sensitive they are.
- At Cerro Tololo, after the gain of the preamplifiers was doubled before the night of
  1999-01-18, the first column read of each quadrant departs from that in bright twilight; in
  data of Mt. Hopkins it does not.
- Flats made of such twilights underestimated the flux in that column by about 10 % in Ks and
  somewhat less in H, says one sentence of the archive's page, while another names J and H: so
  look at all three bands.
""",
    "saturation": """
- A full pixel has the same value in both reads, so that r2 − r1 is 0: very bright stars have a
  dark hole in their middle.
- A star that is full in r2 and not in r1 has a flat top.
- Each quadrant has a level of its own in every band and at both sites, and survey processing
  used a map of the saturation of each pixel.
""",
    "persistence": """
- Charge from a bright star is collected late from the material that absorbs the light, so its
  pixels glow for some frames after it has left them.
- The telescope has moved on by a step of about 82″ each time, so on the sky the glow is a trail
  of images at the spacing of the frame step, ahead of the star along the scan.
- The archive names no band, site or period that is free of it.
""",
    "astigmatism": """
- Light of H passes through one thick dichroic plate tilted at 45° and that of Ks through two,
  which makes the camera astigmatic in these bands and not in J.
- An astigmatic image is elongated when it is out of focus, and the direction turns as it goes
  through the focus; the frames do not say what the focus was.
- It is worst at Mt. Hopkins before 1997-07-13, when the focus began to follow the temperature;
  that telescope was itself astigmatic until its mirror's constraints were changed in September
  2000, and that of Cerro Tololo never was.
""",
}

#: Three sentences on each artifact.
WHY: dict[str, tuple[str, ...]] = {
    name: tuple(" ".join(sentence.split()) for sentence in text.split("\n- ")[1:])
    for name, text in _TEXTS.items()
}
