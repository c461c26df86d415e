"""Is the source distribution of this commit complete, and the same bytes each time?

    python tests/check_sdist.py [options of build, such as --no-isolation]

Needs the package `build`.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = {"changelog.d", "csrc", "docs", "examples", "src", "tests"}
TEXTS = {"CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"}
FILES = TEXTS | {"PKG-INFO", "meson.build", "meson.options", "pyproject.toml"}


def made(folder):
    """From a clone, as the working folder may differ from the commit."""
    subprocess.run(["git", "clone", "-q", ROOT, folder / "clone"], check=True)
    build = [sys.executable, "-m", "build", "--sdist", "-o", folder / "dist", *sys.argv[1:]]
    subprocess.run([*build, folder / "clone"], check=True, stdout=subprocess.DEVNULL)
    (path,) = (folder / "dist").iterdir()
    return path


with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
    path, again = made(Path(one)), made(Path(two))
    assert path.read_bytes() == again.read_bytes(), "two of one commit are not the same bytes"
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    names = {member.name.split("/")[1] for member in members}
    assert names == FOLDERS | FILES, f"not what is wanted: {sorted(names ^ (FOLDERS | FILES))}"
    large = [member.name for member in members if member.size > 1_000_000]
    assert large == [], f"large: {large}"
    print(f"{path.name}: {len(members)} files, {path.stat().st_size:,} bytes, twice the same")
