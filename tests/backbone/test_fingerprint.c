/* Backbones are known again in every container, naming and type, and another training of the same
 * architecture is not. */
#include "backbone/backbone_support.h"
#include "support/errors.h"

#include "dinoft/error.h"
#include "dinoft/fingerprint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 3

static const struct df_vit_config *const models[] = {&small_dinov2, &small_giant, &small_dinov3,
                                                     &small_dinov3_plus, &small_dinov3_7b};
#define MODELS (sizeof models / sizeof models[0])

static struct df_state *random_backbone(const struct df_vit_config *config, uint64_t seed)
{
    struct df_state *state = df_backbone_random(config, seed);
    assert_non_null(state);
    return state;
}

static struct df_fingerprint taken(const struct df_state *state, const struct df_vit_config *config)
{
    struct df_fingerprint fingerprint;
    assert_works(df_fingerprint_take(state, config, &fingerprint) == 0);
    return fingerprint;
}

static void assert_fits(const struct df_fingerprint *fingerprint, const struct df_state *state)
{
    char difference[DF_FINGERPRINT_DIFFERENCE] = "";
    if (!df_fingerprint_fits(fingerprint, state, difference))
        fail_msg("%s", difference);
}

static void assert_other(const struct df_fingerprint *fingerprint, const struct df_state *state,
                         const char *word)
{
    char difference[DF_FINGERPRINT_DIFFERENCE] = "";
    assert_false(df_fingerprint_fits(fingerprint, state, difference));
    if (!strstr(difference, word))
        fail_msg("no \"%s\" in: %s", word, difference);
}

/* Which element of a tensor is kept; in the test's own arithmetic. */
static size_t kept_index(size_t count, int k)
{
    const double turns = (double)(k + 1) * 2654435769.0 / 4294967296.0;
    return (size_t)floor((double)count * (turns - floor(turns)));
}

static float *element(const struct df_state *state, const char *name, int k)
{
    const struct df_tensor *tensor = &df_state_find(state, name)->tensor;
    return (float *)(uintptr_t)tensor->data + kept_index(tensor->count, k);
}

static void keeps_what_the_header_says(void **unused)
{
    struct df_state *state = random_backbone(&small_dinov2, SEED);
    const struct df_fingerprint fingerprint = taken(state, &small_dinov2);
    assert_int_equal(fingerprint.count, 11); /* of two blocks */
    assert_string_equal(fingerprint.tensors[0].name, "patch_embed.proj.weight");
    assert_string_equal(fingerprint.tensors[3].name, "blocks.0.mlp.fc2.weight");
    assert_string_equal(fingerprint.tensors[10].name, "norm.bias");
    for (int i = 0; i < fingerprint.count; i++) {
        assert_int_equal(fingerprint.tensors[i].count, DF_FINGERPRINT_VALUES);
        for (int k = 0; k < DF_FINGERPRINT_VALUES; k++) {
            const double value = (double)*element(state, fingerprint.tensors[i].name, k);
            assert_true(fabs(fingerprint.tensors[i].values[k] - value) <= 5e-6 * fabs(value));
        }
    }
    df_state_free(state);
}

/* All of float32 become another type. */
static struct df_state *in_type(const struct df_state *state, enum df_dtype type)
{
    struct df_state *copy = df_state_new();
    for (size_t i = 0; i < state->count; i++) {
        const struct df_tensor *tensor = &state->entries[i].tensor;
        unsigned char *bytes = malloc(tensor->count * df_dtype_size(type) + 1);
        assert_int_equal(df_convert_from_f32(bytes, type, tensor->data, tensor->count), 0);
        assert_non_null(
            df_state_adopt(copy, state->entries[i].name, type, tensor->ndim, tensor->shape, bytes));
    }
    return copy;
}

static void knows_copies_in_other_types(void **unused)
{
    for (size_t i = 0; i < MODELS; i++) {
        struct df_state *state = random_backbone(models[i], SEED);
        const struct df_fingerprint of_floats = taken(state, models[i]);
        assert_fits(&of_floats, state);
        for (int t = 0; t < 2; t++) {
            struct df_state *copy = in_type(state, t ? DF_BF16 : DF_F16);
            const struct df_fingerprint of_halves = taken(copy, models[i]);
            assert_fits(&of_floats, copy);
            assert_fits(&of_halves, state);
            df_state_free(copy);
        }
        df_state_free(state);
    }
}

static void knows_copies_under_other_names(void **unused)
{
    /* Random weights of the other models have none of Hugging Face's names. */
    for (size_t i = 0; i < 3; i++) {
        struct df_vit_config config = *models[i], read;
        struct df_state *state = random_backbone(&config, SEED);
        const struct df_fingerprint fingerprint = taken(state, &config);
        struct df_state *hf = df_backbone_to_huggingface(state, &config);
        assert_works(hf);
        struct df_state *back = df_backbone_from_state(with_prefix(hf, "backbone."), "FILE", &read);
        assert_non_null(back);
        assert_fits(&fingerprint, back);
        df_state_free(back);
        df_state_free(hf);
        df_state_free(state);
    }
}

static void knows_no_other_training(void **unused)
{
    for (size_t i = 0; i < MODELS; i++) {
        struct df_state *state = random_backbone(models[i], SEED),
                        *other = random_backbone(models[i], SEED + 1);
        const struct df_fingerprint fingerprint = taken(state, models[i]);
        assert_other(&fingerprint, other, " has ");
        df_state_free(other);
        df_state_free(state);
    }
}

/* One tensor alone: LoRA merged into qkv, a norm that was tuned, the last block. */
static void notices_one_changed_tensor(void **unused)
{
    struct df_state *state = random_backbone(&small_dinov3, SEED);
    const struct df_fingerprint fingerprint = taken(state, &small_dinov3);
    for (int i = 0; i < fingerprint.count; i++) {
        const char *name = fingerprint.tensors[i].name;
        double largest = 0.0;
        for (int k = 0; k < DF_FINGERPRINT_VALUES; k++)
            largest = fmax(largest, fabs(fingerprint.tensors[i].values[k]));
        float *value = element(state, name, i % DF_FINGERPRINT_VALUES), before = *value;
        *value = before + (float)(0.009 * largest);
        assert_fits(&fingerprint, state);
        *value = before - (float)(0.011 * largest + 1e-6);
        assert_other(&fingerprint, state, name);
        *value = before;
    }
    df_state_free(state);
}

static void a_tensor_that_is_not_there(void **unused)
{
    struct df_state *state = random_backbone(&small_dinov3, SEED), *less = without(state, "norm.bias");
    const struct df_fingerprint fingerprint = taken(state, &small_dinov3);
    assert_other(&fingerprint, less, "it has no norm.bias");
    df_state_free(less);
    df_state_free(state);
}

static void refuses_what_is_no_number(void **unused)
{
    struct df_state *state = random_backbone(&small_dinov2, SEED);
    struct df_fingerprint fingerprint;
    *element(state, "blocks.1.norm2.weight", 2) = NAN;
    assert_int_equal(df_fingerprint_take(state, &small_dinov2, &fingerprint), -1);
    assert_string_equal(df_error_text(), "blocks.1.norm2.weight holds values that are not numbers");
    df_state_free(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_the_header_says),     cmocka_unit_test(knows_copies_in_other_types),
        cmocka_unit_test(knows_copies_under_other_names), cmocka_unit_test(knows_no_other_training),
        cmocka_unit_test(notices_one_changed_tensor),     cmocka_unit_test(a_tensor_that_is_not_there),
        cmocka_unit_test(refuses_what_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
