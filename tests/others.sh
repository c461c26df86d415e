#!/usr/bin/env bash
# The tests of other projects that call np.gradient, as they are installed from PyPI, first on their own and then by
# `python -m fdx run`: what passes has to be the same, and fdx has to have been reached. Takes five minutes; needs a
# Python with fdx: bash tests/others.sh PYTHON
set -euo pipefail
python=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$python" -m pip install -q scikit-image==0.25.2 matplotlib astropy pint "dask[array]" pytest hypothesis

summary() { sed -n 's/^\(.* passed.*\) in .*/\1/p' "$1"; }

both() { # what pytest is to run
    echo "--- pytest $*"
    "$python" -m pytest -q -p no:cacheprovider "$@" > plain.txt 2>&1 || { tail -n 20 plain.txt; return 1; }
    "$python" -m fdx run -m pytest -q -p no:cacheprovider "$@" > patched.txt 2> report.txt || {
        tail -n 20 patched.txt report.txt
        return 1
    }
    echo "$(summary plain.txt); by fdx: $(summary patched.txt)"
    cat report.txt
    [ "$(summary plain.txt)" = "$(summary patched.txt)" ] || { echo "not the same tests passed" >&2; return 1; }
    grep -q "^computed by fdx" report.txt || { echo "fdx was not reached" >&2; return 1; }
}

both --pyargs numpy.lib.tests.test_function_base -k TestGradient
both --pyargs skimage.segmentation.tests.test_active_contour_model skimage.segmentation.tests.test_morphsnakes \
    skimage.feature.tests.test_corner skimage.feature.tests.test_sift skimage.feature.tests.test_basic_features \
    skimage.registration.tests.test_ilk skimage.registration.tests.test_tvl1 skimage.filters.tests.test_ridges
# matplotlib's wheel has its tests, but not the pictures that some of them compare with, without which their package
# refuses to be imported: a copy of the file, less the test that needs one.
"$python" -c 'import matplotlib, pathlib, shutil
shutil.copy(pathlib.Path(matplotlib.__file__).parent / "tests/test_colors.py", "test_copied_colors.py")'
both test_copied_colors.py -k "light_source and not topo_surface"
both --pyargs astropy.units.tests.test_quantity_non_ufuncs astropy.utils.masked.tests.test_function_helpers -k gradient
both --pyargs pint.testsuite.test_numpy -k gradient
both --pyargs dask.array.tests.test_routines -k gradient
