/* library_search_probe NAME…: looks for a library under these names, closes it and looks again, and prints
 * the file that was loaded, or the error. A file whose name has the text $REFUSED in it is not taken.
 * test_library_search.py puts it where a program would be installed. */
#include "src/backend/cuda/library_search.h"

#include "dinoft/error.h"
#include "dinoft/facts.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int try_library(void *handle, void *user)
{
    const char *refused = user;
    char *file = df_loaded_file(handle, "library_stand_in");
    const int status = file && !(refused && strstr(file, refused)) ? 0 : df_error_set("it was refused");

    free(file);
    return status;
}

static void *search(char **names)
{
    return df_library_load("the stand-in", (const char *const *)names, try_library, getenv("REFUSED"));
}

int main(int argc, char **argv)
{
    void *handle = argc > 1 ? search(argv + 1) : NULL;

    if (handle)
        dlclose(handle);
    handle = handle ? search(argv + 1) : NULL;
    if (!handle) {
        fprintf(stderr, "%s\n", df_error_text());
        return 1;
    }
    char *file = df_loaded_file(handle, "library_stand_in");
    printf("%s\n", file ? file : "unknown");
    free(file);
    return 0;
}
