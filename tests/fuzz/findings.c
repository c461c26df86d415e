/* What a finding looks like: the program aborts, having said what is wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

const fdx_operator *at_hand;

static void describe_rows(const char *which, const fdx_stencil *r)
{
    fprintf(stderr, " %s(offset %td, count %d, centre %d, summation %d, steps %td %td)", which, r->offset, r->count,
            r->centre, r->summation, r->weight_step, r->row_step);
}

static void describe(void)
{
    if (at_hand == NULL)
        return;
    for (int d = 0; d < at_hand->ndim; d++)
        fprintf(stderr, "axis %d: from %td to %td\n", d, at_hand->in_shape[d], at_hand->out_shape[d]);
    for (int k = 0; k < at_hand->nchains; k++) {
        const fdx_chain *chain = &at_hand->chain[k];
        fprintf(stderr, "term %d: input %d, output %d\n", k, chain->in, chain->out);
        for (int s = 0; s < chain->nstages; s++) {
            const fdx_band *b = chain->stage[s].band;
            fprintf(stderr, "  axis %d%s", chain->stage[s].axis,
                    chain->stage[s].coefficient != NULL ? ", a factor" : "");
            if (b != NULL) {
                fprintf(stderr, ", %s%td x %td:", b->periodic ? "periodic, " : "", b->rows, b->columns);
                for (ptrdiff_t r = 0; r < b->nfirst; r++)
                    describe_rows("first", &b->first[r]);
                describe_rows("interior", &b->interior);
                for (ptrdiff_t r = 0; r < b->nlast; r++)
                    describe_rows("last", &b->last[r]);
            }
            fprintf(stderr, "\n");
        }
    }
}

void die(const char *what, const char *more)
{
    describe();
    fprintf(stderr, "FAILED: %s%s%s\n", what, more[0] != 0 ? ": " : "", more);
    abort();
}

const broken nothing = {NULL, FDX_OK, FDX_OK};

void expect(const char *function, broken b, fdx_status status)
{
    if (status == b.status || status == b.other)
        return;
    if (b.what == NULL)
        describe();
    fprintf(stderr, "FAILED: %s says \"%s\", and not \"%s\", after: %s\n", function, fdx_status_message(status),
            fdx_status_message(b.status), b.what == NULL ? "nothing" : b.what);
    abort();
}
