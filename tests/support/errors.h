/* The error of the last call that failed. */
#ifndef TESTS_ERRORS_H
#define TESTS_ERRORS_H

#include "support/cmocka_all.h"

#include "dinoft/error.h"

#include <string.h>

/* Fails with that error's text. */
#define assert_works(condition)                                                                              \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail_msg("%s", df_error_text());                                                                 \
    } while (0)

/* It has the words; otherwise it is shown. */
#define assert_error_has(words)                                                                              \
    do {                                                                                                     \
        if (!strstr(df_error_text(), words))                                                                 \
            fail_msg("\"%s\" is not in: %s", words, df_error_text());                                        \
    } while (0)

#endif
