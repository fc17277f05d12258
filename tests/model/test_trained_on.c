/* What a checkpoint's record says of its backbone: written, read back, compared; damaged, and of earlier
 * versions. */
#include "support/errors.h"

#include "dinoft/backbone_file.h"
#include "dinoft/checkpoint.h"
#include "dinoft/error.h"

#include "src/model/record.h"
#include "src/model/segmenter_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct df_vit_config hub(const char *name)
{
    struct df_vit_config config;
    assert_int_equal(df_vit_config_for_hub_name(name, &config), 0);
    return config;
}

/* A published backbone, made small enough for a test. */
static struct df_vit_config small(void)
{
    struct df_vit_config config = hub("dinov2_vits14_reg");
    config.dim = 128;
    config.heads = 2;
    config.depth = 3;
    config.ffn_hidden = 64;
    return config;
}

static int check(const struct df_record *record, const struct df_state *backbone,
                 const struct df_vit_config *config)
{
    const struct df_checkpoint checkpoint = {.has_record = true, .record = *record};
    return df_checkpoint_check_trained_on(&checkpoint, "run.pt", backbone, config, "w/file.pth");
}

static void assert_other(const struct df_record *record, const struct df_state *backbone,
                         const struct df_vit_config *config, const char *const words[])
{
    assert_int_equal(check(record, backbone, config), -1);
    for (int i = 0; words[i]; i++) {
        assert_error_has(words[i]);
    }
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static char *printed(const struct df_record *record)
{
    const struct df_segmenter segmenter = {.options = {.decoder = "linear", .classes = 21}};
    char *text = record_print(record, &segmenter);
    assert_non_null(text);
    return text;
}

static void comes_back_as_it_was_written(void **unused)
{
    const struct df_vit_config config = small();
    struct df_state *backbone = df_backbone_random(&config, 1), *other = df_backbone_random(&config, 2);
    struct df_record record = {0}, read = {0};
    assert_int_equal(df_record_set_backbone(&record, backbone, &config, "some/folder/my weights.pth"), 0);
    char *text = printed(&record);
    assert_int_equal(record_parse(text, &read), 0);
    assert_string_equal(read.trained_on.file, "my weights.pth");
    assert_int_equal(read.trained_on.fingerprint.count, record.trained_on.fingerprint.count);
    assert_memory_equal(&read.trained_on.fingerprint.tensors, &record.trained_on.fingerprint.tensors,
                        sizeof read.trained_on.fingerprint.tensors);
    assert_int_equal(check(&read, backbone, &config), 0);
    assert_other(&read, other, &config, WORDS("run.pt", "my weights.pth", "w/file.pth", "other values"));
    record_clear(&read);
    free(text);
    df_state_free(other);
    df_state_free(backbone);
}

static void what_it_was_given_comes_back(void **unused)
{
    static const struct {
        const char *written, *read;
    } normalizations[] = {{"imagenet", "imagenet"},
                          {"0.43,0.411,0.296:0.213,0.156,0.143", "sat493m"},
                          {"0.5,0.5,0.5:0.25,0.25,0.25", "0.5,0.5,0.5:0.25,0.25,0.25"}};
    struct df_vit_config config = small();
    struct df_record record = {0}, read = {0};

    config.qkv_bias = false;
    for (int i = 0; i < 3; i++) {
        config.pos_interpolation = (enum df_pos_interpolation)i;
        struct df_state *backbone = df_backbone_random(&config, 1);
        assert_int_equal(df_record_set_backbone(&record, backbone, &config, "a.pth"), 0);
        snprintf(record.normalize, sizeof record.normalize, "%s", normalizations[i].written);
        char *text = printed(&record);
        assert_int_equal(record_parse(text, &read), 0);
        assert_string_equal(read.normalize, normalizations[i].read);
        assert_int_equal(read.pos_interpolation, i);
        assert_true((strstr(text, "pos_interpolation") != NULL) == (i != DF_POS_OFFICIAL));
        assert_false(read.trained_on.shape.qkv_bias);
        record_clear(&read);
        free(text);
        df_state_free(backbone);
    }
    assert_int_equal(record_parse("{\"pos_interpolation\": \"jax\"}", &read), -1);
    assert_error_has("says pos_interpolation jax, expected official, huggingface or timm");
    assert_int_equal(record_parse("{\"normalize\": \"0.5:0.5\"}", &read), -1);
    assert_error_has("the entry 'dinoft', normalize: '0.5:0.5' is none of");
    record_clear(&read);
}

static void every_number_of_the_shape_counts(void **unused)
{
    const struct df_vit_config config = small();
    struct df_state *backbone = df_backbone_random(&config, 1);
    struct df_record record = {0};
    assert_int_equal(df_record_set_backbone(&record, backbone, &config, "a.pth"), 0);
    for (int i = 0; i < 8; i++) {
        struct df_vit_config other = config;
        int64_t *const numbers[] = {&other.dim,   &other.depth,     &other.heads,
                                    &other.patch, &other.registers, &other.ffn_hidden};
        if (i < 6)
            ++*numbers[i];
        else if (i == 6)
            other.family = DF_DINOV3;
        else
            other.ffn = DF_FFN_SWIGLU;
        assert_other(&record, backbone, &other,
                     WORDS("run.pt was trained on a dinov2 of 128 channels", "(a.pth), w/file.pth is a "));
    }
    df_state_free(backbone);
}

/* They have a hub name and no more. */
static void records_of_earlier_versions(void **unused)
{
    const struct df_vit_config own = hub("dinov2_vits14_reg");
    struct df_state *nothing = df_state_new();
    struct df_record record = {0};
    assert_int_equal(record_parse("{\"backbone\": \"dinov2_vits14_reg\"}", &record), 0);
    assert_int_equal(check(&record, nothing, &own), 0);
    const char *const others[] = {"dinov2_vits14", "dinov3_vits16", "dinov3_vits16plus", "dinov2_vitb14_reg"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const struct df_vit_config other = hub(others[i]);
        char is[64];
        snprintf(is, sizeof is, ", w/file.pth is %s", others[i]);
        assert_other(&record, nothing, &other, WORDS("run.pt was trained on dinov2_vits14_reg", is));
    }
    record_clear(&record);
    for (int i = 0; i < 2; i++) { /* one that no name was found for, and one that says nothing */
        assert_int_equal(record_parse(i ? "{\"backbone\": \"\"}" : "{}", &record), 0);
        assert_int_equal(check(&record, nothing, &own), 0);
        record_clear(&record);
    }
    df_state_free(nothing);
}

/* More tensors and more values than are kept today are left aside. */
static void records_of_later_versions(void **unused)
{
    char text[4096] = "{\"more\": {}, \"fingerprint\": {";
    struct df_record record = {0};
    for (int i = 0; i < DF_FINGERPRINT_TENSORS + 3; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "%s\"t%d\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", i ? ", " : "", i);
    strcat(text, "}}");
    assert_int_equal(record_parse(text, &record), 0);
    assert_int_equal(record.trained_on.fingerprint.count, DF_FINGERPRINT_TENSORS);
    assert_int_equal(record.trained_on.fingerprint.tensors[3].count, DF_FINGERPRINT_VALUES);
    assert_true(record.trained_on.fingerprint.tensors[3].values[7] == 8.0);
    record_clear(&record);
}

static void damaged_records(void **unused)
{
#define LONG  "0123456789012345678901234567890123456789"
#define SHAPE "\"family\": \"dinov2\", \"ffn\": \"mlp\", \"dim\": 1, \"depth\": 1, \"heads\": 1, \"patch\": 1"
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"{\"backbone_shape\": 3}", "family"},
        {"{\"backbone_shape\": {\"family\": \"dinov9\"}}", "family"},
        {"{\"backbone_shape\": {\"family\": \"dinov2\", \"ffn\": 1}}", "ffn"},
        {"{\"backbone_shape\": {" SHAPE ", \"registers\": -1}}", "registers"},
        {"{\"backbone_shape\": {" SHAPE ", \"registers\": 1e300}}", "registers"},
        {"{\"backbone_shape\": {" SHAPE ", \"registers\": 4}}", "ffn_hidden"},
        {"{\"backbone_shape\": {" SHAPE ", \"registers\": 4, \"ffn_hidden\": 1e6}}", "ffn_hidden"},
        {"{\"backbone_shape\": {\"family\": \"dinov2\", \"ffn\": \"mlp\", \"dim\": 3, \"depth\": 1, "
         "\"heads\": 2, "
         "\"patch\": 1, \"registers\": 4, \"ffn_hidden\": 1}}",
         "heads"},
        {"{\"backbone_shape\": {\"family\": \"dinov2\", \"ffn\": \"mlp\", \"dim\": 0}}", "dim"},
        {"{\"backbone_shape\": {" SHAPE ", \"registers\": 4, \"ffn_hidden\": 1, \"qkv_bias\": 0}}",
         "qkv_bias"},
        {"{\"pos_interpolation\": 1}", "pos_interpolation: it is not a text"},
        {"{\"backbone\": 7}", "backbone: it is not a text"},
        {"{\"backbone\": \"" LONG LONG "\"}", "backbone: it is too long"},
        {"{\"dataset\": \"" LONG "\"}", "dataset: it is too long"},
        {"{\"normalize\": \"" LONG LONG LONG "\"}", "normalize: it is too long"},
        {"{\"normalize\": [\"imagenet\"]}", "normalize: it is not a text"},
        {"{\"img_dim\": 490}", "img_dim"},
        {"{\"img_dim\": [490]}", "img_dim"},
        {"{\"img_dim\": [490, 0]}", "img_dim"},
        {"{\"img_dim\": [490, 1e300]}", "img_dim"},
        {"{\"img_dim\": [\"490\", \"490\"]}", "img_dim"},
        {"{\"class_names\": {\"0\": \"sky\"}}", "class_names: it is not a list"},
        {"{\"class_names\": [\"sky\", null]}", "class_names: one is not a text"},
        {"{\"fingerprint\": []}", "not an object"},
        {"{\"fingerprint\": {\"a\": 1}}", "fingerprint: a"},
        {"{\"fingerprint\": {\"a\": [1, null]}}", "fingerprint: a"},
        {"{\"fingerprint\": {\"a\": [1, 1e999]}}", "fingerprint: a"},
        {"{\"fingerprint\": {\"a23456789012345678901234567890123456789012345678901234567890123456789\": []}}",
         "fingerprint: a234"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct df_record record = {0};
        assert_int_equal(record_parse(cases[i].text, &record), -1);
        if (!strstr(df_error_text(), cases[i].word) || !strstr(df_error_text(), "damaged"))
            fail_msg("%s: %s", cases[i].text, df_error_text());
        record_clear(&record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was_written),     cmocka_unit_test(what_it_was_given_comes_back),
        cmocka_unit_test(every_number_of_the_shape_counts), cmocka_unit_test(records_of_earlier_versions),
        cmocka_unit_test(records_of_later_versions),        cmocka_unit_test(damaged_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
