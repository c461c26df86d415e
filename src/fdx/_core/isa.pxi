# The instruction set in use, and how this was built.

cdef const fdx_isa *_find_isa() except NULL:
    name = os.environ.get("FDX_ISA") or "auto"
    cdef const fdx_isa *isa = fdx_isa_find(os.fsencode(name))
    if isa == NULL:
        raise ImportError(
            f"FDX_ISA: expected auto, base, avx2 or avx512, as far as this build and processor have it; got {name!r}")
    return isa

cdef const fdx_isa *ISA = _find_isa()


cdef extern from *:
    """
    #if defined(__clang__)
    #define FDX_COMPILER __VERSION__
    #elif defined(__GNUC__)
    #define FDX_COMPILER "gcc " __VERSION__
    #else
    #define FDX_COMPILER ""
    #endif
    """
    const char *FDX_COMPILER

# Reading the package's metadata instead would take ten times as long as the rest of the import.
__version__ = fdx_version().decode()


def compiler():
    """Name and version of the compiler that built this, or "" if unknown."""
    return FDX_COMPILER.decode()


def isa():
    """The name of the instruction set in use: "base", "avx2" or "avx512"."""
    return fdx_isa_name(ISA).decode()
