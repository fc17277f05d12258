/* The device that tests run on: the CPU, or what DINOFT_TEST_DEVICE names. */
#ifndef TESTS_OPEN_BACKEND_H
#define TESTS_OPEN_BACKEND_H

#include "dinoft/backend.h"

#include <stdlib.h>
#include <string.h>

static inline const char *test_device_name(void)
{
    const char *name = getenv("DINOFT_TEST_DEVICE");
    return name && name[0] ? name : "cpu";
}

static inline bool test_on_cpu(void)
{
    return strcmp(test_device_name(), "cpu") == 0;
}

/* In the emulation a thread of a kernel is a fiber: problems of full size would take minutes there. */
static inline bool test_is_emulated(void)
{
#ifdef DINOFT_CUDA_EMULATED
    return !test_on_cpu();
#else
    return false;
#endif
}

static inline enum df_precision test_precision(const char *name)
{
    return strcmp(name, "bf16") == 0 ? DF_PRECISION_BF16 : DF_PRECISION_FP32;
}

/* precision: "fp32" or "bf16". NULL with the error set. */
static inline struct df_backend *test_open_backend(const char *precision, int threads)
{
    return df_backend_open(test_on_cpu() ? DF_DEVICE_CPU : DF_DEVICE_CUDA, test_precision(precision),
                           threads);
}

#endif
