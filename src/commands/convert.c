#include "commands.h"

#include "dinoft/backbone_file.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/normalize.h"

#include <stdlib.h>
#include <string.h>

/* A copy of a tensor in another floating-point type. */
static int append_converted(struct df_state *result, const struct df_entry *entry, enum df_dtype dtype)
{
    const struct df_tensor *tensor = &entry->tensor;
    float *values = malloc((tensor->count ? tensor->count : 1) * sizeof *values);
    void *bytes = malloc((tensor->count ? tensor->count : 1) * df_dtype_size(dtype));

    if (!values || !bytes) {
        df_error_memory(entry->name, tensor->count * sizeof *values);
        free(values);
        free(bytes);
        return -1;
    }
    df_convert_to_f32(values, tensor->data, tensor->dtype, tensor->count);
    int status = df_convert_from_f32(bytes, dtype, values, tensor->count);
    free(values);
    if (status != 0) {
        free(bytes);
        return -1;
    }
    struct df_entry *added = df_state_adopt(result, entry->name, dtype, tensor->ndim, tensor->shape, bytes);
    if (!added)
        return -1;
    added->is_parameter = entry->is_parameter;
    return 0;
}

static int append(struct df_state *result, const struct df_entry *entry, enum df_stored_type stored)
{
    static const enum df_dtype types[] = {
        [DF_STORED_FP32] = DF_F32, [DF_STORED_FP16] = DF_F16, [DF_STORED_BF16] = DF_BF16};

    if (entry->text)
        return df_state_add_text(result, entry->name, entry->text) ? 0 : -1;
    if (stored != DF_STORED_KEEP && entry->tensor.dtype != types[stored] &&
        df_dtype_is_float(entry->tensor.dtype))
        return append_converted(result, entry, types[stored]);
    struct df_entry *added = df_state_borrow(result, entry->name, entry->tensor.dtype, entry->tensor.ndim,
                                             entry->tensor.shape, entry->tensor.data);
    if (!added)
        return -1;
    added->is_parameter = entry->is_parameter;
    return 0;
}

/* What is written: it borrows from `source` whatever need not change. */
static struct df_state *converted(const struct df_state *source, enum df_stored_type stored)
{
    struct df_state *result = df_state_new();
    for (size_t i = 0; result && i < source->count; i++) {
        if (append(result, &source->entries[i], stored) != 0) {
            df_state_free(result);
            return NULL;
        }
    }
    return result;
}

static int convert(const struct df_config *config, const struct df_state *source)
{
    struct df_state *result = converted(source, config->dtype);
    int status = result ? df_weight_file_write(config->inputs[1], result) : -1;
    df_state_free(result);
    return status == 0 ? 0 : 1;
}

/* What --normalize auto knows by a name, or by a file beside the weights, is not in what was written. */
static void warn_of_colours(const char *from, const char *to, const struct df_vit_config *vit)
{
    struct df_normalize before, after;
    const char *why, *why_after;
    char text[DF_NORMALIZE_TEXT];

    if (df_normalize_of_backbone(from, vit, &before, &why) != 0 || !why ||
        strcmp(df_normalize_text(&before, text), "imagenet") == 0 ||
        df_normalize_of_backbone(to, vit, &after, &why_after) != 0)
        return;
    if (!why_after || memcmp(&after, &before, sizeof after) != 0)
        df_log("warning: %s wants --normalize %s, %s: nothing tells so of %s, where it has to be typed", from,
               text, why, to);
}

static int convert_backbone(const struct df_config *config, struct df_state *state)
{
    struct df_vit_config vit;
    struct df_state *official = df_backbone_from_state(state, config->inputs[0], &vit);
    struct df_state *renamed = NULL;
    int status = 1;

    if (!official)
        return 1;
    if (config->naming == DF_NAMING_HUGGINGFACE) {
        renamed = df_backbone_to_huggingface(official, &vit);
        if (renamed)
            status = convert(config, renamed);
    } else {
        status = convert(config, official);
    }
    if (status == 0)
        warn_of_colours(config->inputs[0], config->inputs[1], &vit);
    df_state_free(renamed);
    df_state_free(official);
    return status;
}

int command_convert(struct df_config *config)
{
    if (df_weight_file_check_output(config->inputs[1]) != 0)
        return 1;
    struct df_state *state = df_weight_file_read(config->inputs[0], NULL);
    if (!state)
        return 1;
    if (state->ignored > 0)
        df_log("warning: %s: %zu entries that are neither tensors nor strings are left out",
               config->inputs[0], state->ignored);
    if (df_state_is_backbone(state))
        return convert_backbone(config, state);
    int status = 1;
    if (config->naming != DF_NAMING_OFFICIAL)
        df_error_set("%s is a checkpoint: --naming is for backbones", config->inputs[0]);
    else
        status = convert(config, state);
    df_state_free(state);
    return status;
}
