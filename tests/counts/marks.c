/* What the process that valgrind runs says to callgrind. Without valgrind all of it does nothing. */
#include <valgrind/callgrind.h>

void counts_begin(void);
void counts_end(const char *name);

void counts_begin(void)
{
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}

/* Write what was counted since the beginning. */
void counts_end(const char *name)
{
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_STOP_INSTRUMENTATION;
}
