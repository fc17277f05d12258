#include "backbone/backbone_support.h"
#include "support/errors.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <string.h>

static void reads_every_kind(void **unused)
{
    const struct df_vit_config *const kinds[] = {&small_dinov2, &small_giant, &small_dinov3,
                                                 &small_dinov3_plus, &small_dinov3_7b};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct df_state *state = make_backbone(kinds[i]);
        struct df_vit_config config;
        if (df_vit_config_read(state, &config) != 0)
            fail_msg("kind %zu: %s", i, df_error_text());
        assert_same_config(&config, kinds[i]);
        df_state_free(state);
    }
}

/* A DINOv3 without registers or without the bias of qkv, and with registers of other numbers. */
static void reads_what_families_differ_in(void **unused)
{
    static const int64_t registers[] = {0, 1, 2, 4, DF_VIT_MAX_REGISTERS};

    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        struct df_vit_config kinds[] = {small_dinov2, small_dinov3, small_dinov3_plus};
        for (int k = 0; k < 3; k++) {
            struct df_vit_config *kind = &kinds[k], config;
            kind->registers = registers[i];
            kind->qkv_bias = i % 2 == 0;
            struct df_state *state = make_backbone(kind);
            assert_works(df_vit_config_read(state, &config) == 0);
            assert_same_config(&config, kind);
            assert_true(df_vit_is_tips(&config) == (k == 0 && registers[i] == 1));
            df_state_free(state);
        }
    }
}

/* What the golden models' makers say of them, see tests/fixtures/README.md. */
static void reads_the_fixtures(void **unused)
{
    static const struct {
        const char *folder;
        struct df_vit_config config;
    } fixtures[] = {
        {"dinov2_tiny",
         {DF_DINOV2, 128, 2, 2, 64, 14, 0, DF_FFN_MLP, 512, 37, true, false, 1e-6f, DF_POS_OFFICIAL}},
        {"dinov2_tiny_reg",
         {DF_DINOV2, 128, 4, 2, 64, 14, 4, DF_FFN_MLP, 512, 37, true, false, 1e-6f, DF_POS_OFFICIAL}},
        {"dinov2_tiny_swiglu_reg",
         {DF_DINOV2, 128, 2, 2, 64, 14, 4, DF_FFN_SWIGLU, 344, 37, true, false, 1e-6f, DF_POS_OFFICIAL}},
        {"dinov3_tiny",
         {DF_DINOV3, 128, 4, 2, 64, 16, 4, DF_FFN_MLP, 512, 0, true, false, 1e-5f, DF_POS_OFFICIAL}},
        {"dinov3_tiny_swiglu",
         {DF_DINOV3, 128, 2, 2, 64, 16, 4, DF_FFN_SWIGLU, 512, 0, true, false, 1e-5f, DF_POS_OFFICIAL}},
        {"dinov3_tiny_7b",
         {DF_DINOV3, 256, 2, 2, 128, 16, 4, DF_FFN_SWIGLU, 512, 0, false, false, 1e-5f, DF_POS_OFFICIAL}},
    };
    for (size_t i = 0; i < sizeof fixtures / sizeof fixtures[0]; i++) {
        char path[512];
        struct df_vit_config config;
        snprintf(path, sizeof path, "%s/%s/backbone.pth", DINOFT_FIXTURES, fixtures[i].folder);
        struct df_state *state = df_backbone_read(path, &config);
        assert_works(state);
        assert_same_config(&config, &fixtures[i].config);
        assert_null(df_vit_hub_name(&config));
        df_state_free(state);
    }
}

static void assert_refused(struct df_state *state, const char *error)
{
    struct df_vit_config config;
    assert_int_equal(df_vit_config_read(state, &config), -1);
    assert_string_equal(df_error_text(), error);
    df_state_free(state);
}

/* Heads of 64 would fit its shapes, and give other features than its own of 72. */
static void refuses_tips_of_72_channels(void **unused)
{
    struct df_vit_config config = small_dinov2;

    config.dim = 1152;
    config.heads = 18;
    config.depth = 1;
    config.ffn_hidden = 8;
    config.registers = 1;
    assert_refused(make_backbone(&config),
                   "a TIPSv2 SO400m (one register, 1152 channels) has heads of 72 channels; dinoft computes "
                   "heads of 64 and 128, and so TIPSv2's sizes B, L and g");
}

static void names_what_is_missing(void **unused)
{
    static const char *const optional[] = {"mask_token", "register_tokens"};
    struct df_state *whole = make_backbone(&small_dinov2);
    for (size_t i = 0; i < whole->count; i++) {
        const char *name = whole->entries[i].name;
        char expected[128];
        if (strcmp(name, optional[0]) == 0 || strcmp(name, optional[1]) == 0)
            continue;
        snprintf(expected, sizeof expected, "%s is missing", name);
        if (strcmp(name, "blocks.0.attn.qkv.bias") == 0) /* then no block may have one */
            snprintf(expected, sizeof expected, "blocks.1.attn.qkv.bias is there, but block 0 has none");
        assert_refused(without(whole, name), expected);
    }
    df_state_free(whole);

    struct df_state *plain = make_backbone(&small_giant);
    assert_refused(without(plain, "pos_embed"),
                   "pos_embed (DINOv2) and storage_tokens, rope_embed.periods (DINOv3) are all missing");
    df_state_free(plain);
}

/* Each is put into a whole DINOv2 state in place of the entry of its name. */
static const struct {
    const char *name;
    enum df_dtype dtype;
    int ndim;
    int64_t shape[4];
    const char *error;
} wrong_shapes[] = {
    {"cls_token", DF_F32, 2, {1, 64}, "cls_token is [1, 64], expected [1, 1, N]"},
    {"cls_token",
     DF_F32,
     3,
     {1, 1, 96},
     "patch_embed.proj.weight is [64, 3, 14, 14], expected [96, 3, N, N]"},
    {"patch_embed.proj.weight",
     DF_F32,
     4,
     {64, 1, 14, 14},
     "patch_embed.proj.weight is [64, 1, 14, 14], expected [64, 3, N, N]"},
    {"patch_embed.proj.weight",
     DF_F32,
     4,
     {64, 3, 14, 16},
     "patch_embed.proj.weight has patches of 14 x 16, expected squares of at most 64"},
    {"pos_embed", DF_F32, 3, {1, 12, 64}, "pos_embed has 12 positions, expected one and a square"},
    {"pos_embed", DF_F32, 3, {1, 1, 64}, "pos_embed has 1 positions, expected one and a square"},
    {"register_tokens", DF_F32, 3, {1, 65, 64}, "register_tokens has 65 tokens, at most 64 are supported"},
    {"blocks.1.mlp.fc1.weight",
     DF_F32,
     2,
     {256, 60},
     "blocks.1.mlp.fc1.weight is [256, 60], expected [256, 64]"},
    {"blocks.0.attn.qkv.weight",
     DF_F32,
     2,
     {128, 64},
     "blocks.0.attn.qkv.weight is [128, 64], expected [192, 64]"},
    {"norm.bias", DF_F32, 1, {63}, "norm.bias is [63], expected [64]"},
    {"norm.weight",
     DF_I64,
     1,
     {64},
     "norm.weight has elements of type int64, expected a floating-point type"},
};

static void tells_found_and_expected_shape(void **unused)
{
    struct df_state *whole = make_backbone(&small_dinov2);
    for (size_t i = 0; i < sizeof wrong_shapes / sizeof wrong_shapes[0]; i++) {
        struct df_state *changed = with_shape(whole, wrong_shapes[i].name, wrong_shapes[i].dtype,
                                              wrong_shapes[i].ndim, wrong_shapes[i].shape);
        assert_refused(changed, wrong_shapes[i].error);
    }
    df_state_free(whole);
}

static void tells_wrong_shapes_of_dinov3(void **unused)
{
    struct df_state *dinov3 = make_backbone(&small_dinov3);
    assert_refused(with_shape(dinov3, "rope_embed.periods", DF_F32, 1, (int64_t[]){8}),
                   "rope_embed.periods is [8], expected [16] or [32] (heads of 64 or 128)");
    assert_refused(with_shape(dinov3, "rope_embed.periods", DF_F32, 1, (int64_t[]){32}),
                   "the width 64 is not a multiple of the head size 128");
    assert_refused(with_shape(dinov3, "blocks.1.attn.qkv.bias_mask", DF_F32, 1, (int64_t[]){3}),
                   "blocks.1.attn.qkv.bias_mask is [3], expected [192]");
    df_state_free(dinov3);
}

static void finds_hub_names(void **unused)
{
    static const char *const names[] = {
        "dinov2_vits14",     "dinov2_vitb14",         "dinov2_vitl14",     "dinov2_vitg14",
        "dinov2_vits14_reg", "dinov2_vitb14_reg",     "dinov2_vitl14_reg", "dinov2_vitg14_reg",
        "dinov3_vits16",     "dinov3_vits16plus",     "dinov3_vitb16",     "dinov3_vitl16",
        "dinov3_vitl16plus", "dinov3_vith16plus",     "tipsv2_vitb14",     "tipsv2_vitl14",
        "tipsv2_vitg14",     "lingbot_vision_vitg16", "dinov3_vit7b16"};
    struct df_vit_config config;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(df_vit_config_for_hub_name(names[i], &config), 0);
        assert_string_equal(df_vit_hub_name(&config), names[i]);
        assert_int_equal(config.heads * config.head_size, config.dim);
    }
    assert_int_equal(config.heads, 32);
    assert_int_equal(config.head_size, 128);
    assert_false(config.qkv_bias);
    assert_int_equal(df_vit_config_for_hub_name("dinov2_vitl14_rge", &config), -1);
    assert_string_equal(df_error_text(),
                        "no backbone is called dinov2_vitl14_rge; did you mean dinov2_vitl14_reg?");
    assert_int_equal(df_vit_config_for_hub_name("resnet", &config), -1);
    assert_string_equal(df_error_text(), "no backbone is called resnet");
}

/* Models of the same dimensions are told apart by the names of their files. */
static void finds_names_of_files(void **unused)
{
    static const struct {
        const char *shape, *path, *name;
    } cases[] = {
        {"dinov3_vitl16", "w/dinov3_vitl16_pretrain_lvd1689m-8aa4cbdd.pth", "dinov3_vitl16"},
        {"dinov3_vitl16", "w/dinov3_vitl16_pretrain_sat493m-eadcf0ff.pth", "dinov3_vitl16_sat493m"},
        {"dinov3_vit7b16", "/m/dinov3-vit7b16-pretrain-sat493m/model.pt", "dinov3_vit7b16_sat493m"},
        {"dinov3_vitb16", "w/dinov3_vitb16_sat493m.pth", "dinov3_vitb16"},
        {"dinov3_vits16", "/m/lingbot-vision-vit-small/model.pt", "lingbot_vision_vits16"},
        {"dinov3_vitl16", "w/LingBot_Vision_vitl16.safetensors", "lingbot_vision_vitl16"},
        {"lingbot_vision_vitg16", "w/model.pt", "lingbot_vision_vitg16"},
        {"dinov2_vitl14", "w/lingbot.pt", "dinov2_vitl14"},
    };
    struct df_vit_config config, again;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(df_vit_config_for_hub_name(cases[i].shape, &config), 0);
        assert_string_equal(df_vit_hub_name_of(&config, cases[i].path), cases[i].name);
        assert_int_equal(df_vit_config_for_hub_name(cases[i].name, &again), 0);
        assert_same_config(&again, &config);
    }
}

static void says_a_size_in_a_word(void **unused)
{
    struct df_vit_config config;
    char word[DF_VIT_SIZE_WORD];
    assert_int_equal(df_vit_config_for_hub_name("dinov2_vitl14", &config), 0);
    assert_string_equal(df_vit_size_word(&config, word), "large");
    assert_int_equal(df_vit_config_for_hub_name("dinov3_vits16plus", &config), 0);
    assert_string_equal(df_vit_size_word(&config, word), "small+");
    config.depth = 7;
    assert_string_equal(df_vit_size_word(&config, word), "384x7");
}

static void knows_what_size_means(void **unused)
{
    assert_string_equal(df_hub_name_for(DF_DINOV2, DF_LARGE), "dinov2_vitl14_reg");
    assert_string_equal(df_hub_name_for(DF_DINOV3, DF_LARGE), "dinov3_vitl16");
    assert_string_equal(df_hub_name_for(DF_DINOV3, DF_HUGE_PLUS), "dinov3_vith16plus");
    assert_null(df_hub_name_for(DF_DINOV3, DF_GIANT));
    assert_string_equal(df_error_text(),
                        "dinov3 has no size giant, it has small, small+, base, large, large+, huge+, 7b");
    assert_null(df_hub_name_for(DF_DINOV2, DF_7B));
    assert_string_equal(df_error_text(), "dinov2 has no size 7b, it has small, base, large, giant");
    assert_string_equal(df_family_name(DF_DINOV2), "dinov2");
}

/* --size may be typed for families that it does not stand for. */
static void knows_sizes_of_other_families(void **unused)
{
    static const struct {
        const char *name;
        enum df_backbone_size size;
    } cases[] = {
        {"lingbot_vision_vitg16", DF_GIANT}, {"tipsv2_vitb14", DF_BASE}, {"dinov2_vitg14", DF_GIANT}};
    struct df_vit_config config;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(df_vit_config_for_hub_name(cases[i].name, &config), 0);
        assert_true(df_vit_has_size(&config, cases[i].size));
        assert_false(df_vit_has_size(&config, DF_SMALL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(reads_what_families_differ_in),
        cmocka_unit_test(refuses_tips_of_72_channels),
        cmocka_unit_test(reads_the_fixtures),
        cmocka_unit_test(names_what_is_missing),
        cmocka_unit_test(tells_found_and_expected_shape),
        cmocka_unit_test(tells_wrong_shapes_of_dinov3),
        cmocka_unit_test(finds_hub_names),
        cmocka_unit_test(finds_names_of_files),
        cmocka_unit_test(says_a_size_in_a_word),
        cmocka_unit_test(knows_sizes_of_other_families),
        cmocka_unit_test(knows_what_size_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
