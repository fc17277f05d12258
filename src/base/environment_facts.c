#include "dinoft/facts.h"

#include "dinoft/text.h"

#include <stdbool.h>
#include <string.h>

extern char **environ;

/* Names, and with a '_' at the end beginnings of names, of what dinoft reads itself, and of what the dynamic
 * loader, malloc, OpenMP, oneDNN, BLAS and CUDA read. No beginning here is one of a password's or a key's. */
static const char *const names[] = {"DINOFT_",
                                    "XDG_CACHE_HOME",
                                    "XDG_DATA_HOME",
                                    "SOURCE_DATE_EPOCH",
                                    "LD_LIBRARY_PATH",
                                    "LD_PRELOAD",
                                    "GLIBC_TUNABLES",
                                    "MALLOC_",
                                    "OMP_",
                                    "GOMP_",
                                    "KMP_",
                                    "ONEDNN_",
                                    "DNNL_",
                                    "OPENBLAS_",
                                    "MKL_",
                                    "CUDA_",
                                    "CUBLAS_",
                                    "CUBLASLT_",
                                    "CUDNN_",
                                    "NVIDIA_VISIBLE_DEVICES",
                                    "NVIDIA_TF32_OVERRIDE"};

static bool matters(const char *variable)
{
    const size_t length = strcspn(variable, "=");

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t wanted = strlen(names[i]);
        if (df_text_starts_with(variable, names[i]) && (names[i][wanted - 1] == '_' || wanted == length))
            return true;
    }
    return false;
}

void df_environment_facts(FILE *stream)
{
    bool found = false;

    for (char **variable = environ; variable && *variable; variable++) {
        if (!matters(*variable))
            continue;
        df_fact(stream, "environment", "%s", *variable);
        found = true;
    }
    if (!found)
        df_fact(stream, "environment", "nothing is set that the program or its libraries read");
}
