#include "dinoft/backend.h"

#include "dinoft/error.h"

#include <string.h>

static int check_device(const char *device)
{
    if (!strcmp(device, "cpu") || !strcmp(device, "auto"))
        return 0;
    if (!strcmp(device, "cuda"))
        return df_error_set("device cuda: this build of dinoft has no CUDA backend; use cpu or auto");
    return df_error_set("device '%s' is unknown; expected auto, cpu or cuda", device);
}

static int choose_compute_type(const char *precision, enum df_dtype *compute)
{
    if (!strcmp(precision, "fp32"))
        *compute = DF_F32;
    else if (!strcmp(precision, "bf16"))
        *compute = DF_BF16;
    else if (!strcmp(precision, "auto"))
        *compute = df_cpu_bf16_is_native() ? DF_BF16 : DF_F32;
    else
        return df_error_set("precision '%s' is unknown; expected auto, fp32 or bf16", precision);
    return 0;
}

struct df_backend *df_backend_open(const char *device, const char *precision, int threads)
{
    enum df_dtype compute = DF_F32;

    if (check_device(device) != 0 || choose_compute_type(precision, &compute) != 0)
        return NULL;
    return df_cpu_backend_open(compute, threads);
}

void df_backend_close(struct df_backend *backend)
{
    if (backend)
        backend->ops->close(backend);
}
