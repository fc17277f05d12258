#include "device_arrays.h"

#include "dinoft/rng.h"

#include "support/cmocka_all.h"

#include <cuda_runtime_api.h>
#include <stdlib.h>
#include <string.h>

#define ARRAYS_MAX 256

static void *host_arrays[ARRAYS_MAX], *device_arrays[ARRAYS_MAX];
static int n_host, n_device;

static void *host_array(size_t bytes)
{
    void *memory = calloc(1, bytes > 0 ? bytes : 1);
    assert_non_null(memory);
    assert_true(n_host < ARRAYS_MAX);
    host_arrays[n_host++] = memory;
    return memory;
}

void release_arrays(void)
{
    while (n_host > 0)
        free(host_arrays[--n_host]);
    while (n_device > 0)
        assert_int_equal(cudaFree(device_arrays[--n_device]), cudaSuccess);
}

float *host_normals(int64_t count, enum df_dtype type, double mean, double deviation, uint64_t seed)
{
    float *values = host_array((size_t)count * sizeof(float));
    struct df_rng rng;
    df_rng_seed(&rng, seed, 0);
    for (int64_t i = 0; i < count; i++) {
        values[i] = (float)(mean + deviation * df_rng_normal(&rng));
        if (type == DF_BF16)
            values[i] = df_bf16_to_f32(df_f32_to_bf16(values[i]));
    }
    return values;
}

static void *device_buffer(size_t bytes)
{
    void *memory = NULL;
    assert_int_equal(cudaMalloc(&memory, bytes > 0 ? bytes : 1), cudaSuccess);
    assert_true(n_device < ARRAYS_MAX);
    device_arrays[n_device++] = memory;
    return memory;
}

static void *put_bytes(const void *bytes, size_t count)
{
    void *memory = device_buffer(count);
    assert_int_equal(cudaMemcpy(memory, bytes, count, cudaMemcpyHostToDevice), cudaSuccess);
    return memory;
}

void *put_values(const float *values, int64_t count, enum df_dtype type)
{
    const size_t bytes = (size_t)count * df_dtype_size(type);
    void *converted = host_array(bytes);
    assert_int_equal(df_convert_from_f32(converted, type, values, (size_t)count), 0);
    return put_bytes(converted, bytes);
}

void *get_bytes(const void *device, size_t count)
{
    void *host = host_array(count);
    assert_int_equal(cudaMemcpy(host, device, count, cudaMemcpyDeviceToHost), cudaSuccess);
    return host;
}

void assert_ran(int cuda_error)
{
    assert_int_equal(cuda_error, cudaSuccess);
    assert_int_equal(cudaDeviceSynchronize(), cudaSuccess);
}
