/* What every parity test needs: a backend at several thread counts, memory on it, random inputs, comparisons.
 *
 * Nothing here assumes that the device's memory can be read from the host, so that the tests serve every
 * backend. */
#ifndef TESTS_DEVICE_H
#define TESTS_DEVICE_H

#include "dinoft/backend.h"
#include "dinoft/rng.h"

#include <stddef.h>

#define TEST_DEVICE_MAX 128

struct test_device {
    struct df_backend *backend;
    struct df_rng rng;
    uint64_t digest; /* of every bit that was downloaded */
    void *device_memory[TEST_DEVICE_MAX], *host_memory[TEST_DEVICE_MAX];
    int n_device, n_host;
};

/* Runs check with 1, 2 and 3 threads on equal random numbers: what it downloads must be the same bits each
 * time. The backend computes in float32. On another device than the CPU: twice. */
void test_on_threads(void (*check)(struct test_device *device));

/* The same for every type that "act" can have. */
void test_in_all_types(void (*check)(struct test_device *device));

/* Host arrays. */
float *test_random(struct test_device *device, size_t count, double mean, double deviation);
double *test_widen(struct test_device *device, const float *values, size_t count);

/* Device arrays: uploaded float32 or act values, and buffers for results, which hold NaN until they are
 * written.
 */
void *test_put(struct test_device *device, const void *host, size_t bytes);
float *test_put_f32(struct test_device *device, const float *host, size_t count);
void *test_put_act(struct test_device *device, const float *host, size_t count);
void *test_buffer(struct test_device *device, size_t bytes);
float *test_buffer_f32(struct test_device *device, size_t count);
void *test_buffer_act(struct test_device *device, size_t count);

/* Downloads into a host array. */
void *test_get(struct test_device *device, const void *memory, size_t bytes);
float *test_get_f32(struct test_device *device, const float *memory, size_t count);
float *test_get_act(struct test_device *device, const void *memory, size_t count);

/* |got - want| <= tolerance * max(1, |want|) for every element; fails with the place and the values. */
void test_near(const char *what, const float *got, const double *want, size_t count, double tolerance);

/* The same for an act result: what it loses when it is rounded to act is allowed besides. NaN must be NaN,
 * infinity the same infinity. */
void test_near_act(const struct test_device *device, const char *what, const float *got, const double *want,
                   size_t count, double tolerance);

#endif
