#include "dinoft/fingerprint.h"

#include "names.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 0.01        /* of the largest value kept */
#define FLOOR     1e-6        /* float16 has nothing finer than 6e-8 */
#define STEP      2654435769u /* 2^32 over the golden ratio */

/* Element k of those that are kept, as a double. */
static double element(const struct df_tensor *tensor, int k)
{
    const uint32_t fraction = (uint32_t)(k + 1) * STEP; /* of 2^32 */
    const size_t index = (size_t)(((uint64_t)tensor->count * fraction) >> 32);
    float value;

    df_convert_to_f32(&value, (const char *)tensor->data + index * df_dtype_size(tensor->dtype),
                      tensor->dtype, 1);
    return (double)value;
}

static double rounded(double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", value);
    return strtod(text, NULL);
}

static int add(struct df_fingerprint *fingerprint, const struct df_state *backbone, const char *name)
{
    const int i = fingerprint->count;
    const struct df_entry *entry = df_state_find(backbone, name);

    snprintf(fingerprint->tensors[i].name, DF_FINGERPRINT_NAME, "%s", name);
    for (int k = 0; k < DF_FINGERPRINT_VALUES; k++) {
        const double value = element(&entry->tensor, k);
        if (!isfinite(value))
            return df_error_set("%s holds values that are not numbers", name);
        fingerprint->tensors[i].values[k] = rounded(value);
    }
    fingerprint->tensors[i].count = DF_FINGERPRINT_VALUES;
    fingerprint->count++;
    return 0;
}

static int add_block(struct df_fingerprint *fingerprint, const struct df_state *backbone,
                     const struct df_vit_config *config, int64_t block)
{
    const char *const names[] = {"attn.qkv.weight", "attn.proj.weight",
                                 config->ffn == DF_FFN_SWIGLU ? "mlp.w3.weight" : "mlp.fc2.weight",
                                 "norm2.weight"};
    char name[DF_OFFICIAL_NAME_MAX];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(name, sizeof name, "blocks.%" PRId64 ".%s", block, names[i]);
        DF_TRY(add(fingerprint, backbone, name));
    }
    return 0;
}

int df_fingerprint_take(const struct df_state *backbone, const struct df_vit_config *config,
                        struct df_fingerprint *fingerprint)
{
    const int64_t blocks[] = {0, config->depth / 2, config->depth - 1};

    fingerprint->count = 0;
    DF_TRY(add(fingerprint, backbone, "patch_embed.proj.weight"));
    for (int i = 0; i < 3; i++) {
        if (i == 0 || blocks[i] != blocks[i - 1])
            DF_TRY(add_block(fingerprint, backbone, config, blocks[i]));
    }
    DF_TRY(add(fingerprint, backbone, "norm.weight"));
    return add(fingerprint, backbone, "norm.bias");
}

bool df_fingerprint_fits(const struct df_fingerprint *fingerprint, const struct df_state *backbone,
                         char difference[DF_FINGERPRINT_DIFFERENCE])
{
    for (int i = 0; i < fingerprint->count; i++) {
        const char *name = fingerprint->tensors[i].name;
        const double *values = fingerprint->tensors[i].values;
        const struct df_entry *entry = df_state_find(backbone, name);
        double largest = 0.0;

        if (!entry || entry->text || entry->tensor.count == 0) {
            snprintf(difference, DF_FINGERPRINT_DIFFERENCE, "it has no %s", name);
            return false;
        }
        for (int k = 0; k < fingerprint->tensors[i].count; k++)
            largest = fmax(largest, fabs(values[k]));
        for (int k = 0; k < fingerprint->tensors[i].count; k++) {
            const double value = element(&entry->tensor, k);
            if (fabs(value - values[k]) <= TOLERANCE * largest + FLOOR)
                continue;
            snprintf(difference, DF_FINGERPRINT_DIFFERENCE, "%s has %.4g where %.4g was", name, value,
                     values[k]);
            return false;
        }
    }
    return true;
}
