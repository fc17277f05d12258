#include "lora.h"

#include "dinoft/digest.h"
#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX 32

static const char *key(char buffer[KEY_MAX], char which, int64_t index)
{
    snprintf(buffer, KEY_MAX, "w_%c_%03lld", which, (long long)index);
    return buffer;
}

int df_lora_add_parameters(struct df_lora *lora, struct df_parameters *parameters,
                           enum df_parameter_kind kind, int64_t depth, int64_t dim, int64_t rank)
{
    char name[KEY_MAX];

    *lora = (struct df_lora){
        .rank = rank, .dim = dim, .depth = depth, .parameters = parameters, .first = parameters->count};
    for (int64_t i = 0; i < 2 * depth; i++)
        DF_TRY(df_parameters_add(parameters, key(name, 'a', i), kind, DF_INIT_FAN_IN, dim, 2,
                                 (int64_t[]){rank, dim}));
    for (int64_t i = 0; i < 2 * depth; i++)
        DF_TRY(df_parameters_add(parameters, key(name, 'b', i), kind, DF_INIT_ZERO, rank, 2,
                                 (int64_t[]){dim, rank}));
    return 0;
}

static int check_pair(const struct df_state *checkpoint, int64_t index, int64_t rank, int64_t dim)
{
    char name[KEY_MAX], found[DF_SHAPE_TEXT_MAX];
    for (int which = 0; which < 2; which++) {
        const struct df_entry *entry = df_state_find(checkpoint, key(name, which ? 'b' : 'a', index));
        int64_t rows = which ? dim : rank, columns = which ? rank : dim;
        if (!entry || entry->text)
            return df_error_set("%s is missing", name);
        const struct df_tensor *tensor = &entry->tensor;
        if (tensor->ndim != 2 || tensor->shape[0] != rows || tensor->shape[1] != columns)
            return df_error_set("%s is %s, expected [%lld, %lld]", name,
                                df_shape_text(tensor->shape, tensor->ndim, found), (long long)rows,
                                (long long)columns);
    }
    return 0;
}

int df_lora_read_shape(const struct df_state *checkpoint, int64_t *rank, int64_t *depth, int64_t *dim)
{
    char name[KEY_MAX], found[DF_SHAPE_TEXT_MAX];
    const struct df_entry *first = df_state_find(checkpoint, "w_a_000");
    int64_t pairs = 0;

    *rank = *depth = *dim = 0;
    if (!first)
        return 0;
    if (first->text || first->tensor.ndim != 2 || first->tensor.count == 0)
        return df_error_set("w_a_000 is %s, expected [rank, channels]",
                            df_shape_text(first->tensor.shape, first->tensor.ndim, found));
    *rank = first->tensor.shape[0];
    *dim = first->tensor.shape[1];
    if (*rank > DF_MAX_RANK)
        return df_error_set("w_a_000 has rank %lld, at most %d is possible", (long long)*rank, DF_MAX_RANK);
    while (df_state_find(checkpoint, key(name, 'a', pairs))) {
        DF_TRY(check_pair(checkpoint, pairs, *rank, *dim));
        pairs++;
    }
    if (pairs % 2 != 0)
        return df_error_set("%s is missing: every block has a pair for q and one for v", name);
    *depth = pairs / 2;
    return 0;
}

static int add_to_digest(struct df_digest *digest, const struct df_tensor *tensor)
{
    const size_t bytes = tensor->count * sizeof(float);
    float *values = malloc(bytes);

    if (!values)
        return df_error_memory("a LoRA tensor", bytes);
    df_convert_to_f32(values, tensor->data, tensor->dtype, tensor->count);
    df_digest_add(digest, values, bytes);
    free(values);
    return 0;
}

int df_lora_digest(const struct df_state *checkpoint, int64_t depth, uint64_t *value)
{
    struct df_digest digest;
    char name[KEY_MAX];

    df_digest_start(&digest);
    for (int64_t i = 0; i < 4 * depth; i++) {
        const struct df_entry *entry = df_state_find(checkpoint, key(name, "ab"[i % 2], i / 2));
        df_digest_add_text(&digest, name);
        df_digest_add_number(&digest, (uint64_t)entry->tensor.shape[0]);
        DF_TRY(add_to_digest(&digest, &entry->tensor));
    }
    *value = df_digest_value(&digest);
    return 0;
}

/* The tensors of one block as matrices, from the values or from the gradients. */
struct block_tensors {
    struct df_matrix a;    /* [2 * rank, D]: A_q over A_v, neighbours in memory */
    struct df_matrix b[2]; /* [D, rank]: B_q, B_v */
};

static float *tensor(const struct df_lora *lora, int64_t i, bool gradient)
{
    const struct df_parameter *parameter = &lora->parameters->items[lora->first + i];
    return gradient ? parameter->gradient : parameter->value;
}

static struct block_tensors block_tensors(const struct df_lora *lora, int64_t block, bool gradients)
{
    const int64_t a = 2 * block, b = 2 * lora->depth + 2 * block;
    struct block_tensors tensors = {
        .a = {tensor(lora, a, gradients), DF_F32, 2 * lora->rank, lora->dim, lora->dim}};

    for (int i = 0; i < 2; i++)
        tensors.b[i] =
            (struct df_matrix){tensor(lora, b + i, gradients), DF_F32, lora->dim, lora->rank, lora->rank};
    return tensors;
}

static struct df_matrix columns(struct df_matrix matrix, int64_t first, int64_t count)
{
    matrix.data = (char *)matrix.data + (size_t)first * df_dtype_size(matrix.type);
    matrix.cols = count;
    return matrix;
}

int df_lora_forward(const struct df_lora *lora, struct df_backend *backend, int64_t block, struct df_matrix x,
                    struct df_matrix qkv, float *down)
{
    struct block_tensors weights = block_tensors(lora, block, false);
    struct df_matrix both = {down, DF_F32, x.rows, 2 * lora->rank, 2 * lora->rank};

    DF_TRY(backend->ops->matmul(backend, x, false, weights.a, true, both, false));
    for (int i = 0; i < 2; i++)
        DF_TRY(backend->ops->matmul(backend, columns(both, i * lora->rank, lora->rank), false, weights.b[i],
                                    true, columns(qkv, 2 * i * lora->dim, lora->dim), true));
    return 0;
}

int df_lora_backward(const struct df_lora *lora, struct df_backend *backend, int64_t block,
                     struct df_matrix x, const float *down, struct df_matrix dqkv, struct df_matrix dx,
                     float *ddown)
{
    struct block_tensors weights = block_tensors(lora, block, false);
    struct block_tensors gradients = block_tensors(lora, block, true);
    struct df_matrix both = {(void *)(uintptr_t)down, DF_F32, x.rows, 2 * lora->rank, 2 * lora->rank};
    struct df_matrix dboth = {ddown, DF_F32, x.rows, 2 * lora->rank, 2 * lora->rank};

    for (int i = 0; i < 2; i++) {
        struct df_matrix dout = columns(dqkv, 2 * i * lora->dim, lora->dim);
        DF_TRY(backend->ops->matmul(backend, dout, true, columns(both, i * lora->rank, lora->rank), false,
                                    gradients.b[i], false));
        DF_TRY(backend->ops->matmul(backend, dout, false, weights.b[i], false,
                                    columns(dboth, i * lora->rank, lora->rank), false));
    }
    DF_TRY(backend->ops->matmul(backend, dboth, true, x, false, gradients.a, false));
    if (!dx.data)
        return 0;
    return backend->ops->matmul(backend, dboth, false, weights.a, false, dx, true);
}

int df_lora_fold(const struct df_state *checkpoint, int64_t dim, int64_t block, float *qkv_weight)
{
    char name[KEY_MAX];
    const struct df_entry *first = df_state_find(checkpoint, key(name, 'a', 2 * block));
    if (!first)
        return 0;
    int64_t rank = first->tensor.shape[0];
    float *values = malloc((size_t)(2 * rank * dim) * sizeof *values);
    if (!values)
        return df_error_memory("a LoRA pair", (unsigned long long)(2 * rank * dim) * sizeof *values);
    float *a = values, *b = values + rank * dim;

    for (int i = 0; i < 2; i++) {
        const struct df_tensor *ta = &df_state_find(checkpoint, key(name, 'a', 2 * block + i))->tensor;
        const struct df_tensor *tb = &df_state_find(checkpoint, key(name, 'b', 2 * block + i))->tensor;
        df_convert_to_f32(a, ta->data, ta->dtype, ta->count);
        df_convert_to_f32(b, tb->data, tb->dtype, tb->count);
        for (int64_t row = 0; row < dim; row++) {
            float *weight = qkv_weight + (2 * i * dim + row) * dim;
            for (int64_t k = 0; k < rank; k++)
                for (int64_t column = 0; column < dim; column++)
                    weight[column] += b[row * rank + k] * a[k * dim + column];
        }
    }
    free(values);
    return 0;
}
