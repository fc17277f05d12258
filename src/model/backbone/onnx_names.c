#include "onnx_names.h"

#include "dinoft/error.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_square(int64_t number)
{
    int64_t root = (int64_t)llround(sqrt((double)number));
    return root * root == number;
}

/* An unnamed [1, rows, dim]: with one row, or with a square number of more. */
static bool fits(const struct df_entry *entry, int64_t dim, bool one_row)
{
    const struct df_tensor *tensor = &entry->tensor;
    if (entry->text || !df_text_starts_with(entry->name, "onnx::") || tensor->ndim != 3 ||
        tensor->shape[0] != 1 || tensor->shape[2] != dim || tensor->count == 0)
        return false;
    return one_row ? tensor->shape[1] == 1 : tensor->shape[1] > 1 && is_square(tensor->shape[1]);
}

static int find_only(const struct df_state *source, int64_t dim, bool one_row, const struct df_entry **found)
{
    *found = NULL;
    for (size_t i = 0; i < source->count; i++) {
        if (!fits(&source->entries[i], dim, one_row))
            continue;
        if (*found)
            return df_error_set("%s and %s could both be the position embedding of the %s", (*found)->name,
                                source->entries[i].name, one_row ? "class token" : "patches");
        *found = &source->entries[i];
    }
    return 0;
}

int df_onnx_join_pos_embed(struct df_state *state, const struct df_state *source)
{
    const struct df_entry *token = df_state_find(state, "cls_token"), *class_part, *patch_part;
    size_t total;

    if (!token || token->tensor.ndim != 3)
        return 0;
    int64_t dim = token->tensor.shape[2];
    DF_TRY(find_only(source, dim, true, &class_part));
    DF_TRY(find_only(source, dim, false, &patch_part));
    if (!class_part || !patch_part || class_part->tensor.dtype != patch_part->tensor.dtype)
        return 0;
    size_t width = df_dtype_size(class_part->tensor.dtype);
    size_t class_bytes = class_part->tensor.count * width, patch_bytes = patch_part->tensor.count * width;
    if (!df_size_add(class_bytes, patch_bytes, &total))
        return df_error_set("%s is too large", patch_part->name);
    unsigned char *joined = malloc(total);
    if (!joined)
        return df_error_memory("pos_embed", total);
    memcpy(joined, class_part->tensor.data, class_bytes);
    memcpy(joined + class_bytes, patch_part->tensor.data, patch_bytes);
    int64_t shape[] = {1, 1 + patch_part->tensor.shape[1], dim};
    return df_state_adopt(state, "pos_embed", class_part->tensor.dtype, 3, shape, joined) ? 0 : -1;
}
