/* What the tests of .pt files share. */
#ifndef TESTS_TORCH_SUPPORT_H
#define TESTS_TORCH_SUPPORT_H

#include "support/cmocka_all.h"

#include "dinoft/error.h"
#include "dinoft/weight_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One folder and one file in it for all tests of a program. */
static char folder[] = "test_torch_XXXXXX";
static char path[sizeof folder + 16];

static inline int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/made.pt", folder);
    return 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static inline struct df_state *read_or_fail(const char *file)
{
    struct df_state *state = df_weight_file_read(file, NULL);
    if (!state)
        fail_msg("%s", df_error_text());
    return state;
}

static inline void check_refused(const char *file, const char *expected)
{
    struct df_state *state = df_weight_file_read(file, NULL);
    assert_null(state);
    if (!strstr(df_error_text(), expected) || !strstr(df_error_text(), file))
        fail_msg("expected \"%s\" and the file's name in \"%s\"", expected, df_error_text());
}

#endif
