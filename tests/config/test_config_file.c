/* --config: files that are taken over, and those that are refused. */
#include "command_line.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/error.h"
#include "dinoft/json_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static enum df_parse_result parse_with(struct df_config *config, const char *json, const char *const *flags)
{
    static const char *argv[PARSE_MAX_WORDS];
    const char *words[PARSE_MAX_WORDS] = {"train", "--config", "run_config.json"};
    int count = 3;

    words[2] = scratch_write("run_config.json", json, strlen(json));
    for (; *flags; flags++)
        words[count++] = *flags;
    words[count] = NULL;
    return parse_words(config, argv, words);
}

#define FLAGS(...) ((const char *const[]){__VA_ARGS__ NULL})

static void accept(struct df_config *config, const char *json, const char *const *flags)
{
    if (parse_with(config, json, flags) != DF_PARSE_RUN)
        fail_msg("%s: %s", json, df_error_text());
}

static void takes_what_is_not_typed(void **state)
{
    struct df_config config;
    accept(&config,
           "{\"dataset\": \"folder\", \"n_classes\": 3, \"use_lora\": true, \"lr\": 0.1, \"img_dim\": [112, "
           "140], "
           "\"seed\": \"9223372036854775807\", \"weights\": null, \"data_root\": \"a b\", \"device\": "
           "\"cuda:3\", "
           "\"debug\": true}",
           FLAGS("--lr", "0.2", "--no_debug", ));
    assert_int_equal(config.dataset, DF_DATASET_FOLDER);
    assert_int_equal(config.n_classes, 3);
    assert_true(config.use_lora && config.typed[DF_OPTION_USE_LORA]);
    assert_true(config.lr == 0.2);
    assert_false(config.debug);
    assert_int_equal(config.img_dim[1], 140);
    assert_true(config.seed == INT64_MAX);
    assert_null(config.weights);
    assert_string_equal(config.data_root, "a b");
    assert_int_equal(config.device, DF_DEVICE_CUDA_N + 3);
    assert_int_equal(config.epochs, 20);
    df_config_free(&config);
}

/* What goes with an augmentation goes with it. */
static void augmentations(void **state)
{
    static const char json[] = "{\"augment\": \"strong\", \"augment_scale\": [0.7, 1.25], "
                               "\"crop_class_balance\": true}";
    struct df_config config;

    accept(&config, json, FLAGS());
    assert_int_equal(config.augment, DF_AUGMENT_STRONG);
    assert_true(config.augment_scale[0] == 0.7 && config.augment_scale[1] == 1.25);
    assert_true(config.crop_class_balance);
    df_config_free(&config);
    accept(&config, json, FLAGS("--augment", "flip", ));
    assert_int_equal(config.augment, DF_AUGMENT_FLIP);
    assert_true(config.augment_scale[0] == 0.5 && config.augment_scale[1] == 2.0);
    assert_false(config.crop_class_balance);
    df_config_free(&config);
    accept(&config, json, FLAGS("--augment", "standard", "--augment_scale", "1,1", ));
    assert_true(config.augment_scale[0] == 1.0 && config.augment_scale[1] == 1.0);
    df_config_free(&config);
}

static void leaves_names_and_facts(void **state)
{
    struct df_config config;
    accept(&config,
           "{\"exp_name\": \"theirs\", \"output_dir\": 3, \"overwrite\": true, \"config\": \"other.json\", "
           "\"facts\": {\"threads\": 7, \"lr\": 3}}",
           FLAGS());
    assert_null(config.exp_name);
    assert_string_equal(config.output_dir, "output");
    assert_false(config.overwrite);
    assert_int_equal(config.threads, 0);
    assert_true(config.lr == 2e-3);
    df_config_free(&config);
}

/* What a recipe set is the recipe's still: a typed one replaces it, and what a flag had said stays. */
static void recipes(void **state)
{
    static const char json[] = "{\"recipe\": \"reference\", \"schedule\": \"cosine\", \"epochs\": 100, "
                               "\"lr\": 0.003, \"batch_size\": 8, \"warmup_epochs\": 20, \"min_lr\": 3e-5, "
                               "\"decay_1d\": false, \"normalize\": \"none\"}";
    struct df_config config;
    accept(&config, json, FLAGS());
    assert_int_equal(config.recipe, DF_RECIPE_REFERENCE);
    assert_false(config.decay_1d);
    assert_int_equal(config.batch_size, 8);
    assert_int_equal(config.epochs, 100);
    assert_string_equal(config.exp_name, "lora");
    df_config_free(&config);
    accept(&config, json, FLAGS("--recipe", "default", ));
    assert_int_equal(config.epochs, 20);
    assert_true(fabs(config.lr - 2e-3 * sqrt(8.0 / 12.0)) < 1e-12);
    assert_int_equal(config.batch_size, 8);
    assert_string_equal(config.normalize, "auto");
    df_config_free(&config);
}

static void typed_flags_replace_what_goes_with_them(void **state)
{
    struct df_config config;
    accept(&config, "{\"schedule\": \"cosine\", \"min_lr\": 1e-5, \"warmup_epochs\": 2}",
           FLAGS("--schedule", "onecycle", ));
    assert_true(config.min_lr == 0 && config.warmup_epochs == 0);
    df_config_free(&config);
    accept(&config, "{\"warmup_steps\": \"5%\"}", FLAGS("--warmup_epochs", "1", ));
    assert_null(config.warmup_steps);
    df_config_free(&config);
    accept(&config, "{\"weights\": \"a.pth\", \"dino_type\": \"dinov2\"}", FLAGS("--size", "base", ));
    assert_null(config.weights);
    df_config_free(&config);
    accept(&config, "{\"decoder\": \"multi\", \"decoder_layers\": \"even\", \"use_fpn\": false}",
           FLAGS("--use_fpn", ));
    assert_true(config.decoder == DF_DECODER_FPN && config.decoder_layers == DF_LAYERS_LAST);
    df_config_free(&config);
    accept(&config, "{\"decoder\": \"multi\", \"decoder_layers\": \"even\", \"use_fpn\": false}",
           FLAGS("--no_use_fpn", ));
    assert_true(config.decoder == DF_DECODER_MULTI && config.decoder_layers == DF_LAYERS_EVEN);
    df_config_free(&config);
    accept(&config, "{\"decoder\": \"multi\", \"decoder_layers\": \"even\", \"head_norm\": \"bn\"}",
           FLAGS("--decoder", "linear", ));
    assert_true(config.decoder_layers == DF_LAYERS_LAST && config.head_norm == DF_HEAD_NORM_BN);
    df_config_free(&config);
    accept(&config, "{\"use_fpn\": true}", FLAGS("--decoder", "multi", ));
    assert_true(config.decoder == DF_DECODER_MULTI && !config.use_fpn);
    df_config_free(&config);
    accept(&config, "{\"dataset\": \"folder\", \"n_classes\": 3}", FLAGS("--dataset", "voc", ));
    assert_int_equal(config.n_classes, 0);
    df_config_free(&config);
}

/* What was chosen for the file's run is chosen anew for another one, unless the file says something else. */
static void the_default_recipe_goes_on(void **state)
{
    struct df_config config;
    accept(&config, "{\"batch_size\": 48, \"lr\": 0.004, \"augment\": \"none\", \"use_lora\": false}",
           FLAGS("--batch_size", "12", "--use_lora", ));
    assert_true(config.lr == 4e-3); /* a file says it as one who types it */
    assert_int_equal(config.augment, DF_AUGMENT_STANDARD);
    df_config_free(&config);
    accept(&config, "{\"batch_size\": 48, \"lr\": 0.001, \"augment\": \"none\", \"use_lora\": true}",
           FLAGS("--batch_size", "12", ));
    assert_true(config.lr == 1e-3);
    assert_int_equal(config.augment, DF_AUGMENT_NONE);
    df_config_free(&config);
    accept(&config, "{\"warmup_steps\": null, \"schedule\": \"constant\"}", FLAGS());
    assert_null(config.warmup_steps);
    df_config_free(&config);
    accept(&config, "{\"cache_features\": \"memory\", \"use_lora\": false}", FLAGS("--use_lora", ));
    assert_int_equal(config.cache_features, DF_FEATURES_AUTO);
    df_config_free(&config);
    accept(&config, "{\"decoder\": \"mlp\", \"head_norm\": \"none\", \"lr_head\": 1}",
           FLAGS("--decoder", "linear", ));
    assert_int_equal(config.head_norm, DF_HEAD_NORM_BN);
    assert_true(config.lr_head == 10);
    df_config_free(&config);
    accept(&config, "{\"lora_weights\": \"a.pt\", \"augment\": \"none\", \"decoder_layers\": \"even\"}",
           FLAGS());
    assert_true(config.typed[DF_OPTION_AUGMENT] && config.augment == DF_AUGMENT_NONE);
    assert_int_equal(config.decoder_layers, DF_LAYERS_EVEN);
    df_config_free(&config);
}

/* What was typed for the file's run holds, also where it is a default or the recipe's; what a rule chose is
 * chosen anew, unless somebody has changed it in the file since. */
static void what_was_typed_is_told(void **state)
{
    struct df_config config;
    accept(&config,
           "{\"use_lora\": true, \"batch_size\": 8, \"lr\": 0.0016, \"accumulate\": 1, \"lora_alpha\": 0, "
           "\"facts\": "
           "{\"typed\": [\"use_lora\", \"accumulate\", \"lora_alpha\", \"no such\"], \"chosen\": "
           "{\"batch_size\": "
           "8, \"lr\": 0.0016}}}",
           FLAGS("--batch_size", "3", ));
    assert_true(config.lr == 1e-3 && !config.typed[DF_OPTION_LR]); /* for 3 images, not for 8 */
    assert_true(config.typed[DF_OPTION_ACCUMULATE] && config.typed[DF_OPTION_LORA_ALPHA]);
    df_config_free(&config);
    accept(&config,
           "{\"use_lora\": true, \"batch_size\": 8, \"lr\": 0.004, \"facts\": {\"typed\": [\"use_lora\"], "
           "\"chosen\": {\"batch_size\": 8, \"lr\": 0.0016}}}",
           FLAGS());
    assert_true(config.lr == 4e-3 && config.typed[DF_OPTION_LR]);
    assert_true(df_config_batch_is_open(&config));
    df_config_free(&config);
    accept(&config,
           "{\"lr\": 0.002, \"epochs\": 20, \"augment\": \"none\", \"facts\": {\"typed\": [\"lr\", "
           "\"augment\"], "
           "\"chosen\": {\"epochs\": 20}}}",
           FLAGS("--recipe", "reference", "--use_lora", ));
    assert_true(config.lr == 2e-3 && config.epochs == 100);
    assert_int_equal(config.augment, DF_AUGMENT_NONE);
    df_config_free(&config);
    accept(&config,
           "{\"use_lora\": true, \"batch_size\": 12, \"facts\": {\"typed\": [\"use_lora\"], \"chosen\": "
           "{\"batch_size\": 8}}}",
           FLAGS());
    assert_true(config.batch_size == 12 && config.typed[DF_OPTION_BATCH_SIZE]);
    df_config_free(&config);
    accept(&config, "{\"warmup_steps\": null, \"schedule\": \"constant\"}", FLAGS());
    assert_true(config.typed[DF_OPTION_WARMUP_EPOCHS]); /* which the next file tells */
    df_config_free(&config);
}

/* The file's place of the images goes where another one is typed, and merging goes with its data set. */
static void another_place(void **state)
{
    static const char pairs[] = "{\"dataset\": \"folder\", \"n_classes\": 2, \"pairs\": \"a.csv\"}";
    static const char merged[] =
        "{\"dataset\": \"voc\", \"merge_classes\": \"cat+dog=pet\", \"ignore_classes\": "
        "\"sofa\"}";
    struct df_config config;
    accept(&config, pairs, FLAGS("--layout", "two-folders", ));
    assert_null(config.pairs);
    df_config_free(&config);
    accept(&config, pairs, FLAGS("--annotations", "a.json", ));
    assert_null(config.pairs);
    df_config_free(&config);
    accept(&config, "{\"dataset\": \"folder\", \"n_classes\": 2, \"annotations\": \"a.json\"}",
           FLAGS("--pairs", "a.csv", ));
    assert_null(config.annotations);
    df_config_free(&config);
    accept(&config,
           "{\"dataset\": \"folder\", \"n_classes\": 2, \"val_fraction\": 0.5, \"layout\": \"two-folders\"}",
           FLAGS("--annotations", "a.json", ));
    assert_true(config.val_fraction == 0 && config.layout == DF_LAYOUT_AUTO);
    df_config_free(&config);
    accept(&config, merged, FLAGS("--dataset", "ade20k", ));
    assert_true(!config.merge_classes && !config.ignore_classes);
    df_config_free(&config);
    accept(&config, merged, FLAGS());
    assert_true(config.merge_classes && config.ignore_classes);
    df_config_free(&config);
}

/* Each recipe brings its own head and warm-up, where the file's settings are those of another. */
static void another_recipe(void **state)
{
    struct df_config config;
    accept(&config,
           "{\"recipe\": \"default\", \"head_norm\": \"bn\", \"warmup_steps\": \"5%\", \"lr\": 0.002, "
           "\"lr_head\": 10, "
           "\"augment\": \"none\", \"use_lora\": false, \"decoder\": \"linear\", \"schedule\": \"poly\"}",
           FLAGS("--recipe", "reference-2025-08", ));
    assert_int_equal(config.head_norm, DF_HEAD_NORM_NONE);
    assert_null(config.warmup_steps);
    assert_true(config.lr == 3e-4 && config.lr_head == 1);
    assert_int_equal(config.schedule, DF_SCHEDULE_CONSTANT);
    df_config_free(&config);
    accept(
        &config,
        "{\"recipe\": \"reference-2025-08\", \"head_norm\": \"none\", \"warmup_steps\": null, \"lr\": "
        "0.0003, "
        "\"lr_head\": 1, \"augment\": \"none\", \"use_lora\": true, \"decoder\": \"linear\", \"schedule\": "
        "\"constant\"}",
        FLAGS("--recipe", "default", ));
    assert_int_equal(config.head_norm, DF_HEAD_NORM_BN);
    assert_string_equal(config.warmup_steps, "5%");
    assert_true(config.lr == 2e-3 && config.lr_head == 5);
    assert_int_equal(config.augment, DF_AUGMENT_STANDARD);
    df_config_free(&config);
}

static void refuse(const char *json, const char *mention)
{
    struct df_config config;
    assert_int_equal(parse_with(&config, json, FLAGS()), DF_PARSE_WRONG);
    assert_error_has("run_config.json");
    assert_error_has(mention);
    df_config_free(&config);
}

static void refuses_what_is_wrong(void **state)
{
    refuse("", "not JSON");
    refuse("{\"lr\": 1} x", "not JSON");
    refuse("[1]", "expected a JSON object");
    refuse("{\"epoch\": 3}", "unknown key 'epoch': did you mean epochs?");
    refuse("{\"zzzzzzzzz\": 3}", "unknown key 'zzzzzzzzz'");
    refuse("{\"tta\": true}", "unknown key 'tta'");
    refuse("{\"lr\": \"0.1\"}", "lr: expected a number");
    refuse("{\"lr\": 0}", "--lr: 0 is out of range");
    refuse("{\"lr\": 1e999}", "lr");
    refuse("{\"lr\": null}", "lr: expected a number");
    refuse("{\"epochs\": 1.5}", "epochs: expected a whole number");
    refuse("{\"epochs\": 1e300}", "epochs: expected a whole number");
    refuse("{\"seed\": 9007199254740994}", "seed: expected a whole number (above 2^53 as a text)");
    refuse("{\"epochs\": 0}", "--epochs: 0 is too small");
    refuse("{\"use_lora\": 1}", "use_lora: expected true or false");
    refuse("{\"use_lora\": null}", "use_lora: expected true or false");
    refuse("{\"img_dim\": [3]}", "img_dim: expected an array of two whole numbers");
    refuse("{\"img_dim\": [0, 3]}", "--img_dim: 0 is out of range");
    refuse("{\"augment_scale\": [0.5]}", "augment_scale: expected an array of two numbers");
    refuse("{\"augment_scale\": [2, 0.5]}", "--augment_scale: 2 is more than 0.5");
    refuse("{\"augment\": \"flip\", \"augment_scale\": [0.7, 2]}",
           "--augment_scale is for --augment standard");
    refuse("{\"schedule\": \"cosin\"}", "--schedule: 'cosin' is not one of");
    refuse("{\"weights\": 3}", "weights: expected a text");
    refuse("{\"weights\": \"\"}", "--weights: the value is empty");
    refuse("{\"lr\": 1, \"lr\": 2}", "lr is there twice");
    refuse("{\"command\": \"eval\"}", "command: expected \"train\"");
    refuse("{\"dinoft\": \"one\"}", "dinoft: expected a version");
    refuse("{\"dinoft\": \"99.1.0\", \"lr\": true}", "lr: expected a number");
    refuse("{\"min_lr\": 1, \"schedule\": \"cosine\"}", "--min_lr 1 is more than --lr");
    refuse("{\"dataset\": \"folder\"}", "--n_classes");
    refuse("{\"facts\": {\"typed\": 3}}", "facts, typed: expected a list of names");
    refuse("{\"facts\": {\"chosen\": []}}", "facts, chosen: expected an object of values");
}

static void a_newer_file_may_have_unknown_keys(void **state)
{
    struct df_config config;
    accept(&config, "{\"dinoft\": \"99.0.0\", \"sharpness\": 3, \"epochs\": 7}", FLAGS());
    assert_int_equal(config.epochs, 7);
    df_config_free(&config);
}

static void a_file_that_is_missing(void **state)
{
    struct df_config config;
    const char *argv[PARSE_MAX_WORDS];
    assert_int_equal(PARSE(&config, argv, "train", "--config", "no/such.json"), DF_PARSE_WRONG);
    assert_error_has("--config: ");
    assert_error_has("no/such.json");
    df_config_free(&config);
    assert_int_equal(PARSE(&config, argv, "eval", "--config", "a"), DF_PARSE_WRONG);
    df_config_free(&config);
}

/* The record of what was read is the record that was read. */
static void records_come_back(void **state)
{
    static const char *const lines[][12] = {
        {"--dataset", "folder", "--n_classes", "9", "--mask_values", "0,1,2,3,4,5,6,7,8", "--class_names",
         "a\\b"},
        {"--recipe", "reference", "--no_decay_1d", "--schedule", "constant", "--lr", "0.1", "--seed",
         "9007199254740993"},
        {"--recipe", "reference", "--schedule", "onecycle", "--use_lora", "--lr_lora", "0.7"},
        {"--recipe", "reference-2025-08", "--weight_decay", "0", "--min_lr", "0"},
        {"--schedule", "poly", "--warmup_steps", "5%", "--min_lr", "1e-7", "--lr", "0.12345678901234567"},
        {"--lora_weights", "a.pt", "--no_use_lora", "--device", "cuda:7", "--size", "huge",
         "--allow_other_backbone"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct df_config first, again;
        const char *argv[PARSE_MAX_WORDS], *more[PARSE_MAX_WORDS];
        char path[512];
        struct df_json json = {0};
        size_t size, size_too;
        snprintf(path, sizeof path, "%s", scratch_path("first.json"));
        assert_int_equal(parse_words(&first, argv, lines[i]), DF_PARSE_RUN);
        df_config_to_json(&json, &first);
        df_json_close(&json);
        assert_int_equal(df_json_write(&json, path), 0);
        if (PARSE(&again, more, "--config", path) != DF_PARSE_RUN)
            fail_msg("%s", df_error_text());
        again.config = NULL;
        df_config_to_json(&json, &again);
        df_json_close(&json);
        assert_int_equal(df_json_write(&json, scratch_path("again.json")), 0);
        df_config_free(&again);
        unsigned char *bytes = read_whole(path, &size),
                      *bytes_too = read_whole(scratch_path("again.json"), &size_too);
        assert_int_equal(size, size_too);
        assert_memory_equal(bytes, bytes_too, size);
        free(bytes);
        free(bytes_too);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_not_typed),
        cmocka_unit_test(augmentations),
        cmocka_unit_test(leaves_names_and_facts),
        cmocka_unit_test(recipes),
        cmocka_unit_test(the_default_recipe_goes_on),
        cmocka_unit_test(another_recipe),
        cmocka_unit_test(what_was_typed_is_told),
        cmocka_unit_test(another_place),
        cmocka_unit_test(typed_flags_replace_what_goes_with_them),
        cmocka_unit_test(refuses_what_is_wrong),
        cmocka_unit_test(a_newer_file_may_have_unknown_keys),
        cmocka_unit_test(a_file_that_is_missing),
        cmocka_unit_test(records_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
