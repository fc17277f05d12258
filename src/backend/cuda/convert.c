#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

static bool is_converted(enum df_dtype type)
{
    return type == DF_F32 || type == DF_BF16;
}

int df_cuda_convert(struct df_backend *backend, const void *source, enum df_dtype from, void *destination,
                    enum df_dtype to, int64_t count)
{
    if (!is_converted(from) || !is_converted(to))
        return df_error_set("cannot convert %s to %s: the cuda backend knows float32 and bfloat16",
                            df_dtype_name(from), df_dtype_name(to));
    if (count == 0)
        return 0;
    return DF_LAUNCH_ON(backend, convert, (struct df_matrix){destination, to, 1, count, count},
                        (struct df_matrix){(void *)source, from, 1, count, count});
}
