/* A library that is looked for: test_library_search.py. With $COUNTED it says each time that it is loaded
 * anew. */
#include <stdio.h>
#include <stdlib.h>

int library_stand_in(void);

__attribute__((constructor)) static void loaded(void)
{
    if (getenv("COUNTED"))
        fputs("loaded\n", stderr);
}

int library_stand_in(void)
{
    return 1;
}
