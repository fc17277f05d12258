#include "libraries.h"

#include "cuda_check.h"

#include "dinoft/error.h"

#include <string.h>

#ifdef DINOFT_CUDA_EMULATED

/* The emulated libraries are linked in. */
#define DF_LIBRARY_LINKED(name) library->name = name;

int df_cublaslt_open(struct df_cublaslt *library, cublasLtHandle_t *blas)
{
    library->handle = NULL;
    DF_CUBLASLT_FUNCTIONS(DF_LIBRARY_LINKED)
    return blas ? DF_CUBLAS(library->cublasLtCreate(blas)) : 0;
}

#ifdef DINOFT_WITH_CUDNN
int df_cudnn_open(struct df_cudnn *library)
{
    library->handle = NULL;
    DF_CUDNN_FUNCTIONS(DF_LIBRARY_LINKED)
    return 0;
}
#endif

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

static const struct entry cublaslt_entries[] = {DF_CUBLASLT_FUNCTIONS(CUBLASLT_ENTRY){NULL, 0}};

static int fill(void *table, void *handle, const struct entry *entries)
{
    for (const struct entry *entry = entries; entry->name; entry++) {
        void *function = dlsym(handle, entry->name);
        if (!function)
            return df_error_set("it has no function %s; its version is not one that this build can use",
                                entry->name);
        memcpy((char *)table + entry->offset, &function, sizeof function);
    }
    return 0;
}

#define AS_TEXT_(value) #value
#define AS_TEXT(value)  AS_TEXT_(value)

struct cublaslt {
    struct df_cublaslt *library;
    cublasLtHandle_t *blas; /* NULL: none is created */
};

static int try_cublaslt(void *handle, void *user)
{
    const struct cublaslt *wanted = user;

    DF_TRY(fill(wanted->library, handle, cublaslt_entries));
    if (!wanted->blas || DF_CUBLAS(wanted->library->cublasLtCreate(wanted->blas)) == 0)
        return 0;
    *wanted->blas = NULL;
    return -1;
}

int df_cublaslt_open(struct df_cublaslt *library, cublasLtHandle_t *blas)
{
    /* The major version of the headers first: what was compiled is its interface. */
    static const char *const names[] = {
        "libcublasLt.so." AS_TEXT(CUBLAS_VER_MAJOR),
#if CUBLAS_VER_MAJOR != 13
        "libcublasLt.so.13",
#endif
#if CUBLAS_VER_MAJOR != 12
        "libcublasLt.so.12",
#endif
        NULL,
    };
    struct cublaslt wanted = {library, blas};

    memset(library, 0, sizeof *library);
    library->handle = df_library_load("cuBLASLt", names, try_cublaslt, &wanted);
    return library->handle ? 0 : -1;
}

#ifdef DINOFT_WITH_CUDNN
#define CUDNN_ENTRY(name) {#name, offsetof(struct df_cudnn, name)},

static const struct entry cudnn_entries[] = {DF_CUDNN_FUNCTIONS(CUDNN_ENTRY){NULL, 0}};

static int try_cudnn(void *handle, void *library)
{
    return fill(library, handle, cudnn_entries);
}

int df_cudnn_open(struct df_cudnn *library)
{
    static const char *const names[] = {"libcudnn.so.9", NULL};

    memset(library, 0, sizeof *library);
    library->handle = df_library_load("cuDNN", names, try_cudnn, library);
    return library->handle ? 0 : -1;
}
#endif

#endif
