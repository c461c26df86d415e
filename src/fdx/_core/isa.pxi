# The instruction set in use, and how this was built.

def isas():
    """The names of this build's instruction sets, from best to worst."""
    cdef const char *const *names = fdx_isa_names()
    cdef int count = 0
    while names[count] != NULL:
        count += 1
    return tuple([names[k].decode() for k in range(count)])


cdef const fdx_isa *_find_isa() except NULL:
    name = os.environ.get("FDX_ISA") or "auto"
    cdef const fdx_isa *isa = fdx_isa_find(os.fsencode(name))
    if isa == NULL:
        raise ImportError(
            f"FDX_ISA: expected auto or, as far as this processor has it, {', '.join(isas())}; got {name!r}")
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
    """The name of the instruction set in use."""
    return fdx_isa_name(ISA).decode()
