#include "../backend_facts.h"

#include "libraries.h"

#include "dinoft/facts.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>

static void driver_fact(FILE *stream)
{
    void *handle = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL); /* as the runtime does */
    const char *reason = handle ? NULL : dlerror();
    int version = 0;
    char text[64];

    (void)cudaDriverGetVersion(&version);
    snprintf(text, sizeof text, "for CUDA %d.%d", version / 1000, version % 1000 / 10);
    if (version == 0)
        df_fact(stream, "CUDA driver", "not found: %s", reason ? reason : "libcuda.so.1 says nothing");
    else if (!handle)
        df_fact(stream, "CUDA driver", "%s", text);
    else
        df_fact_library(stream, "CUDA driver", text, handle, "cuInit");
    if (handle)
        dlclose(handle);
}

/* Versions are numbers like 130002 for 13.0.2. */
static void library_fact(FILE *stream, const char *name, size_t version, void *handle, const char *function)
{
    char text[64];

    snprintf(text, sizeof text, "%zu.%zu.%zu", version / 10000, version % 10000 / 100, version % 100);
    df_fact_library(stream, name, text, handle, function);
}

static void cudnn_fact(FILE *stream)
{
#ifdef DINOFT_WITH_CUDNN
    struct df_cudnn dnn;

    if (df_cudnn_open(&dnn) == 0)
        library_fact(stream, "cuDNN", dnn.cudnnGetVersion(), dnn.handle, "cudnnCreate");
    else
        df_fact(stream, "cuDNN", "%s", df_cuda_reason());
#else
    df_fact(stream, "cuDNN", "not used: this was built without its headers");
#endif
}

static void libraries_facts(FILE *stream)
{
    struct df_cublaslt lt;

    if (df_cublaslt_open(&lt, NULL) == 0)
        library_fact(stream, "cuBLASLt", lt.cublasLtGetVersion(), lt.handle, "cublasLtCreate");
    else
        df_fact(stream, "cuBLASLt", "%s", df_cuda_reason());
    cudnn_fact(stream);
}

static void devices_facts(FILE *stream)
{
    int count = 0;

    if (cudaGetDeviceCount(&count) != cudaSuccess)
        count = 0;
    for (int i = 0; i < count; i++) {
        struct cudaDeviceProp device;
        char key[32];
        snprintf(key, sizeof key, "GPU %d", i);
        if (cudaGetDeviceProperties(&device, i) == cudaSuccess)
            df_fact(stream, key, "%s, compute capability %d.%d, %.1f GiB", device.name, device.major,
                    device.minor, (double)device.totalGlobalMem / (1 << 30));
        else
            df_fact(stream, key, "unknown: %s", cudaGetErrorString(cudaGetLastError()));
    }
    (void)cudaGetLastError();
}

void df_cuda_facts(FILE *stream)
{
    int runtime = 0;

    (void)cudaRuntimeGetVersion(&runtime);
    df_fact(stream, "CUDA runtime", "%d.%d, part of the program", runtime / 1000, runtime % 1000 / 10);
    driver_fact(stream);
    libraries_facts(stream);
    devices_facts(stream);
}
