/* Means and deviations: their words, numbers of one's own, and what files of weights want. */
#include "backbone/backbone_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/error.h"
#include "dinoft/normalize.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void assert_text(const char *typed, const char *expected)
{
    struct df_normalize normalize, again;
    char text[DF_NORMALIZE_TEXT];

    assert_works(df_normalize_parse(typed, &normalize) == 0);
    assert_string_equal(df_normalize_text(&normalize, text), expected);
    assert_works(df_normalize_parse(text, &again) == 0);
    assert_memory_equal(&again, &normalize, sizeof again);
}

static void words_and_numbers(void **unused)
{
    assert_text("imagenet", "imagenet");
    assert_text("sat493m", "sat493m");
    assert_text("none", "none");
    assert_text("0.485,0.456,0.406:0.229,0.224,0.225", "imagenet");
    assert_text("0.430,0.411,0.296:0.213,0.156,0.143", "sat493m");
    assert_text("0,0,0:1,1,1", "none");
    assert_text("0.5,.5,5e-1:0.5,0.25,0.125", "0.5,0.5,0.5:0.5,0.25,0.125");
    assert_text("0.33333333,0,1:0.0039215686,1,0.1", "0.333333343,0,1:0.00392156839,1,0.100000001");
}

static void what_is_no_normalisation(void **unused)
{
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"", "none of imagenet"},
        {"auto", "none of imagenet"},
        {"ImageNet", "none of imagenet"},
        {"0.5,0.5,0.5", "three means and three deviations"},
        {"0.5,0.5:0.5,0.5", "three means and three deviations"},
        {"0.5,0.5,0.5,0.5:0.5,0.5,0.5", "three means and three deviations"},
        {"0.5,0.5,0.5:0.5,0.5,0.5,", "three means and three deviations"},
        {"0.5,0.5,0.5:0.5,0.5,0.5:", "three means and three deviations"},
        {"0.5,0.5,0.5:0.5,0.5,0.5 ", "three means and three deviations"},
        {" 0.5,0.5,0.5:0.5,0.5,0.5", "three means and three deviations"},
        {"0.5,0.5,0.5:0.5,0.5,0x1", "three means and three deviations"},
        {"0.5,0.5,nan:0.5,0.5,0.5", "three means and three deviations"},
        {"0.5,0.5,0.5:0.5,0.5,inf", "three means and three deviations"},
        {"0.5,0.5,0.5:0.5,0.5,0", "the deviation 0 is not above 0"},
        {"0.5,0.5,0.5:0.5,0.5,-0.5", "the deviation -0.5 is not above 0"},
        {"0.5,0.5,0.5:0.5,0.5,1e-40", "the deviation 1e-40 is not above 0"},
        {"-0.1,0.5,0.5:0.5,0.5,0.5", "the mean -0.1 is not from 0 to 1"},
        {"0.5,1e999,0.5:0.5,0.5,0.5", "the mean inf is not from 0 to 1"},
        {"123.675,116.28,103.53:58.395,57.12,57.375", "those of bytes are divided by 255"},
        {"0.5,0.5,0.5:58.395,57.12,57.375", "those of bytes are divided by 255"},
    };
    struct df_normalize normalize;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(df_normalize_parse(cases[i].text, &normalize), -1);
        if (!strstr(df_error_text(), cases[i].word))
            fail_msg("%s: %s", cases[i].text, df_error_text());
    }
}

static void assert_wanted(const char *path, const struct df_vit_config *vit, const char *expected)
{
    struct df_normalize normalize;
    char text[DF_NORMALIZE_TEXT];
    const char *why;

    assert_int_equal(df_normalize_of_backbone(path, vit, &normalize, &why), 0);
    if (!expected != !why || (why && strcmp(df_normalize_text(&normalize, text), expected) != 0))
        fail_msg("%s: %s", path, why ? text : "not known");
}

static void of_weights(void **unused)
{
    struct df_vit_config tips = small_dinov2;

    tips.registers = 1;
    assert_wanted("w/tips.safetensors", &tips, "none");
    assert_wanted("w/dinov2_vitl14_reg.pth", &small_dinov2, NULL);
    assert_wanted("w/dinov3_vitl16_pretrain_lvd1689m-8aa4cbdd.pth", &small_dinov3, NULL);
    assert_wanted("w/dinov3_vitl16_pretrain_sat493m-eadcf0ff.pth", &small_dinov3, "sat493m");
    assert_wanted("vit_large_patch16_dinov3.SAT493M", &small_dinov3, "sat493m");
    assert_wanted("/m/dinov3-vitl16-pretrain-sat493m/model.safetensors", &small_dinov3, "sat493m");
    assert_wanted("/m/dinov3-vitl16-pretrain-sat493m/", &small_dinov3, "sat493m");
    assert_wanted("/hub/models--facebook--dinov3-vitl16-pretrain-sat493m/snapshots/0af/model.safetensors",
                  &small_dinov3, "sat493m");
    assert_wanted("/sat493m/output/other/model.safetensors", &small_dinov3, NULL);
    assert_wanted("w/dinov2_sat493m.pth", &small_dinov2, NULL);
}

/* Nothing but the folder that the program runs in has the name. */
static void in_the_current_folder(void **unused)
{
    char *before = getcwd(NULL, 0);

    scratch_write_text("dinov3-vit7b16-pretrain-sat493m/config.json", "{}");
    assert_int_equal(chdir(scratch_path("dinov3-vit7b16-pretrain-sat493m")), 0);
    assert_wanted("model.safetensors", &small_dinov3, "sat493m");
    assert_wanted("./model.safetensors", &small_dinov3, "sat493m");
    assert_wanted("../model.safetensors", &small_dinov3, NULL);
    assert_int_equal(chdir(before), 0);
    free(before);
}

static void put_preprocessor(const char *text)
{
    scratch_write_text("preprocessor_config.json", text);
}

/* As transformers writes it beside model.safetensors. */
static void of_a_preprocessor(void **unused)
{
    const char *own = scratch_path("model.safetensors"), *other = scratch_path("dinov3_vitl16.safetensors");

    put_preprocessor(
        "{\"do_rescale\": true, \"rescale_factor\": 0.00392156862745098, \"do_normalize\": true, "
        "\"image_mean\": [0.43, 0.411, 0.296], \"image_std\": [0.213, 0.156, 0.143]}");
    assert_wanted(own, &small_dinov3, "sat493m");
    assert_wanted(scratch_folder(), &small_dinov3, "sat493m");
    assert_wanted(scratch_path("pytorch_model.bin"), &small_dinov2, "sat493m");
    assert_wanted(other, &small_dinov3, NULL);
    put_preprocessor("{\"image_mean\": 0.5, \"image_std\": [0.5, 0.25, 0.125], \"rescale_factor\": null}");
    assert_wanted(own, &small_dinov3, "0.5,0.5,0.5:0.5,0.25,0.125");
    assert_wanted(scratch_path("dinov3-sat493m/../model.safetensors"), &small_dinov3,
                  "0.5,0.5,0.5:0.5,0.25,0.125");
    put_preprocessor(
        "{\"do_normalize\": false, \"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5]}");
    assert_wanted(own, &small_dinov3, "none");
    put_preprocessor(
        "{\"image_mean\": [123.7, 116.3, 103.5], \"image_std\": [58.4, 57.1, 57.4], \"do_rescale\": false}");
    assert_wanted(own, &small_dinov3, NULL);
    put_preprocessor(
        "{\"rescale_factor\": 0.0078, \"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5]}");
    assert_wanted(own, &small_dinov3, NULL);
    put_preprocessor("{\"size\": 224}");
    assert_wanted(own, &small_dinov3, NULL);
}

static void of_a_damaged_preprocessor(void **unused)
{
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"{\"image_mean\": [0.5, 0.5]}",
         "preprocessor_config.json is damaged: its image_mean is not three numbers"},
        {"{\"image_std\": \"0.5\"}", "image_std is not three numbers"},
        {"{\"image_std\": [0.5, 0.5, null]}", "image_std is not three numbers"},
        {"{\"image_mean\": 0.5, \"image_std\": 0}",
         "preprocessor_config.json: the deviation 0 is not above 0"},
        {"{\"image_mean\": 0.5,", "preprocessor_config.json"},
    };
    struct df_normalize normalize;
    const char *why;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_preprocessor(cases[i].text);
        assert_int_equal(
            df_normalize_of_backbone(scratch_path("model.safetensors"), &small_dinov3, &normalize, &why), -1);
        assert_null(why);
        assert_error_has(cases[i].word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_numbers), cmocka_unit_test(what_is_no_normalisation),
        cmocka_unit_test(of_weights),        cmocka_unit_test(in_the_current_folder),
        cmocka_unit_test(of_a_preprocessor), cmocka_unit_test(of_a_damaged_preprocessor),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
