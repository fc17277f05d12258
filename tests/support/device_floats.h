/* Floats of a device's memory, from and to the host. */
#ifndef TESTS_DEVICE_FLOATS_H
#define TESTS_DEVICE_FLOATS_H

#include "support/cmocka_all.h"

#include "dinoft/backend.h"

#include <stdlib.h>

/* The caller frees. */
static inline float *download_floats(struct df_backend *backend, const float *device, size_t count)
{
    float *host = malloc((count + 1) * sizeof *host);

    assert_non_null(host);
    assert_int_equal(backend->ops->download(backend, host, device, count * sizeof *host), 0);
    return host;
}

/* New memory of the device's. The caller frees. */
static inline float *put_floats(struct df_backend *backend, const float *host, size_t count)
{
    float *device = backend->ops->alloc(backend, count * sizeof *host);

    assert_non_null(device);
    assert_int_equal(backend->ops->upload(backend, device, host, count * sizeof *host), 0);
    return device;
}

static inline void upload_floats(struct df_backend *backend, float *device, const float *host, size_t count)
{
    assert_int_equal(backend->ops->upload(backend, device, host, count * sizeof *host), 0);
}

#endif
