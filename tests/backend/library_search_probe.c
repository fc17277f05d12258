/* library_search_probe NAME…: looks for a library under these names and prints the file that was loaded, or
 * the error. test_library_search.py puts it where a program would be installed. */
#include "src/backend/cuda/library_search.h"

#include "dinoft/error.h"
#include "dinoft/facts.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    void *handle = argc > 1 ? df_library_load("the stand-in", (const char *const *)argv + 1) : NULL;

    if (!handle) {
        fprintf(stderr, "%s\n", df_error_text());
        return 1;
    }
    char *file = df_loaded_file(handle, "library_stand_in");
    printf("%s\n", file ? file : "unknown");
    free(file);
    return 0;
}
