/* fdx_weights; and the messages, sizes and names at the beginning of fdx.h. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "fuzz.h"

typedef struct {
    double *w, *rest, *x, at;
    int n, deriv;
} weights;

static broken break_weights(weights *c, int number)
{
    static const double not_finite[] = {NAN, INFINITY, -INFINITY};
    const int k = below(c->n);
    BREAK(1, c->w = NULL, FDX_E_NULL)
    BREAK(1, c->x = NULL, FDX_E_NULL)
    BREAK(1, c->deriv = c->n, FDX_E_SIZE)
    BREAK(1, c->deriv = -1, FDX_E_SIZE)
    BREAK(1, c->deriv = INT_MAX, FDX_E_SIZE)
    BREAK(1, c->n = 65, FDX_E_SIZE)
    BREAK(1, c->n = c->deriv, FDX_E_SIZE)
    BREAK(1, c->n = INT_MIN, FDX_E_SIZE)
    BREAK(c->n > 1, c->x[k] = c->x[(k + 1) % c->n], FDX_E_NODES)
    BREAK(1, c->x[k] = not_finite[below(3)], FDX_E_NODES)
    BREAK(1, c->at = not_finite[below(3)], FDX_E_NODES)
    return nothing;
}

void weights_case(int mode)
{
    /* Long integers take milliseconds: few nodes where doubles do not suffice. */
    static const int most[] = {FDX_MAXNODES, 12, 8, 4};
    const int kind = mode == 1 ? 0 : below(4), n = 1 + below(most[kind]);
    weights c = {NULL, NULL, numbers(n), 0, n, below(n < 5 ? n : 5)};
    double first[FDX_MAXNODES], *x = c.x;
    c.w = chance(4) ? x : numbers(n);
    c.rest = chance(4) ? NULL : chance(3) && c.w != x ? x : numbers(n);
    for (int k = 0; k < n; k++)
        if (kind == 0) /* integers, so that they are fine */
            x[k] = k * 2 - n + (int)(rnd() % 2);
        else if (kind == 1)
            x[k] = k + (double)(rnd() % 1000) / 1001;
        else if (kind == 2)
            x[k] = ordinary();
        else
            x[k] = ldexp(ordinary(), (int)(rnd() % 2000) - 1000);
    for (int k = 0; k < n; k++) { /* in any order */
        const int other = (int)(rnd() % (uint64_t)(k + 1));
        const double t = x[k];
        x[k] = x[other];
        x[other] = t;
    }
    c.at = kind == 3 ? x[0] / 3 : below(2) ? x[below(n)] : ordinary();
    memcpy(first, x, sizeof *x * (size_t)n);
    const broken b = mode == 1 ? break_weights(&c, below(11)) : nothing;
    before_calls();
    fdx_status status;
    CALL(status, fdx_weights(c.w, c.rest, c.x, c.n, c.at, c.deriv));
    if (kind < 2)
        expect("fdx_weights", b, status);
    else if (status != FDX_OK && status != FDX_E_NODES)
        die("fdx_weights says", fdx_status_message(status));
    if (status != FDX_OK) {
        expect_unchanged("no weights");
    } else { /* with the nodes reversed, the bits are the same */
        double turned[FDX_MAXNODES], w[FDX_MAXNODES];
        for (int k = 0; k < n; k++)
            turned[k] = first[n - 1 - k];
        if (fdx_weights(w, NULL, turned, n, c.at, c.deriv) != FDX_OK)
            die("weights of nodes in another order", "");
        for (int k = 0; k < n; k++)
            if (memcmp(&w[k], &c.w[n - 1 - k], sizeof *w) != 0 && c.w != c.rest)
                die("weights of nodes in another order are others", "");
        if (c.w != x)
            slot_at(c.w)->scratch = 1;
        if (c.rest != NULL && c.rest != x)
            slot_at(c.rest)->scratch = 1;
        if (c.w == x || c.rest == x)
            slot_at(x)->scratch = 1;
        expect_unchanged("weights");
    }
    const int any = wild_int(), size = (int)fdx_itemsize(any);
    if (fdx_status_message((fdx_status)(any & 31)) == NULL || (size > 0) != (any >= FDX_I8 && any < FDX_NDTYPES))
        die("a message, or a size", "");
    if (fdx_isa_find("none") != NULL || fdx_isa_find(NULL) != NULL || fdx_isa_name(tables[0])[0] == 0)
        die("an instruction set", "");
}
