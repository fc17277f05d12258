/* Every operation at odd sizes against plain loops in double: in float32 and bfloat16, with the same bits on
 * 1, 2 and 3 threads (on a GPU: twice). Arguments: the first letters of the operations to run; none: all.
 * DINOFT_TEST_DIGESTS names a file for a line of each case, for who compares runs. */
#include "support/cmocka_all.h"
#include "support/open_backend.h"

#include "dinoft/error.h"
#include "dinoft/operation_case.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 7

static FILE *digest_file; /* NULL: none */

/* A backend that computes in this type. On a processor without bfloat16 all but products can be had by
 * calling it so. NULL: not to be had. */
static struct df_backend *open_for(const struct df_case_set *set, enum df_dtype compute, int threads)
{
    struct df_backend *backend = test_open_backend(compute == DF_BF16 ? "bf16" : "fp32", threads);

    if (backend || set->is_product || !test_on_cpu())
        return backend;
    backend = df_cpu_backend_open(DF_F32, threads);
    if (backend)
        backend->compute = compute;
    return backend;
}

static void spell_sizes(const struct df_case *c, char text[256])
{
    size_t used = 0;
    for (int i = 0; i < DF_CASE_SIZES; i++)
        used += (size_t)snprintf(text + used, 256 - used, "%s%lld", i ? " " : "", (long long)c->n[i]);
}

/* The digest of the results, which have to be what is expected. */
static uint64_t run_case(const struct df_case *c, struct df_backend *backend)
{
    struct df_case_run run;
    struct df_case_error error;
    char sizes[256];

    spell_sizes(c, sizes);
    if (df_case_run_open(&run, c, backend) != 0 || df_case_call(c, &run) != 0 ||
        df_case_compare(c, &run, &error) != 0)
        fail_msg("%s of %s: %s", c->set->operation, sizes, df_error_text());
    df_case_run_close(&run);
    if (digest_file)
        fprintf(digest_file, "%s %s %s: %016" PRIx64 "\n", c->set->operation, df_dtype_name(c->act), sizes,
                error.digest);
    if (!error.agrees)
        fail_msg("%s in %s, sizes %s: %s %d is off by %g, which may be %g", c->set->operation,
                 df_dtype_name(c->act), sizes, error.tensor < 0 ? "scalar" : "tensor", error.tensor,
                 error.error, error.tolerance);
    return error.digest;
}

/* Threads that a backend is opened with, one run after the other; where their number shows, twice 2. */
static int most_threads(const struct df_case_set *set)
{
    if (!test_on_cpu())
        return test_is_emulated() ? 1 : 2;
    return set->threads_show ? 2 : 3;
}

/* What computes in float32 whatever the compute type is need not show it in all of its cases. */
static bool is_run(const struct df_case *c, int number)
{
    for (int i = 0; i < c->n_tensors; i++) {
        if (c->tensors[i].type == DF_BF16)
            return true;
    }
    return c->act == DF_F32 || c->linear_out > 0 || number % 8 == 0;
}

static void open_case(struct df_case *c, const struct df_case_set *set, int number, enum df_dtype compute)
{
    if (df_case_open(c, set, set->odd[number], compute, SEED) != 0 ||
        (is_run(c, number) && df_case_expect(c) != 0))
        fail_msg("%s", df_error_text());
}

static void run_set(const struct df_case_set *set, enum df_dtype compute)
{
    struct df_case *cases = calloc((size_t)set->n_odd, sizeof *cases);
    uint64_t *digests = calloc((size_t)set->n_odd, sizeof *digests);

    assert_true(cases && digests && set->n_odd > 0 && set->uses);
    for (int threads = 1; threads <= most_threads(set); threads++) {
        struct df_backend *backend = open_for(set, compute, set->threads_show ? 2 : threads);
        if (!backend) {
            print_message("skipped in %s: %s\n", df_dtype_name(compute), df_error_text());
            break;
        }
        for (int i = 0; i < set->n_odd; i++) {
            if (threads == 1)
                open_case(&cases[i], set, i, compute);
            if (!is_run(&cases[i], i))
                continue;
            const uint64_t digest = run_case(&cases[i], backend);
            if (threads > 1)
                assert_true(digest == digests[i]);
            digests[i] = digest;
        }
        df_backend_close(backend);
    }
    for (int i = 0; i < set->n_odd; i++)
        df_case_close(&cases[i]);
    free(cases);
    free(digests);
}

static void agrees_with_plain_loops(void **state)
{
    const struct df_case_set *set = *state;
    struct df_backend *backend = test_open_backend("fp32", 1);

    assert_non_null(backend);
    const bool supported = !set->supported || set->supported(backend);
    df_backend_close(backend);
    if (!supported) {
        print_message("skipped: this backend has no %s\n", set->operation);
        skip();
    }
    run_set(set, DF_F32);
    run_set(set, DF_BF16);
}

static bool is_chosen(const char *operation, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(operation, argv[i], strlen(argv[i])) == 0)
            return true;
    }
    return argc < 2;
}

int main(int argc, char **argv)
{
    struct CMUnitTest *tests = calloc((size_t)df_n_case_sets, sizeof *tests);
    const char *digests = getenv("DINOFT_TEST_DIGESTS");
    int count = 0;

    if (!tests)
        return 1;
    digest_file = digests ? fopen(digests, "w") : NULL;
    for (int i = 0; i < df_n_case_sets; i++) {
        const struct df_case_set *set = df_case_sets[i];
        if (is_chosen(set->operation, argc, argv))
            tests[count++] =
                (struct CMUnitTest){set->operation, agrees_with_plain_loops, NULL, NULL, (void *)set};
    }
    if (count == 0)
        fprintf(stderr, "no operation begins like that\n");
    const int failed =
        count == 0 ? 1 : _cmocka_run_group_tests("operations", tests, (size_t)count, NULL, NULL);
    if (digest_file && fclose(digest_file) != 0)
        return 1;
    free(tests);
    return failed;
}
