#include "library_search.h"

#include "dinoft/error.h"
#include "dinoft/program.h"
#include "dinoft/text.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOOLKIT  "/usr/local/cuda/lib64"
#define PACKAGES "lib*/python3*/*-packages/nvidia/*/lib"

struct search {
    char *prefix, *conda; /* for glob(); NULL: not known */
    df_library_try *try;
    void *user;
    bool loaded;                        /* `reason` is of a library that loaded */
    char reason[DF_ERROR_TEXT_MAX / 2]; /* why the search failed; "": nothing was tried yet */
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

/* NULL where the variable is not set, or empty. */
static char *find_conda(void)
{
    const char *conda = getenv("CONDA_PREFIX");

    return conda && conda[0] ? quoted_for_glob(conda) : NULL;
}

/* What is loaded stays: to unload cuBLASLt takes as long as to load it, the next search finds it at once, and
 * the CUDA runtime may know of a library's kernels until the program ends. */
static void *load(struct search *search, const char *file)
{
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const char *reason = handle ? NULL : dlerror();

    if (handle && search->try(handle, search->user) == 0)
        return handle;
    if (handle && !search->loaded)
        snprintf(search->reason, sizeof search->reason, "%s: %s", file, df_error_text());
    else if (!handle && !search->reason[0])
        snprintf(search->reason, sizeof search->reason, "%s", reason ? reason : "no reason given");
    search->loaded = search->loaded || handle;
    return NULL;
}

/* `prefix` may be NULL: there is nothing then. */
static void *load_from(struct search *search, const char *prefix, const char *folder, const char *name)
{
    char *pattern = prefix ? df_text_format("%s/%s/%s", prefix, folder, name) : NULL;
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

static void *load_from_places(struct search *search, const char *name)
{
    void *handle = load_from(search, search->prefix, PACKAGES, name);

    if (!handle)
        handle = load(search, name);
    if (!handle)
        handle = load_from(search, search->conda, "lib", name);
    if (!handle)
        handle = load_from(search, search->conda, PACKAGES, name);
    return handle ? handle : load_from_toolkit(search, name);
}

void *df_library_load(const char *what, const char *const *names, df_library_try *try, void *user)
{
    struct search search = {.prefix = find_prefix(), .conda = find_conda(), .try = try, .user = user};
    void *handle = NULL;

    for (int i = 0; names[i] && !handle; i++)
        handle = load_from_places(&search, names[i]);
    free(search.prefix);
    free(search.conda);
    if (handle)
        return handle;
    if (search.loaded)
        df_error_set("device cuda: %s was found, but cannot be used: %s", what, search.reason);
    else
        df_error_set(
            "device cuda: %s was not found, looked for %s in nvidia/*/lib of the Python packages beside "
            "the program, where the system looks, in the conda environment, and in " TOOLKIT
            " (LD_LIBRARY_PATH can name another folder); the first try: %s",
            what, names[0], search.reason);
    return NULL;
}
