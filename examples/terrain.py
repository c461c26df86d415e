"""Curvature of a terrain: crests, noses and hollows along the Jacksboro fault, Tennessee.

Shows `fdx.hessian`, all second derivatives in one pass, and three curvatures of geomorphology that
are computed from them, here positive where the ground is convex. The elevations are whole metres,
too rough for second derivatives, so they are smoothed first, by diffusion.

To see: mean curvature marks crests (red) and valley floors (blue); plan curvature marks noses,
where water diverges, and hollows, where it converges; profile curvature marks the rims and feet of
slopes.

    python examples/terrain.py [picture.png]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cbook import get_sample_data
from matplotlib.colors import LightSource

import fdx


def elevation():
    """Elevation in m, southward and eastward spacing in m."""
    with np.load(get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)) as dem:
        metres = 111_200.0  # to a degree of latitude
        east = np.cos(np.radians((dem["ymin"] + dem["ymax"]) / 2))
        return dem["elevation"].astype(float), metres * dem["dy"], metres * dem["dx"] * east


def smooth(z, dy, dx, length):
    """Diffusion for a time of length**2 / 2, which is a Gaussian filter; no flux at the edges."""
    laplacian = fdx.Diff(0, dy, boundary="symmetric") ** 2
    laplacian += fdx.Diff(1, dx, boundary="symmetric") ** 2
    steps = int(np.ceil(length**2 / 2 * laplacian.spectral_radius(z.shape) / 1.8))
    for _ in range(steps):
        z = z + length**2 / 2 / steps * laplacian(z)
    return z


def curvatures(z, dy, dx):
    """Mean, plan (of contour lines) and profile (along the slope) curvature, in 1/m."""
    q, p = fdx.gradient(z, dy, dx, edge_order=2)
    (t, s), (_, r) = fdx.hessian(z, dy, dx)
    slope2 = np.maximum(p**2 + q**2, 1e-12)  # not 0 on level ground
    root = np.sqrt(1 + slope2)
    mean = -((1 + q**2) * r - 2 * p * q * s + (1 + p**2) * t) / (2 * root**3)
    plan = -(q**2 * r - 2 * p * q * s + p**2 * t) / slope2**1.5
    profile = -(p**2 * r + 2 * p * q * s + q**2 * t) / (slope2 * root**3)
    return mean, plan, profile


def main(picture=None):
    z, dy, dx = elevation()
    z = smooth(z, dy, dx, length=150.0)
    found = dict(zip(("mean", "plan", "profile"), curvatures(z, dy, dx), strict=True))
    print("in 1/km                    concave 1 %    median    convex 1 %")
    for name, c in found.items():
        low, middle, high = np.percentile(1000 * c, (1, 50, 99))
        print(f"{name + ' curvature':<25}{low:>13.2f}{middle:>10.2f}{high:>14.2f}")
    if picture:
        draw(z, dy, dx, found, picture)


def draw(z, dy, dx, found, picture):
    part = np.s_[110:220, 190:310]
    shade = LightSource(azdeg=315, altdeg=45).hillshade(z, vert_exag=2, dx=dx, dy=dy)[part]
    extent = (0, shade.shape[1] * dx / 1000, 0, shade.shape[0] * dy / 1000)
    fig, axes = plt.subplots(1, 3, figsize=(8, 4.3), sharey=True, layout="constrained")
    for ax, (name, limit) in zip(
        axes, {"mean": 1.5, "plan": 15, "profile": 2}.items(), strict=True
    ):
        scale = plt.Normalize(-limit, limit)
        colours = plt.get_cmap("RdBu_r")(scale(1000 * found[name][part]))[..., :3]
        ax.imshow(colours * (0.25 + 0.75 * shade[..., np.newaxis]), extent=extent)
        ax.set(xlabel="east (km)", title=f"{name} curvature")
        key = plt.cm.ScalarMappable(scale, "RdBu_r")
        fig.colorbar(key, ax=ax, location="bottom", label="1/km", shrink=0.9)
    axes[0].set_ylabel("north (km)")
    fig.savefig(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
