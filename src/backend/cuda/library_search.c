#include "library_search.h"

#include "dinoft/error.h"
#include "dinoft/program.h"
#include "dinoft/text.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOLKIT  "/usr/local/cuda/lib64"
#define PACKAGES "lib*/python3*/*-packages/nvidia/*/lib"

struct search {
    char *prefix;                       /* for glob(); NULL: not known */
    char reason[DF_ERROR_TEXT_MAX / 2]; /* why the first file did not load; "": it was not tried yet */
};

/* The text with a backslash before what glob() would take for a pattern; the caller frees it. */
static char *quoted_for_glob(const char *text)
{
    char *quoted = malloc(2 * strlen(text) + 1), *end = quoted;

    if (!quoted)
        return NULL;
    for (; *text; text++) {
        if (strchr("*?[\\", *text))
            *end++ = '\\';
        *end++ = *text;
    }
    *end = '\0';
    return quoted;
}

static char *find_prefix(void)
{
    char *prefix = df_program_prefix();
    char *quoted = prefix ? quoted_for_glob(prefix) : NULL;

    free(prefix);
    return quoted;
}

static void *load(struct search *search, const char *file)
{
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);

    if (!handle && !search->reason[0]) {
        const char *reason = dlerror();
        snprintf(search->reason, sizeof search->reason, "%s", reason ? reason : "no reason given");
    }
    return handle;
}

static void *load_from_packages(struct search *search, const char *name)
{
    char *pattern = search->prefix ? df_text_format("%s/" PACKAGES "/%s", search->prefix, name) : NULL;
    glob_t files = {0};
    void *handle = NULL;

    if (pattern && glob(pattern, 0, NULL, &files) == 0) {
        for (size_t i = 0; i < files.gl_pathc && !handle; i++)
            handle = load(search, files.gl_pathv[i]);
    }
    globfree(&files);
    free(pattern);
    return handle;
}

static void *load_from_toolkit(struct search *search, const char *name)
{
    char *file = df_text_format(TOOLKIT "/%s", name);
    void *handle = file ? load(search, file) : NULL;

    free(file);
    return handle;
}

void *df_library_load(const char *what, const char *const *names)
{
    struct search search = {.prefix = find_prefix()};
    void *handle = NULL;

    for (int i = 0; names[i] && !handle; i++) {
        handle = load_from_packages(&search, names[i]);
        if (!handle)
            handle = load(&search, names[i]);
        if (!handle)
            handle = load_from_toolkit(&search, names[i]);
    }
    free(search.prefix);
    if (!handle)
        df_error_set(
            "device cuda: %s was not found, looked for %s in nvidia/*/lib of the Python packages beside "
            "the program, where the system looks, and in " TOOLKIT " (LD_LIBRARY_PATH can name another "
            "folder); the first try: %s",
            what, names[0], search.reason);
    return handle;
}
