/* LoRA in a checkpoint: what is there, whether it fits, its digest, and folding it into weights. */
#include "lora.h"

#include "dinoft/checkpoint.h"
#include "dinoft/digest.h"
#include "dinoft/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct df_tensor *find(const struct df_state *checkpoint, char which, int64_t block,
                                    enum df_lora_target target, enum df_ffn ffn)
{
    char name[DF_LORA_KEY_MAX];
    const struct df_entry *entry = df_state_find(checkpoint, df_lora_key(name, which, block, target, ffn));

    return entry && !entry->text ? &entry->tensor : NULL;
}

/* --- what is there --- */

static int check_tensor(const struct df_state *checkpoint, const char *name, int64_t rows, int64_t columns)
{
    char found[DF_SHAPE_TEXT_MAX];
    const struct df_entry *entry = df_state_find(checkpoint, name);

    if (!entry || entry->text)
        return df_error_set("%s is missing", name);
    const struct df_tensor *tensor = &entry->tensor;
    if (tensor->ndim != 2 || tensor->shape[0] != rows || tensor->shape[1] != columns)
        return df_error_set("%s is %s, expected [%lld, %lld]", name,
                            df_shape_text(tensor->shape, tensor->ndim, found), (long long)rows,
                            (long long)columns);
    return 0;
}

/* Pairs of q and v, of which every block has one each. */
static int find_q_and_v(struct df_checkpoint *checkpoint)
{
    char name[DF_LORA_KEY_MAX], shape[DF_SHAPE_TEXT_MAX];
    const struct df_state *state = checkpoint->state;
    const struct df_entry *first = df_state_find(state, "w_a_000");
    int64_t pairs = 0;

    if (!first)
        return 0;
    if (first->text || first->tensor.ndim != 2 || first->tensor.count == 0)
        return df_error_set("w_a_000 is %s, expected [rank, channels]",
                            df_shape_text(first->tensor.shape, first->tensor.ndim, shape));
    const int64_t rank = first->tensor.shape[0], dim = first->tensor.shape[1];
    if (rank > DF_MAX_RANK)
        return df_error_set("w_a_000 has rank %lld, at most %d is possible", (long long)rank, DF_MAX_RANK);
    for (;; pairs++) {
        const enum df_lora_target target = pairs % 2 ? DF_LORA_V : DF_LORA_Q;
        if (!df_state_find(state, df_lora_key(name, 'a', pairs / 2, target, DF_FFN_MLP)))
            break;
        DF_TRY(check_tensor(state, name, rank, dim));
        DF_TRY(check_tensor(state, df_lora_key(name, 'b', pairs / 2, target, DF_FFN_MLP), dim, rank));
    }
    if (pairs % 2 != 0)
        return df_error_set("%s is missing: every block has a pair for q and one for v", name);
    if (dim != checkpoint->dim)
        return df_error_set("LoRA is for %lld channels, the decoder for %lld", (long long)dim,
                            (long long)checkpoint->dim);
    checkpoint->rank = rank;
    checkpoint->depth = pairs / 2;
    return checkpoint->depth <= DF_VIT_MAX_DEPTH
               ? 0
               : df_error_set("it has LoRA for %lld blocks, at most %d are possible",
                              (long long)checkpoint->depth, DF_VIT_MAX_DEPTH);
}

/* Tensors tell neither which blocks' q and v are trained nor, where one of the two is, which: the record
 * does. Without one all of them are. */
static int take_recorded(struct df_checkpoint *checkpoint)
{
    const struct df_record *record = &checkpoint->record;
    struct df_lora_parts *parts = &checkpoint->lora;

    if (*record->lora_blocks && df_lora_blocks_read(record->lora_blocks, checkpoint->depth, parts) != 0)
        return df_error_context("the entry '%s', lora_blocks", DF_RECORD_KEY);
    return 0;
}

int df_lora_find(struct df_checkpoint *checkpoint)
{
    DF_TRY(find_q_and_v(checkpoint));
    return checkpoint->rank > 0 ? take_recorded(checkpoint) : 0;
}

/* --- its digest --- */

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

static int add_pair(struct df_digest *digest, const struct df_state *checkpoint, int64_t block,
                    enum df_lora_target target, enum df_ffn ffn)
{
    char name[DF_LORA_KEY_MAX];

    for (int which = 0; which < 2; which++) {
        const struct df_tensor *tensor = find(checkpoint, "ab"[which], block, target, ffn);
        if (!tensor)
            continue;
        df_digest_add_text(digest, df_lora_key(name, "ab"[which], block, target, ffn));
        df_digest_add_number(digest, (uint64_t)tensor->shape[0]);
        DF_TRY(add_to_digest(digest, tensor));
    }
    return 0;
}

int df_checkpoint_lora_digest(const struct df_checkpoint *checkpoint, uint64_t *value)
{
    const enum df_ffn ffn = checkpoint->lora_ffn;
    struct df_digest digest;

    df_digest_start(&digest);
    for (int64_t block = 0; block < checkpoint->depth; block++)
        for (int target = 0; target < DF_LORA_TARGETS; target++)
            if (df_lora_target_name((enum df_lora_target)target, ffn))
                DF_TRY(add_pair(&digest, checkpoint->state, block, (enum df_lora_target)target, ffn));
    *value = df_digest_value(&digest);
    return 0;
}

/* --- folding --- */

/* weight [out, in] += B A; values: room for both in float32. */
static void add_product(float *weight, const struct df_tensor *a, const struct df_tensor *b, float *values)
{
    const int64_t rank = a->shape[0], in = a->shape[1], out = b->shape[0];
    float *down = values, *up = values + a->count;

    df_convert_to_f32(down, a->data, a->dtype, a->count);
    df_convert_to_f32(up, b->data, b->dtype, b->count);
    for (int64_t row = 0; row < out; row++)
        for (int64_t k = 0; k < rank; k++)
            for (int64_t column = 0; column < in; column++)
                weight[row * in + column] += up[row * rank + k] * down[k * in + column];
}

int df_lora_fold(const struct df_state *checkpoint, const struct df_vit_config *config, int64_t block,
                 enum df_lora_layer layer, float *weight)
{
    for (int i = 0; i < DF_LORA_TARGETS; i++) {
        const enum df_lora_target target = (enum df_lora_target)i;
        const struct df_lora_place place = df_lora_place(target, config);
        if (place.layer != layer || !df_lora_target_name(target, config->ffn))
            continue;
        const struct df_tensor *a = find(checkpoint, 'a', block, target, config->ffn),
                               *b = find(checkpoint, 'b', block, target, config->ffn);
        if (!a || !b)
            continue;
        float *values = malloc((a->count + b->count) * sizeof *values);
        if (!values)
            return df_error_memory("a LoRA pair", (a->count + b->count) * sizeof *values);
        add_product(weight + place.first_row * place.in, a, b, values);
        free(values);
    }
    return 0;
}
