/* Random numbers for the C tests: the same ones every time, from a seed. */
#ifndef RANDOM_NUMBERS_H
#define RANDOM_NUMBERS_H

#include <stdint.h>

static uint64_t state;

static inline uint64_t rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static inline int below(int n)
{
    return (int)(rnd() >> 33) % n;
}

#endif
