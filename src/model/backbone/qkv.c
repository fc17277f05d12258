#include "qkv.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <stdlib.h>
#include <string.h>

static bool same_kind(const struct df_tensor *a, const struct df_tensor *b)
{
    return a->dtype == b->dtype && a->ndim == b->ndim &&
           memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof a->shape[0]) == 0;
}

static int check_parts(const struct df_entry *first, const struct df_entry *const parts[DF_QKV_PARTS])
{
    char a[DF_SHAPE_TEXT_MAX], b[DF_SHAPE_TEXT_MAX];
    const struct df_tensor *x = &first->tensor;

    if (x->ndim < 1)
        return df_error_set("%s is a scalar", first->name);
    for (int i = 0; i < DF_QKV_PARTS; i++) {
        const struct df_tensor *y = parts[i] ? &parts[i]->tensor : x;
        if (!same_kind(x, y))
            return df_error_set("%s is %s %s, but %s is %s %s", first->name, df_dtype_name(x->dtype),
                                df_shape_text(x->shape, x->ndim, a), parts[i]->name, df_dtype_name(y->dtype),
                                df_shape_text(y->shape, y->ndim, b));
    }
    return 0;
}

int df_qkv_join(struct df_state *state, const char *name, const struct df_entry *const parts[DF_QKV_PARTS])
{
    const struct df_entry *first = parts[0] ? parts[0] : parts[1] ? parts[1] : parts[2];
    const struct df_tensor *tensor = &first->tensor;
    int64_t shape[DF_MAX_DIMS];
    size_t total;

    DF_TRY(check_parts(first, parts));
    size_t bytes = tensor->count * df_dtype_size(tensor->dtype);
    if (tensor->shape[0] > INT64_MAX / DF_QKV_PARTS || !df_size_mul(bytes, DF_QKV_PARTS, &total))
        return df_error_set("%s is too large", first->name);
    memcpy(shape, tensor->shape, sizeof shape);
    shape[0] *= DF_QKV_PARTS;
    unsigned char *joined = calloc(total ? total : 1, 1); /* all formats' zero is zero bytes */
    if (!joined)
        return df_error_memory(name, total);
    for (size_t i = 0; i < DF_QKV_PARTS; i++) {
        if (parts[i] && bytes)
            memcpy(joined + i * bytes, parts[i]->tensor.data, bytes);
    }
    return df_state_adopt(state, name, tensor->dtype, tensor->ndim, shape, joined) ? 0 : -1;
}

int df_qkv_third(const struct df_entry *whole, int part, struct df_tensor *third)
{
    *third = whole->tensor;
    if (third->ndim < 1 || third->shape[0] % DF_QKV_PARTS)
        return df_error_set("%s does not consist of three parts", whole->name);
    third->shape[0] /= DF_QKV_PARTS;
    third->count /= DF_QKV_PARTS;
    third->data =
        (const unsigned char *)whole->tensor.data + (size_t)part * third->count * df_dtype_size(third->dtype);
    return 0;
}

bool df_tensor_is_zero(const struct df_tensor *tensor)
{
    const unsigned char *bytes = tensor->data;
    for (size_t i = 0; i < tensor->count; i++) {
        float value;
        df_convert_to_f32(&value, bytes + i * df_dtype_size(tensor->dtype), tensor->dtype, 1);
        if (value != 0.0f)
            return false;
    }
    return true;
}
