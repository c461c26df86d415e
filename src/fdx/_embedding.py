"""The folders of the C core's header and library, for extensions that are built with them."""

from __future__ import annotations

import importlib.resources
from pathlib import Path


def _folder_of(folder: str, file: str) -> str:
    # An editable install has its files elsewhere; its loader knows where.
    path = importlib.resources.files("fdx") / folder / file
    if not isinstance(path, Path) or not path.is_file():
        raise FileNotFoundError(
            f"{file} is not installed with fdx, or not yet built; "
            "install fdx with pip, from its source folder: pip install ."
        )
    return str(path.parent)


def get_include() -> str:
    """
    The folder of the C core's header ``fdx.h``.

    Returns
    -------
    str
        An absolute path, for a compiler's option ``-I``.

    Raises
    ------
    FileNotFoundError
        If it is not installed with fdx.

    See Also
    --------
    fdx.get_library_dir : The library to link with.
    fdx.get_function_address : Functions for programs that are not compiled.

    Notes
    -----
    Cython extensions find the declarations with ``from fdx cimport fdx_weights``. If fdx is
    installed in editable mode, ``cythonize`` needs ``include_path`` for that: the parent of the
    package's folder, ``Path(fdx.__file__).parents[1]``.

    Examples
    --------
    >>> import fdx, os
    >>> os.path.isfile(os.path.join(fdx.get_include(), "fdx.h"))
    True
    """
    return _folder_of("include", "fdx.h")


def get_library_dir() -> str:
    """
    The folder of the C core as a static library, ``libfdx.a``.

    Returns
    -------
    str
        An absolute path, for a linker's option ``-L``, which ``-lfdx`` follows.

    Raises
    ------
    FileNotFoundError
        If it is not installed with fdx, or not yet built.

    See Also
    --------
    fdx.get_include : The header to compile with.

    Notes
    -----
    The code is position-independent: it can be linked into shared libraries, which do not
    export its functions. It needs no library except C's.

    Examples
    --------
    >>> import fdx, os
    >>> os.path.isfile(os.path.join(fdx.get_library_dir(), "libfdx.a"))
    True
    """
    return _folder_of("lib", "libfdx.a")
