/* Running a group of tests in float32 and, where the device has it, in bfloat16. */
#ifndef TESTS_PRECISIONS_H
#define TESTS_PRECISIONS_H

#include "dinoft/backend.h"
#include "dinoft/error.h"

#include "support/cmocka_all.h"
#include "support/open_backend.h"

#include <stdio.h>

/* Whether there is bfloat16 on this device; says so where not. */
static inline bool has_bf16(void)
{
    struct df_backend *backend = test_open_backend("bf16", 1);

    if (!backend)
        printf("bf16 is skipped: %s\n", df_error_text());
    df_backend_close(backend);
    return backend != NULL;
}

static inline int open_fp32(void **state)
{
    *state = test_open_backend("fp32", 2);
    return *state ? 0 : -1;
}

static inline int open_bf16(void **state)
{
    *state = test_open_backend("bf16", 2);
    return *state ? 0 : -1;
}

static inline int close_backend(void **state)
{
    df_backend_close(*state);
    return 0;
}

/* The number of tests that failed; *state is a backend of the precision. */
#define run_in_both_precisions(tests)                                                                        \
    (cmocka_run_group_tests_name("fp32", tests, open_fp32, close_backend) +                                  \
     (has_bf16() ? cmocka_run_group_tests_name("bf16", tests, open_bf16, close_backend) : 0))

#endif
