/* A libFuzzer target over all of fdx.h: the bytes of an input drive a generator of calls. A call is valid; or has one
 * error whose status is known; or is wild: then any status will do, if it stays within its memory. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const cases[])(int) = {gradient_case, gradient_case, operator_case, operator_case,
                                         operator_case, sum_case,      band_case,     weights_case};
    if (ntables == 0)
        find_tables();
    begin_memory();
    begin_choices(data, size);
    at_hand = NULL;
    if (setjmp(given_up) == 0) {
        const int which = u8();
        /* half of the calls are valid, a quarter has one error, a quarter is wild */
        const int mode = (which >> 3) % 4 == 2 ? 1 : (which >> 3) % 4 == 3 ? 2 : 0;
        if (which % 8 == 4 && which >= 128)
            by_hand_case(mode);
        else if (which % 8 == 3 && which >= 128)
            solve_case(mode);
        else
            cases[which % 8](mode);
    }
    return 0;
}
