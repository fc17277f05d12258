#include "waiting.h"

#include <stdlib.h>
#include <unistd.h>

/* Turns of a loop with PAUSE, which takes 40 to 140 cycles. */
#define SPINS "10000"

void df_wait_shortly(char **typed)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY"))
        return;
    if (setenv("GOMP_SPINCOUNT", SPINS, 0) == 0)
        (void)execv("/proc/self/exe", typed);
}
