#include "libraries.h"

#include "dinoft/error.h"

#include <string.h>

#ifdef DINOFT_CUDA_EMULATED

/* The emulated libraries are linked in. */
#define DF_LIBRARY_LINKED(name) library->name = name;

int df_cublaslt_open(struct df_cublaslt *library)
{
    library->handle = NULL;
    DF_CUBLASLT_FUNCTIONS(DF_LIBRARY_LINKED)
    return 0;
}

int df_cudnn_open(struct df_cudnn *library)
{
    library->handle = NULL;
    DF_CUDNN_FUNCTIONS(DF_LIBRARY_LINKED)
    return 0;
}

void df_cublaslt_close(struct df_cublaslt *library)
{
    memset(library, 0, sizeof *library);
}

void df_cudnn_close(struct df_cudnn *library)
{
    memset(library, 0, sizeof *library);
}

#else

#include "library_search.h"

#include <dlfcn.h>

/* A function's place in its table. The table is filled through these: a function's address is no object
 * pointer in C. */
struct entry {
    const char *name;
    size_t offset;
};

#define CUBLASLT_ENTRY(name) {#name, offsetof(struct df_cublaslt, name)},
#define CUDNN_ENTRY(name)    {#name, offsetof(struct df_cudnn, name)},

static const struct entry cublaslt_entries[] = {DF_CUBLASLT_FUNCTIONS(CUBLASLT_ENTRY){NULL, 0}};
static const struct entry cudnn_entries[] = {DF_CUDNN_FUNCTIONS(CUDNN_ENTRY){NULL, 0}};

static int fill(void *table, void *handle, const char *what, const struct entry *entries)
{
    for (const struct entry *entry = entries; entry->name; entry++) {
        void *function = dlsym(handle, entry->name);
        if (!function)
            return df_error_set("device cuda: %s has no function %s; its version is not one that this build "
                                "can use",
                                what, entry->name);
        memcpy((char *)table + entry->offset, &function, sizeof function);
    }
    return 0;
}

int df_cublaslt_open(struct df_cublaslt *library)
{
    static const char *const names[] = {"libcublasLt.so.13", "libcublasLt.so.12", NULL};

    memset(library, 0, sizeof *library);
    library->handle = df_library_load("cuBLASLt", names);
    return library->handle ? fill(library, library->handle, "cuBLASLt", cublaslt_entries) : -1;
}

int df_cudnn_open(struct df_cudnn *library)
{
    static const char *const names[] = {"libcudnn.so.9", NULL};

    memset(library, 0, sizeof *library);
    library->handle = df_library_load("cuDNN", names);
    return library->handle ? fill(library, library->handle, "cuDNN", cudnn_entries) : -1;
}

void df_cublaslt_close(struct df_cublaslt *library)
{
    if (library->handle)
        dlclose(library->handle);
    memset(library, 0, sizeof *library);
}

void df_cudnn_close(struct df_cudnn *library)
{
    if (library->handle)
        dlclose(library->handle);
    memset(library, 0, sizeof *library);
}

#endif
