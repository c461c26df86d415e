# What operators are made of: derivatives along one axis, and the banded matrices of a plan.

def even_spacing(cnp.ndarray x not None, double eps, double period=0, double eps_of_period=0):
    """The spacing of coordinates that are evenly spaced up to rounding; None if they are not. `eps` is the relative
    rounding error of their dtype; a `period`, unless 0, has to have the same spacing across the ends."""
    cdef double h
    if _dtype(x) != FDX_F64 or cnp.PyArray_NDIM(x) != 1 or not cnp.PyArray_ISCARRAY_RO(x):
        raise ValueError(f"x: expected contiguous float64, got shape {(<object>x).shape} of {x.dtype}")
    h = fdx_even_spacing(<const double *>cnp.PyArray_DATA(x), cnp.PyArray_DIM(x, 0), eps, period, eps_of_period)
    return None if h == 0 else h


cdef fdx_derivative THE_IDENTITY  # which has no derivative, and whose other members are 0
THE_IDENTITY.scale = THE_IDENTITY.spacing = 1
THE_IDENTITY.accuracy = 2


@cython.final
cdef class Description:
    """A derivative along an axis, an interpolation or a stencil of given weights, as the C core describes it.

    `coordinates` and, of the results, `at` are None or the bytes of float64. `scheme` is None or (offset, weights,
    first, last): those of an interior row, and rows of weights at either end. `conditions` are (value, slope, outside
    in half spacings) of both ends, or None where there is none; `datum` is that of the C core.
    """
    cdef fdx_derivative what
    cdef fdx_scheme scheme
    cdef object kept  # coordinates and at
    cdef void *memory  # rows and weights of the scheme

    def __init__(self, int deriv, int accuracy, int left, int right, double spacing, coordinates, double period,
                 int position, int side, scheme, tuple conditions not None, int datum, at):
        if self.memory != NULL:
            raise TypeError("Description: expected one call of the constructor")
        self.what = THE_IDENTITY
        self.what.deriv, self.what.accuracy, self.what.spacing, self.what.period = deriv, accuracy, spacing, period
        self.what.left, self.what.right, self.what.position, self.what.side = left, right, position, side
        self.what.datum = datum
        at_left, at_right = conditions
        self.set_condition(&self.what.condition[0], at_left)
        self.set_condition(&self.what.condition[1], at_right)
        self.kept = coordinates, at
        if coordinates is not None:
            self.what.n = len(<bytes?>coordinates) // <ptrdiff_t>sizeof(double)
            self.what.x = <const double *><const void *><char *>(<bytes>coordinates)
        if at is not None:
            self.check_at(len(<bytes?>at) // <ptrdiff_t>sizeof(double))
            self.what.at = <const double *><const void *><char *>(<bytes>at)
        if scheme is not None:
            offset, weights, first, last = scheme
            self.set_scheme(offset, weights, first, last)

    cdef int check_at(self, ptrdiff_t count) except -1:
        """Are there as many coordinates of results as results?"""
        cdef fdx_outline o
        if fdx_derivative_outline(&self.what, &o) == FDX_OK and count < self.what.n + o.more:
            raise ValueError(f"at: expected {self.what.n + o.more} coordinates, got {count}")
        return 0

    cdef int set_condition(self, fdx_condition *condition, given) except -1:
        if given is not None:
            value, slope, outside = given
            condition[0] = fdx_condition(value=value, slope=slope, outside=outside)
        return 0

    cdef int set_scheme(self, int offset, tuple weights, tuple first, tuple last) except -1:
        cdef list rows = [weights, *first, *last]
        cdef Py_ssize_t count = 0, k
        for row in rows:
            count += len(<tuple?>row)
        self.memory = malloc(len(rows) * sizeof(fdx_scheme_row) + count * sizeof(double))
        if self.memory == NULL:
            raise MemoryError("a stencil")
        cdef fdx_scheme_row *row_of = <fdx_scheme_row *>self.memory
        cdef double *w = <double *>(row_of + len(rows))
        for k in range(len(rows)):
            row_of[k] = fdx_scheme_row(count=<int>len(<tuple>rows[k]), w=w)
            for value in <tuple>rows[k]:
                w[0] = value
                w += 1
        self.scheme = fdx_scheme(offset=offset, count=row_of.count, w=row_of.w, nfirst=<int>len(first),
                                 nlast=<int>len(last), first=row_of + 1, last=row_of + 1 + len(first))
        self.what.scheme = &self.scheme
        return 0

    def __dealloc__(self):
        free(self.memory)

    def points_needed(self):
        """The smallest number of points that an axis may have; 0 if the C core refuses the description."""
        return fdx_derivative_points(&self.what)

    def outline(self):
        """Where the stencils are: (neighbours before and after a base point, distance of the first result from the
        first point in half spacings, results minus points, base points' distance from results in half spacings, points
        outside that stencils reach at either end)."""
        cdef fdx_outline o
        if fdx_derivative_outline(&self.what, &o) != FDX_OK:
            raise NotCompiled("a description")
        return (o.before, o.after, 2 * (o.base + o.crop[0]) + o.half, o.more - o.crop[0] - o.crop[1], o.half,
                (o.ghosts[0], o.ghosts[1]))


def sbp_norm(Description what not None, Py_ssize_t n):
    """The norm of a derivative of boundary "sbp", for n points."""
    cdef fdx_derivative of = what.what
    of.n = n
    h = np.empty(n)
    cdef fdx_status status = fdx_sbp_norm(<double *>cnp.PyArray_DATA(h), &of)
    if status != FDX_OK:
        raise NotCompiled(fdx_status_message(status).decode())
    return h


class NotCompiled(ValueError):
    """The C core refuses the description of an operator."""


class NoWeights(NotCompiled):
    """Weights over- or underflow."""


class TooManyStages(NotCompiled):
    """A term takes too many bands and coefficients one after the other."""


cdef fdx_band EMPTY_BAND  # of no rows and no columns: the value of a Band made by hand


@cython.final
cdef class Band:
    """A banded matrix of a plan: along one axis."""
    cdef const fdx_band *band
    cdef Plan plan  # keeps the band alive

    def __cinit__(self):
        self.band = &EMPTY_BAND

    def __init__(self):
        raise TypeError("Band: expected a call of Plan.terms, got the constructor")

    @property
    def shape(self):
        return self.band.rows, self.band.columns

    def interior(self):
        """The stencil of the interior rows, if it is constant, as (offset of the first weight, weights); else None."""
        cdef const fdx_stencil *stencil = &self.band.interior
        if stencil.row_step != 0:
            return None
        return stencil.offset, [stencil.w[k * stencil.weight_step] for k in range(stencil.count)]

    def entries(self):
        """The nonzero entries of the matrix, row by row: row numbers, column numbers, and values."""
        cdef ptrdiff_t r, column, number, at = 0, last = self.band.rows - self.band.nlast, count
        cdef int k
        cdef const fdx_stencil *stencil
        cdef double w
        count = (last - self.band.nfirst) * self.band.interior.count
        for r in range(self.band.nfirst):
            count += self.band.first[r].count
        for r in range(self.band.nlast):
            count += self.band.last[r].count
        rows, columns, values = np.empty(count, np.intp), np.empty(count, np.intp), np.empty(count)
        cdef ptrdiff_t *row = <ptrdiff_t *>cnp.PyArray_DATA(rows)
        cdef ptrdiff_t *col = <ptrdiff_t *>cnp.PyArray_DATA(columns)
        cdef double *value = <double *>cnp.PyArray_DATA(values)
        for r in range(self.band.rows):
            number = 0
            if r < self.band.nfirst:
                stencil = &self.band.first[r]
            elif r >= last:
                stencil = &self.band.last[r - last]
            else:
                stencil = &self.band.interior
                number = r - self.band.nfirst
            for k in range(stencil.count):
                w = stencil.w[k * stencil.weight_step + number * stencil.row_step]
                if w == 0:
                    continue
                column = r + stencil.offset + k
                if self.band.periodic:
                    column = (column + self.band.columns) % self.band.columns
                row[at], col[at], value[at] = r, column, w
                at += 1
        return rows[:at], columns[:at], values[:at]
