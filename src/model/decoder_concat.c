#include "decoder_concat.h"

#include "dinoft/error.h"

static struct df_matrix matrix(float *data, int64_t rows, int64_t columns)
{
    return (struct df_matrix){data, DF_F32, rows, columns, columns};
}

/* The columns of the weights, or of their gradient, that belong to map i. */
static struct df_matrix columns_of(const struct df_concat *concat, float *weight, int i)
{
    return (struct df_matrix){weight + i * concat->dim, DF_F32, concat->out, concat->dim,
                              concat->n * concat->dim};
}

int df_concat_forward(struct df_backend *backend, const struct df_concat *concat, float *const maps[],
                      float *out)
{
    const struct df_matrix result = matrix(out, concat->rows, concat->out);

    for (int i = 0; i < concat->n; i++)
        DF_TRY(backend->ops->matmul(backend, matrix(maps[i], concat->rows, concat->dim), false,
                                    columns_of(concat, concat->weight->value, i), true, result, i > 0));
    return backend->ops->add_bias(backend, result, concat->bias->value);
}

int df_concat_backward_bias(struct df_backend *backend, const struct df_concat *concat, float *dout)
{
    return backend->ops->column_sum(backend, matrix(dout, concat->rows, concat->out), concat->bias->gradient);
}

int df_concat_backward_map(struct df_backend *backend, const struct df_concat *concat, int i, float *map,
                           float *dout, float *dmap)
{
    const struct df_backend_ops *ops = backend->ops;
    const struct df_matrix dresult = matrix(dout, concat->rows, concat->out);

    DF_TRY(ops->matmul(backend, dresult, true, matrix(map, concat->rows, concat->dim), false,
                       columns_of(concat, concat->weight->gradient, i), false));
    if (!dmap)
        return 0;
    return ops->matmul(backend, dresult, false, columns_of(concat, concat->weight->value, i), false,
                       matrix(dmap, concat->rows, concat->dim), false);
}
