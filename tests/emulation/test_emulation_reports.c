/* Kernels with mistakes are reported: each runs in a process of its own, which must end with a report. */
#include "support/cmocka_all.h"

#include "emulation_control.h"
#include "examples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the kernel's process prints to stderr; its exit status in *status. */
static void run_apart(const struct broken_kernel *kernel, char *text, size_t size, int *status)
{
    int ends[2];
    size_t used = 0;
    ssize_t got;

    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        void *data;
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        if (cudaMalloc(&data, broken_bytes) != cudaSuccess ||
            cudaMemset(data, 0, broken_bytes) != cudaSuccess)
            _exit(1);
        const cudaError_t error = kernel->run(NULL, data);
        fprintf(stderr, "nothing was noticed (%s)\n", cudaGetErrorString(error));
        _exit(0);
    }
    close(ends[1]);
    while (used + 1 < size && (got = read(ends[0], text + used, size - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, status, 0), child);
}

static void mistakes_are_reported(void **state)
{
    static char text[1 << 16];
    const bool checked = df_emulation_checks_accesses();
    int skipped = 0, missed = 0;

    for (int i = 0; i < broken_kernel_count; i++) {
        const struct broken_kernel *kernel = &broken_kernels[i];
        const bool bounds_only = !checked && kernel->seen == SEEN_BY_BOUNDS;
        int status;

        if ((!checked && kernel->seen == SEEN_BY_ACCESSES) ||
            (bounds_only && !df_emulation_has_address_sanitizer())) {
            skipped++;
            continue;
        }
        run_apart(kernel, text, sizeof text, &status);
        const char *expected = bounds_only ? "AddressSanitizer: use-after-poison" : kernel->report;
        const char *other = bounds_only ? "out of bounds for type" : kernel->report_in_another_order;
        if (status == 0 || !(strstr(text, expected) || (other && strstr(text, other)))) {
            print_error("%s: '%s' was expected, but it said (status %d):\n%s\n", kernel->name, expected,
                        status, text);
            missed++;
        }
    }
    assert_int_equal(missed, 0);
    if (skipped > 0)
        print_message(
            "%d mistakes are skipped: they are seen where gcc compiles the kernels without sanitizers\n",
            skipped);
}

/* A report names what is needed to find the mistake. */
static void a_report_names_the_place(void **state)
{
    static char text[1 << 16];
    int status;

    if (!df_emulation_checks_accesses())
        skip();
    for (int i = 0; i < broken_kernel_count; i++) {
        if (strcmp(broken_kernels[i].name, "unwritten_shared") == 0) {
            run_apart(&broken_kernels[i], text, sizeof text, &status);
            assert_non_null(strstr(text, "kernel unwritten_shared, block (0, 0, 0), thread (17, 0, 0): "));
            assert_non_null(strstr(text, "broken.cu:"));
        } else if (strcmp(broken_kernels[i].name, "host_reads_device_memory") == 0) {
            run_apart(&broken_kernels[i], text, sizeof text, &status);
            assert_non_null(strstr(text, "run_host_reads_device_memory"));
        } else if (strcmp(broken_kernels[i].name, "barrier_in_a_branch") == 0) {
            run_apart(&broken_kernels[i], text, sizeof text, &status);
            assert_non_null(strstr(text, "in __syncthreads at "));
            assert_non_null(strstr(text, "broken.cu:"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_reported),
        cmocka_unit_test(a_report_names_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
