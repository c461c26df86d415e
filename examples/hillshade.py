"""A program without fdx: slope and hillshade of a terrain by NumPy and matplotlib.

Shows `python -m fdx run`, which lets fdx compute every np.gradient of a program, here one in the
program and one in matplotlib, and reports the calls. Nothing else changes: not a byte of the
results, as the checksum shows.

To see: where the ground is steep, and how it looks with the sun in the north-west.

    python examples/hillshade.py [picture.png]
    python -m fdx run --compare examples/hillshade.py [picture.png]
"""

import hashlib
import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cbook import get_sample_data
from matplotlib.colors import LightSource


def elevation():
    """Elevation in m, southward and eastward spacing in m."""
    with np.load(get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)) as dem:
        metres = 111_200.0  # to a degree of latitude
        east = np.cos(np.radians((dem["ymin"] + dem["ymax"]) / 2))
        return dem["elevation"], metres * dem["dy"], metres * dem["dx"] * east


def main(picture=None):
    z, dy, dx = elevation()
    south, east = np.gradient(z, dy, dx)
    slope = np.degrees(np.arctan(np.hypot(south, east)))
    shade = LightSource(azdeg=315, altdeg=45).hillshade(z, vert_exag=2, dx=dx, dy=dy)

    print(f"steepest slope {slope.max():.1f} degrees, median {np.median(slope):.1f} degrees")
    print(f"SHA-256 {hashlib.sha256(slope.tobytes() + shade.tobytes()).hexdigest()}")

    if picture:
        figure, panels = plt.subplots(1, 2, figsize=(6.2, 2.8), layout="constrained")
        panels[0].imshow(shade, cmap="gray", vmin=0, vmax=1)
        panels[0].set_title("hillshade")
        drawn = panels[1].imshow(slope, cmap="viridis")
        panels[1].set_title("slope")
        figure.colorbar(drawn, ax=panels[1], label="degrees")
        for panel in panels:
            panel.set(xticks=[], yticks=[])
        figure.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
