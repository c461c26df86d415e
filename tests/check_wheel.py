"""Is the installed fdx complete, and right on every instruction set of this machine?

    python tests/check_wheel.py

Takes seconds, and nothing but NumPy: for wheels, wherever they are built.
"""

import itertools
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
from cases import LAYOUTS, NATIVE_DTYPES, make_array, make_coordinates
from compare import assert_same_bits, assert_same_outcome, outcome

FEATURES = np._core._multiarray_umath.__cpu_features__
SHAPE = (7, 90)  # rows long enough for SIMD loops


def check():
    import fdx
    import fdx._core

    assert "site-packages" in Path(fdx.__file__).parts, fdx.__file__
    assert (Path(fdx.__file__).parent / "py.typed").is_file()
    fdx.get_include(), fdx.get_library_dir()  # raise an error if files are missing
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert not sys._is_gil_enabled(), "importing fdx enabled the GIL"

    spacings = [(), (0.137,), (make_coordinates("f8", 7), -2)]
    calls = list(itertools.product(NATIVE_DTYPES, LAYOUTS, spacings, (1, 2)))
    for dtype, layout, spacing, edge_order in calls:
        f = make_array(dtype, SHAPE, layout=layout)
        got = outcome(fdx.gradient, f, *spacing, edge_order=edge_order)
        want = outcome(np.gradient, f, *spacing, edge_order=edge_order)
        assert_same_outcome(got, want, (dtype, layout, spacing, edge_order))

    large = make_array("f8", (1000, 1100))
    assert_same_bits(fdx.gradient(large, workers=2), tuple(np.gradient(large)))
    x = np.arange(300.0)
    laplacian = fdx.Diff(0) ** 2 + fdx.Diff(1) ** 2
    assert (laplacian(np.add.outer(x**2, 3 * x**2)) == 8).all()
    print(f"fdx {fdx.__version__}, {fdx._core.isa()}: NumPy's bits in {len(calls)} calls")


def main():
    if "FDX_ISA" in os.environ:
        check()
        return
    from fdx._core import isas

    for name in isas():
        env = os.environ | {"FDX_ISA": name}
        done = subprocess.run(
            [sys.executable, __file__], env=env, stderr=subprocess.PIPE, text=True
        )
        # Processors differ, but where there is AVX2, every wheel should have its loops.
        needed = name == "base" or (name == "avx2" and FEATURES.get("AVX2"))
        if not needed and "ImportError: FDX_ISA" in done.stderr:
            print(f"{name} is not for this processor")
        elif done.returncode:
            sys.exit(done.stderr)


if __name__ == "__main__":
    main()
