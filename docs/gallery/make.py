"""Redraw the pictures of the gallery: run the examples, and save their pictures with a palette.

python docs/gallery/make.py [example ...]
"""

import subprocess
import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"

for name in sys.argv[1:] or sorted(path.stem for path in EXAMPLES.glob("*.py")):
    picture = HERE / f"{name}.png"
    subprocess.run([sys.executable, EXAMPLES / f"{name}.py", picture], check=True)
    image = Image.open(picture).convert("RGB")
    image = image.quantize(160, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(picture, optimize=True)
    print(f"{picture.name}: {image.width} x {image.height}, {picture.stat().st_size / 1000:.0f} kB")
