/* config.json beside weights with Hugging Face's names: what it says must be what is computed. */
#include "backbone/backbone_support.h"
#include "files/file_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char dinov2_text[] =
    "{\"model_type\": \"dinov2_with_registers\", \"hidden_size\": 64, \"num_hidden_layers\": 2,"
    "\"num_attention_heads\": 1, \"patch_size\": 14, \"image_size\": 42, \"mlp_ratio\": 4,"
    "\"hidden_act\": \"gelu\", \"layer_norm_eps\": 1e-6, \"qkv_bias\": true, \"use_swiglu_ffn\": false,"
    "\"num_register_tokens\": 4, \"layerscale_value\": 1.0, \"drop_path_rate\": 0.0}";
static const char giant_text[] =
    "{\"model_type\": \"dinov2\", \"hidden_size\": 128, \"num_hidden_layers\": 2,"
    "\"num_attention_heads\": 2, \"patch_size\": 14, \"image_size\": 28, \"mlp_ratio\": 1,"
    "\"hidden_act\": \"gelu\", \"layer_norm_eps\": 1e-6, \"qkv_bias\": true, \"use_swiglu_ffn\": true}";
static const char dinov3_text[] =
    "{\"model_type\": \"dinov3_vit\", \"hidden_size\": 64, \"num_hidden_layers\": 2,"
    "\"num_attention_heads\": 1, \"patch_size\": 16, \"image_size\": 224, \"intermediate_size\": 256,"
    "\"hidden_act\": \"gelu\", \"layer_norm_eps\": 1e-5, \"rope_theta\": 100.0, \"query_bias\": true,"
    "\"key_bias\": false, \"value_bias\": true, \"proj_bias\": true, \"mlp_bias\": true,"
    "\"use_gated_mlp\": false, \"num_register_tokens\": 4, \"pos_embed_rescale\": 2.0}";
static const char plus_text[] =
    "{\"model_type\": \"dinov3_vit\", \"hidden_size\": 64, \"num_hidden_layers\": 2,"
    "\"num_attention_heads\": 1, \"patch_size\": 16, \"intermediate_size\": 48, \"hidden_act\": \"silu\","
    "\"use_gated_mlp\": true, \"num_register_tokens\": 4}";

static struct model {
    const struct df_vit_config *config;
    const char *text;
} dinov2 = {&small_dinov2, dinov2_text}, giant = {&small_giant, giant_text},
  dinov3 = {&small_dinov3, dinov3_text}, plus = {&small_dinov3_plus, plus_text};

/* Writes the model under Hugging Face's names. Returns the file's name. */
static const char *put_weights(const struct model *model, const char *name)
{
    struct df_vit_config config = *model->config;
    config.has_cls_norm = false; /* for which transformers has no place */
    struct df_state *official = make_backbone(&config);
    struct df_state *hf = df_backbone_to_huggingface(official, &config);
    assert_non_null(hf);
    assert_int_equal(df_weight_file_write(scratch_path(name), hf), 0);
    df_state_free(hf);
    df_state_free(official);
    return name;
}

/* Writes the model's config.json with `key` set to `value`, which is JSON, or without it where value is NULL.
 */
static void put_config(const struct model *model, const char *key, const char *value)
{
    cJSON *tree = cJSON_Parse(model->text);
    assert_non_null(tree);
    if (key)
        cJSON_DeleteItemFromObjectCaseSensitive(tree, key);
    if (value)
        cJSON_AddItemToObject(tree, key, cJSON_CreateRaw(value));
    char *text = cJSON_Print(tree);
    scratch_write("config.json", text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(tree);
}

static void assert_read(const char *name)
{
    struct df_vit_config config;
    struct df_state *state = df_backbone_read(scratch_path(name), &config);
    assert_works(state);
    df_state_free(state);
}

static void assert_refused(const char *name, const char *const *words)
{
    struct df_vit_config config;
    assert_null(df_backbone_read(scratch_path(name), &config));
    for (int i = 0; words[i]; i++) {
        assert_error_has(words[i]);
    }
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_fitting_configuration_is_no_hindrance(void **state)
{
    const struct model *const models[] = {&dinov2, &giant, &dinov3, &plus};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        const char *name = put_weights(models[i], "model.safetensors");
        put_config(models[i], NULL, NULL);
        assert_read(name);
    }
}

static void what_would_be_computed_otherwise_is_refused(void **state)
{
    static const struct {
        const struct model *model;
        const char *key, *value, *computed;
    } cases[] = {
        {&dinov2, "num_attention_heads", "2", "heads of 64"},
        {&dinov2, "layer_norm_eps", "1e-5", "1e-06"},
        {&dinov2, "hidden_act", "\"gelu_new\"", "gelu"},
        {&dinov2, "qkv_bias", "false", "bias"},
        {&giant, "num_attention_heads", "1", "heads of 64"},
        {&dinov3, "num_attention_heads", "4", "heads of 64"},
        {&dinov3, "rope_theta", "10000.0", "100"},
        {&dinov3, "rope_parameters", "{\"rope_theta\": 99.0}", "100"},
        {&dinov3, "layer_norm_eps", "1e-6", "1e-05"},
        {&dinov3, "hidden_act", "\"silu\"", "gelu"},
        {&dinov3, "query_bias", "false", "bias"},
        {&dinov3, "value_bias", "false", "bias"},
        {&dinov3, "proj_bias", "false", "bias"},
        {&dinov3, "mlp_bias", "false", "bias"},
        {&plus, "hidden_act", "\"gelu\"", "silu"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bool nested = strcmp(cases[i].key, "rope_parameters") == 0;
        /* Whatever the weights are called: their shapes fit. */
        const char *name = put_weights(cases[i].model, i % 2 ? "mine.safetensors" : "model.safetensors");
        put_config(cases[i].model, cases[i].key, cases[i].value);
        assert_refused(
            name, WORDS("/config.json", nested ? "rope_theta 99" : cases[i].key, cases[i].computed, name));
    }
}

/* A k bias that is there is added, where the configuration must not deny it. */
static void a_bias_of_k_counts_where_it_is_not_zero(void **state)
{
    struct df_state *official = make_backbone(&small_dinov3), *hf, *more;
    float bias[64] = {0};
    hf = df_backbone_to_huggingface(official, &small_dinov3);
    for (int round = 0; round < 2; round++) {
        bias[7] = (float)round;
        more = with_prefix(hf, "");
        df_state_copy(more, "layer.0.attention.k_proj.bias", DF_F32, 1, (int64_t[]){64}, bias);
        assert_int_equal(df_weight_file_write(scratch_path("model.safetensors"), more), 0);
        df_state_free(more);
        put_config(&dinov3, "key_bias", "true");
        assert_read("model.safetensors");
        put_config(&dinov3, NULL, NULL);
        if (round == 0)
            assert_read("model.safetensors");
        else
            assert_refused("model.safetensors", WORDS("key_bias false"));
    }
    df_state_free(hf);
    df_state_free(official);
}

static void keys_of_no_consequence(void **state)
{
    static const struct {
        const struct model *model;
        const char *key, *value;
    } cases[] = {
        {&dinov2, "layerscale_value", "1e-5"},   {&dinov2, "drop_path_rate", "0.4"},
        {&dinov2, "hidden_dropout_prob", "0.1"}, {&dinov2, "apply_layernorm", "false"},
        {&dinov2, "image_size", "55"}, /* three patches of 14, as the 42 that it was saved with */
        {&dinov3, "image_size", "512"},          {&dinov3, "pos_embed_rescale", "null"},
        {&dinov3, "pos_embed_jitter", "1.5"},    {&dinov3, "key_bias", "true"},
        {&dinov3, "hidden_act", "null"},         {&giant, "hidden_act", "\"relu\""},
        {&dinov3, "dtype", "\"float16\""},
    };
    const struct model *const models[] = {&dinov2, &giant, &dinov3, &plus};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *name = put_weights(cases[i].model, "model.safetensors");
        put_config(cases[i].model, cases[i].key, cases[i].value);
        assert_read(name);
    }
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) { /* a key that is not there says nothing */
        cJSON *tree = cJSON_Parse(models[i]->text);
        const char *name = put_weights(models[i], "model.safetensors");
        const cJSON *item;
        cJSON_ArrayForEach(item, tree)
        {
            put_config(models[i], item->string, NULL);
            assert_read(name);
        }
        cJSON_Delete(tree);
    }
}

/* Under the name that transformers gives weights they belong together; beside others it may be anybody's. */
static void a_configuration_of_another_model(void **state)
{
    static const struct {
        const struct model *model;
        const char *key, *value;
    } cases[] = {
        {&dinov2, "hidden_size", "768"},
        {&dinov2, "num_hidden_layers", "12"},
        {&dinov2, "patch_size", "16"},
        {&dinov2, "image_size", "518"},
        {&dinov2, "mlp_ratio", "2"},
        {&dinov2, "use_swiglu_ffn", "true"},
        {&dinov2, "num_register_tokens", "3"},
        {&dinov2, "model_type", "\"dinov2\""},
        {&dinov2, "model_type", "\"dinov3_vit\""},
        {&giant, "mlp_ratio", "1.2"},
        {&giant, "model_type", "\"dinov2_with_registers\""},
        {&dinov3, "intermediate_size", "128"},
        {&dinov3, "use_gated_mlp", "true"},
        {&dinov3, "num_register_tokens", "0"},
        {&dinov3, "model_type", "\"dinov2\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_config(cases[i].model, cases[i].key, cases[i].value);
        assert_refused(put_weights(cases[i].model, "model.safetensors"),
                       WORDS("/config.json", "/model.safetensors"));
        assert_read(put_weights(cases[i].model, "small.safetensors"));
    }
    put_config(&dinov2, "model_type", "\"llama\"");
    assert_read(put_weights(&dinov2, "model.safetensors"));
    put_config(&dinov2, "model_type", NULL);
    assert_read("model.safetensors");
    scratch_write("config.json", "[1, 2]", 6);
    assert_read("model.safetensors");
}

static void a_damaged_file(void **state)
{
    static const char *const keys[] = {"hidden_size", "num_attention_heads", "layer_norm_eps", "hidden_act",
                                       "qkv_bias",    "image_size",          "mlp_ratio",      "patch_size"};
    const char *name = put_weights(&dinov2, "small.safetensors");
    for (size_t length = 0; length < strlen(dinov2_text); length += 7) {
        scratch_write("config.json", dinov2_text, length);
        assert_refused(name, WORDS("/config.json", "not JSON"));
    }
    scratch_write("config.json", "{} {}", 5);
    assert_refused(name, WORDS("/config.json", "not JSON"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        put_config(&dinov2, keys[i], "[]");
        assert_refused(name, WORDS("/config.json", "damaged", keys[i]));
    }
    remove(scratch_path("config.json"));
    assert_read(name);
}

/* Other names than Hugging Face's have nothing to do with it. */
static void official_names_have_no_configuration(void **state)
{
    struct df_state *official = make_backbone(&small_dinov3);
    assert_int_equal(df_weight_file_write(scratch_path("model.safetensors"), official), 0);
    scratch_write("config.json", "no JSON", 7);
    assert_read("model.safetensors");
    df_state_free(official);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fitting_configuration_is_no_hindrance),
        cmocka_unit_test(what_would_be_computed_otherwise_is_refused),
        cmocka_unit_test(a_bias_of_k_counts_where_it_is_not_zero),
        cmocka_unit_test(keys_of_no_consequence),
        cmocka_unit_test(a_configuration_of_another_model),
        cmocka_unit_test(a_damaged_file),
        cmocka_unit_test(official_names_have_no_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
