/* Every naming scheme comes out under the official names. */
#include "backbone/backbone_support.h"
#include "support/errors.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>

static struct df_state *read_or_fail(const char *name, struct df_vit_config *config)
{
    char *path = df_text_format("%s/%s", DINOFT_FIXTURES, name);
    struct df_state *state = df_backbone_read(path, config);
    free(path);
    assert_works(state);
    return state;
}

static struct df_state *bring_or_fail(struct df_state *state, struct df_vit_config *config)
{
    struct df_state *official = df_backbone_from_state(state, "FILE", config);
    assert_works(official);
    return official;
}

static void assert_refused(struct df_state *state, const char *error)
{
    struct df_vit_config config;
    assert_null(df_backbone_from_state(state, "FILE", &config));
    assert_string_equal(df_error_text(), error);
}

/* The k third of the official bias, times its mask; Hugging Face's file has no k bias at all. */
static void assert_equal_biases(const struct df_entry *official, const struct df_entry *mask,
                                const struct df_entry *huggingface)
{
    const float *a = official->tensor.data, *m = mask->tensor.data, *b = huggingface->tensor.data;
    assert_int_equal(official->tensor.count, huggingface->tensor.count);
    for (size_t i = 0; i < official->tensor.count; i++) {
        float x, y, keep;
        memcpy(&x, a + i, sizeof x);
        memcpy(&y, b + i, sizeof y);
        memcpy(&keep, m + i, sizeof keep);
        assert_true(x * keep == y);
    }
}

static bool ends_with(const char *name, const char *end)
{
    return df_text_ends_with(name, end);
}

/* Computed where the file has none: equal but for the last bit of a power. */
static void assert_same_periods(const struct df_entry *a, const struct df_entry *b)
{
    assert_non_null(b);
    assert_int_equal(a->tensor.count, b->tensor.count);
    const float *x = a->tensor.data, *y = b->tensor.data;
    for (size_t i = 0; i < a->tensor.count; i++)
        assert_true(fabsf(x[i] - y[i]) <= 1e-6f * x[i]);
}

static void reads_huggingface_files(void **unused)
{
    static const char *const models[] = {"dinov2_tiny_reg", "dinov3_tiny"};
    for (size_t i = 0; i < 2; i++) {
        char path[256];
        struct df_vit_config config, hf_config;
        snprintf(path, sizeof path, "%s/backbone.pth", models[i]);
        struct df_state *official = read_or_fail(path, &config);
        snprintf(path, sizeof path, "hf/%s/model.safetensors", models[i]);
        struct df_state *hf = read_or_fail(path, &hf_config);
        assert_same_config(&config, &hf_config);
        for (size_t k = 0; k < official->count; k++) {
            const struct df_entry *entry = &official->entries[k];
            char mask[128];
            snprintf(mask, sizeof mask, "%s_mask", entry->name);
            if (strcmp(entry->name, "rope_embed.periods") == 0)
                assert_same_periods(entry, df_state_find(hf, entry->name));
            else if (df_state_find(official, mask))
                assert_equal_biases(entry, df_state_find(official, mask), df_state_find(hf, entry->name));
            else
                assert_same_tensor(entry, df_state_find(hf, entry->name));
        }
        assert_int_equal(hf->count, official->count);
        df_state_free(hf);
        df_state_free(official);
    }
}

/* Official -> Hugging Face gives the tensors of the file that transformers wrote, and no others. */
static void writes_huggingface_names(void **unused)
{
    static const char *const models[] = {"dinov2_tiny_reg", "dinov3_tiny"};
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        struct df_vit_config config;
        snprintf(path, sizeof path, "%s/backbone.pth", models[i]);
        struct df_state *official = read_or_fail(path, &config);
        snprintf(path, sizeof path, "%s/hf/%s/model.safetensors", DINOFT_FIXTURES, models[i]);
        struct df_state *expected = df_weight_file_read(path, NULL);
        struct df_state *hf = df_backbone_to_huggingface(official, &config);
        assert_non_null(hf);
        assert_int_equal(hf->count, expected->count);
        for (size_t k = 0; k < expected->count; k++)
            assert_same_tensor(&expected->entries[k], df_state_find(hf, expected->entries[k].name));
        df_state_free(hf);
        df_state_free(expected);
        df_state_free(official);
    }
}

static void goes_to_huggingface_and_back(void **unused)
{
    struct df_vit_config plus = small_dinov3_plus;
    plus.has_cls_norm = false;
    const struct df_vit_config *const kinds[] = {&small_dinov2, &small_giant, &small_dinov3, &plus};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct df_vit_config config;
        struct df_state *official = make_backbone(kinds[i]);
        struct df_state *hf = df_backbone_to_huggingface(official, kinds[i]);
        assert_non_null(hf);
        struct df_state *back = bring_or_fail(with_prefix(hf, "dinov2."), &config);
        assert_same_config(&config, kinds[i]);
        for (size_t k = 0; k < back->count; k++) {
            const char *name = back->entries[k].name;
            if (kinds[i]->family == DF_DINOV2 ||
                !(ends_with(name, ".qkv.bias") || ends_with(name, ".bias_mask")))
                assert_same_tensor(&back->entries[k], df_state_find(official, back->entries[k].name));
        }
        df_state_free(back);
        df_state_free(hf);
        df_state_free(official);
    }
    struct df_state *official = make_backbone(&small_dinov3_plus);
    assert_null(df_backbone_to_huggingface(official, &small_dinov3_plus));
    assert_string_equal(df_error_text(), "Hugging Face's DINOv3ViTModel has no tensor for cls_norm.weight");
    df_state_free(official);
}

/* Newer transformers put the blocks of a DINOv3 under "model."; a k bias that is there is used. */
/* What Hugging Face's files do not hold must be what its code computes. */
static void refuses_what_huggingface_cannot_say(void **unused)
{
    struct df_vit_config without_registers = small_dinov3, wide_heads = small_dinov3_7b;
    struct df_state *state = make_backbone(&small_dinov3);
    ((float *)(uintptr_t)df_state_find(state, "rope_embed.periods")->tensor.data)[3] *= 1.01f;
    assert_null(df_backbone_to_huggingface(state, &small_dinov3));
    assert_error_has("rope_embed.periods[3]");
    df_state_free(state);
    without_registers.registers = 0;
    state = make_backbone(&without_registers);
    assert_null(df_backbone_to_huggingface(state, &without_registers));
    assert_error_has("storage tokens");
    df_state_free(state);
    state = make_backbone(&wide_heads);
    assert_null(df_backbone_to_huggingface(state, &wide_heads));
    assert_error_has("heads of 128");
    df_state_free(state);
}

static void reads_variants_of_dinov3(void **unused)
{
    static float bias[64];
    struct df_vit_config config;
    struct df_state *official = make_backbone(&small_dinov3);
    struct df_state *hf = df_backbone_to_huggingface(official, &small_dinov3), *copy = df_state_new();
    char name[128];
    for (size_t i = 0; i < hf->count; i++) {
        const struct df_tensor *t = &hf->entries[i].tensor;
        bool block = df_text_starts_with(hf->entries[i].name, "layer.");
        snprintf(name, sizeof name, "%s%s", block ? "model." : "", hf->entries[i].name);
        df_state_borrow(copy, name, t->dtype, t->ndim, t->shape, t->data);
    }
    bias[5] = 2.5f;
    df_state_borrow(copy, "model.layer.1.attention.k_proj.bias", DF_F32, 1, (int64_t[]){64}, bias);
    struct df_state *back = bring_or_fail(copy, &config);
    assert_same_config(&config, &small_dinov3);
    const float *joined = df_state_find(back, "blocks.0.attn.qkv.bias")->tensor.data;
    assert_true(joined[63] != 0 && joined[64] == 0 && joined[127] == 0 && joined[128] != 0);
    joined = df_state_find(back, "blocks.1.attn.qkv.bias")->tensor.data;
    assert_true(joined[64] == 0 && joined[69] == 2.5f);

    struct df_state *again = df_backbone_to_huggingface(back, &config);
    assert_null(df_state_find(again, "layer.0.attention.k_proj.bias"));
    assert_non_null(df_state_find(again, "layer.1.attention.k_proj.bias"));
    df_state_free(again);
    df_state_free(back);
    df_state_free(hf);
    df_state_free(official);
}

/* transformers writes an empty tensor where a DINOv3 has no storage tokens. */
static void reads_a_dinov3_without_storage_tokens(void **unused)
{
    struct df_vit_config without_tokens = small_dinov3, config;
    without_tokens.registers = 0;
    struct df_state *official = make_backbone(&small_dinov3);
    struct df_state *hf = df_backbone_to_huggingface(official, &small_dinov3);
    struct df_state *back = bring_or_fail(
        with_shape(hf, "embeddings.register_tokens", DF_F32, 3, (int64_t[]){1, 0, 64}), &config);
    assert_same_config(&config, &without_tokens);
    struct df_state *again = df_backbone_to_huggingface(back, &config);
    assert_non_null(again);
    assert_int_equal(df_state_find(again, "embeddings.register_tokens")->tensor.count, 0);
    df_state_free(again);
    df_state_free(back);
    df_state_free(hf);
    df_state_free(official);
}

static void finds_the_backbone_under_prefixes(void **unused)
{
    static const char *const prefixes[] = {"",
                                           "model.",
                                           "teacher.",
                                           "state_dict.",
                                           "module.backbone.",
                                           "teacher.module.backbone.",
                                           "state_dict.model.module."};
    struct df_state *plain = make_backbone(&small_dinov2);
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        struct df_vit_config config;
        struct df_state *state = with_prefix(plain, prefixes[i]);
        df_state_borrow(state, "teacher.dino_head.mlp.0.weight", DF_F32, 1, (int64_t[]){1}, "1234");
        df_state_add_text(state, "note", "text");
        assert_true(df_state_is_backbone(state));
        struct df_state *official = bring_or_fail(state, &config);
        assert_int_equal(official->count, plain->count);
        for (size_t k = 0; k < plain->count; k++)
            assert_same_tensor(&plain->entries[k], df_state_find(official, plain->entries[k].name));
        df_state_free(official);
    }
    df_state_free(plain);
}

/* The teacher is taken, whatever stands first; blocks that training groups are put in a row. */
static void prefers_the_teacher(void **unused)
{
    struct df_vit_config config;
    struct df_state *plain = make_backbone(&small_dinov2), *state = df_state_new();
    static const float zero[4096] = {0};
    df_state_borrow(state, "student.backbone.cls_token", DF_F32, 3, (int64_t[]){1, 1, 64}, zero);
    df_state_borrow(state, "cls_token", DF_F32, 3, (int64_t[]){1, 1, 64}, zero);
    for (size_t i = 0; i < plain->count; i++) {
        const struct df_entry *entry = &plain->entries[i];
        char name[128];
        bool block = df_text_starts_with(entry->name, "blocks.");
        snprintf(name, sizeof name, "teacher.backbone.%s%s", block ? "blocks.0." : "",
                 entry->name + (block ? strlen("blocks.") : 0));
        df_state_borrow(state, name, entry->tensor.dtype, entry->tensor.ndim, entry->tensor.shape,
                        entry->tensor.data);
    }
    struct df_state *official = bring_or_fail(state, &config);
    assert_same_config(&config, &small_dinov2);
    for (size_t k = 0; k < plain->count; k++)
        assert_same_tensor(&plain->entries[k], df_state_find(official, plain->entries[k].name));
    df_state_free(official);
    df_state_free(plain);
}

static void refuses(void **unused)
{
    struct df_state *none = df_state_new();
    df_state_borrow(none, "w_a_000", DF_F32, 1, (int64_t[]){1}, "1234");
    assert_false(df_state_is_backbone(none));
    assert_refused(
        none, "FILE: no backbone in it: none of its 1 tensors is called cls_token or embeddings.cls_token "
              "(the first is w_a_000)");
    struct df_state *plain = make_backbone(&small_dinov2);
    assert_refused(with_prefix(plain, "student."),
                   "FILE: no backbone in it but a training run's student, expected a teacher");
    assert_refused(with_shape(plain, "blocks.1.mlp.fc1.weight", DF_F32, 2, (int64_t[]){256, 60}),
                   "FILE: blocks.1.mlp.fc1.weight is [256, 60], expected [256, 64]");
    assert_refused(with_shape(plain, "blocks.1.attn.q_norm.weight", DF_F32, 1, (int64_t[]){64}),
                   "FILE: blocks.1.attn.q_norm.weight belongs to no block of DINOv2 or DINOv3");

    struct df_state *hf = df_backbone_to_huggingface(plain, &small_dinov2);
    assert_refused(
        with_shape(hf, "encoder.layer.0.attention.attention.key.weight", DF_F16, 2, (int64_t[]){64, 64}),
        "FILE: encoder.layer.0.attention.attention.query.weight is float32 [64, 64], but "
        "encoder.layer.0.attention.attention.key.weight is float16 [64, 64]");
    assert_refused(without(hf, "embeddings.patch_embeddings.projection.weight"),
                   "FILE: not a backbone of DINOv2 or DINOv3: it has embeddings.cls_token, but no "
                   "embeddings.patch_embeddings[.projection].weight");
    df_state_free(hf);
    df_state_free(plain);
}

/* As the exporter leaves it: position_embeddings in two nameless pieces, other nameless constants around. */
static void joins_the_position_embedding_of_an_onnx_export(void **unused)
{
    struct df_vit_config config;
    struct df_state *official = make_backbone(&small_dinov2);
    struct df_state *hf = df_backbone_to_huggingface(official, &small_dinov2);
    struct df_state *pieces = without(hf, "embeddings.position_embeddings");
    const float *position = df_state_find(hf, "embeddings.position_embeddings")->tensor.data;
    df_state_copy(pieces, "onnx::Reshape_12", DF_F32, 3, (int64_t[]){1, 9, 64}, position + 64);
    df_state_copy(pieces, "onnx::Concat_7", DF_F32, 3, (int64_t[]){1, 1, 64}, position);
    df_state_copy(pieces, "onnx::Mul_9", DF_F32, 3, (int64_t[]){1, 8, 64}, position);
    df_state_copy(pieces, "onnx::Mul_10", DF_F32, 2, (int64_t[]){1, 64}, position);
    struct df_state *two = with_prefix(pieces, "");
    df_state_copy(two, "onnx::Concat_8", DF_F32, 3, (int64_t[]){1, 1, 64}, position);
    struct df_state *back = bring_or_fail(pieces, &config);
    assert_same_tensor(df_state_find(official, "pos_embed"), df_state_find(back, "pos_embed"));
    assert_same_config(&config, &small_dinov2);
    df_state_free(back);
    assert_refused(
        two, "FILE: onnx::Concat_7 and onnx::Concat_8 could both be the position embedding of the class "
             "token");
    assert_refused(without(hf, "embeddings.position_embeddings"), "FILE: pos_embed is missing");
    df_state_free(hf);
    df_state_free(official);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_huggingface_files),
        cmocka_unit_test(writes_huggingface_names),
        cmocka_unit_test(goes_to_huggingface_and_back),
        cmocka_unit_test(reads_variants_of_dinov3),
        cmocka_unit_test(reads_a_dinov3_without_storage_tokens),
        cmocka_unit_test(refuses_what_huggingface_cannot_say),
        cmocka_unit_test(finds_the_backbone_under_prefixes),
        cmocka_unit_test(prefers_the_teacher),
        cmocka_unit_test(refuses),
        cmocka_unit_test(joins_the_position_embedding_of_an_onnx_export),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
