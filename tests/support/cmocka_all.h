/* cmocka with the headers that it wants in front of it, and rows of tables. */
#ifndef TESTS_CMOCKA_ALL_H
#define TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Every test takes a state, and few need it. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* A row of a table of tests: the function, whose *state is the data, under a name. */
#define TEST_ROW(name, function, data)                                                                       \
    {                                                                                                        \
        name, function, NULL, NULL, data                                                                     \
    }

#endif
