/* Hugging Face's config.json, beside weights of either family whose name says that it is theirs, or does not;
 * and the same bytes as its preprocessor_config.json. */
#include "fuzz.h"

#include "dinoft/backbone_file.h"
#include "dinoft/normalize.h"
#include "src/model/backbone/huggingface_config.h"

#define COUNT 3

static const struct df_vit_config configs[COUNT] = {
    {DF_DINOV2, .dim = 64, .depth = 1, .heads = 1, .head_size = 64, .patch = 14, .registers = 4,
     .ffn = DF_FFN_MLP, .ffn_hidden = 256, .pos_grid = 3, .qkv_bias = true, .layernorm_eps = 1e-6f},
    {DF_DINOV2, .dim = 64, .depth = 1, .heads = 1, .head_size = 64, .patch = 14, .registers = 0,
     .ffn = DF_FFN_SWIGLU, .ffn_hidden = 48, .pos_grid = 3, .qkv_bias = true, .layernorm_eps = 1e-6f},
    {DF_DINOV3, .dim = 64, .depth = 1, .heads = 1, .head_size = 64, .patch = 16, .registers = 4,
     .ffn = DF_FFN_MLP, .ffn_hidden = 256, .qkv_bias = true, .layernorm_eps = 1e-5f},
};

static void check(const char *weights, const struct df_state *official, const struct df_vit_config *config)
{
    char path[FUZZ_PATH_MAX];

    fuzz_forget_error();
    if (huggingface_config_check(fuzz_path(weights, path), official, config) != 0)
        fuzz_check_error();
}

static void check_colours(const struct df_vit_config *config)
{
    char path[FUZZ_PATH_MAX], text[DF_NORMALIZE_TEXT];
    struct df_normalize normalize, again;
    const char *why;

    fuzz_forget_error();
    if (df_normalize_of_backbone(fuzz_path("model.safetensors", path), config, &normalize, &why) != 0)
        fuzz_check_error();
    else if (why)
        fuzz_check(df_normalize_parse(df_normalize_text(&normalize, text), &again) == 0, "it is read again");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct df_state *official[COUNT];
    char path[FUZZ_PATH_MAX];

    fuzz_write(fuzz_path("config.json", path), data, size);
    fuzz_write(fuzz_path("preprocessor_config.json", path), data, size);
    check_colours(&configs[0]);
    for (int i = 0; i < COUNT; i++) {
        if (!official[i])
            official[i] = df_backbone_random(&configs[i], 1);
        fuzz_check(official[i], "memory");
        check("model.safetensors", official[i], &configs[i]);
        check("other.safetensors", official[i], &configs[i]);
    }
    return 0;
}
