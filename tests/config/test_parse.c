/* Command lines that are right: defaults, every kind of value, argparse's freedoms, recipes. */
#include "command_line.h"

#include "dinoft/error.h"

#include <math.h>

static struct df_config config;
static const char *argv[PARSE_MAX_WORDS];

#define ACCEPT(...)                                                                                          \
    do {                                                                                                     \
        if (PARSE(&config, argv, __VA_ARGS__) != DF_PARSE_RUN)                                               \
            fail_msg("%s", df_error_text());                                                                 \
    } while (0)

static void train_defaults_are_main_py_s(void **state)
{
    ACCEPT("train", "--recipe", "reference-2025-08");
    assert_int_equal(config.command, DF_COMMAND_TRAIN);
    assert_string_equal(config.exp_name, "lora");
    assert_int_equal(config.dataset, DF_DATASET_ADE20K);
    assert_int_equal(config.size, DF_LARGE);
    assert_int_equal(config.dino_type, DF_DINOV3);
    assert_false(config.use_lora);
    assert_int_equal(config.r, 3);
    assert_false(config.use_fpn);
    assert_int_equal(config.img_dim[0], 490);
    assert_int_equal(config.img_dim[1], 490);
    assert_null(config.lora_weights);
    assert_int_equal(config.epochs, 20);
    assert_true(config.lr == 3e-4);
    assert_int_equal(config.batch_size, 12);
    assert_false(config.debug);
    assert_int_equal(config.schedule, DF_SCHEDULE_CONSTANT);
    assert_int_equal(config.head_norm, DF_HEAD_NORM_NONE);
    assert_int_equal(config.augment, DF_AUGMENT_NONE);
    assert_null(config.warmup_steps);
    assert_true(config.lr_head == 1);
}

/* What depends on other flags, too. */
static void the_default_recipe(void **state)
{
    ACCEPT("train", "--use_lora");
    assert_null(config.exp_name);
    assert_true(config.lr == 2e-3 && config.lr_head == 5);
    assert_int_equal(config.batch_size, 12);
    assert_int_equal(config.schedule, DF_SCHEDULE_POLY);
    assert_true(config.warmup == 5 && config.warmup_is_share);
    assert_int_equal(config.head_norm, DF_HEAD_NORM_BN);
    assert_int_equal(config.augment, DF_AUGMENT_STANDARD);
    ACCEPT("train", "--batch_size", "48");
    assert_true(fabs(config.lr - 4e-3) < 1e-12 && config.lr_head == 10);
    assert_int_equal(config.augment, DF_AUGMENT_NONE);
    ACCEPT("train", "--batch_size", "48", "--lr", "1e-3", "--cache_features", "off");
    assert_true(config.lr == 1e-3);
    assert_int_equal(config.augment, DF_AUGMENT_STANDARD);
    ACCEPT("train", "--cache_views", "4", "--use_fpn");
    assert_int_equal(config.augment, DF_AUGMENT_STANDARD);
    assert_int_equal(config.head_norm, DF_HEAD_NORM_NONE);
    assert_true(config.lr_head == 1);
    ACCEPT("train", "--schedule", "onecycle");
    assert_null(config.warmup_steps);
    ACCEPT("train", "--warmup_epochs", "1");
    assert_null(config.warmup_steps);
    assert_int_equal(config.warmup_epochs, 1);
}

static void the_other_defaults(void **state)
{
    ACCEPT("train");
    assert_null(config.weights);
    assert_string_equal(config.data_root, "./data");
    assert_int_equal(config.n_classes, 0);
    assert_null(config.class_names);
    assert_false(config.void_as_background);
    assert_string_equal(config.normalize, "auto");
    assert_int_equal(config.recipe, DF_RECIPE_DEFAULT);
    assert_true(config.rope_rescale == 1);
    assert_int_equal(config.warmup_epochs, 0);
    assert_true(config.min_lr == 0 && config.lr_lora == 1);
    assert_true(config.weight_decay == 0.01 && config.grad_clip == 0 && config.ema == 0);
    assert_false(config.decay_1d);
    assert_int_equal(config.accumulate, 1);
    assert_string_equal(config.output_dir, "output");
    assert_int_equal(config.device, DF_DEVICE_AUTO);
    assert_int_equal(config.precision, DF_PRECISION_AUTO);
    assert_int_equal(config.threads, 0);
    assert_int_equal(config.seed, 0);
    assert_false(config.no_shuffle);
    assert_int_equal(config.num_workers, 0);
    assert_int_equal(config.max_steps, 0);
    assert_int_equal(config.val_every, 5);
    assert_int_equal(config.eval_size, DF_EVAL_NETWORK);
    assert_null(config.metrics_json);
    assert_false(config.save_logits || config.outlines || config.legend);
    assert_true(config.overlay_opacity == 0.5);
    assert_null(config.output);
    assert_int_equal(config.layers, 0);
    assert_int_equal(config.naming, DF_NAMING_OFFICIAL);
    assert_int_equal(config.dtype, DF_STORED_KEEP);
    assert_int_equal(config.train_images, 48);
    assert_int_equal(config.val_images, 12);
}

static void two_words_for_the_pyramid(void **state)
{
    ACCEPT("--decoder", "fpn");
    assert_true(config.use_fpn && config.decoder == DF_DECODER_FPN);
    ACCEPT("--decoder", "fpn", "--use_fpn");
    assert_true(config.use_fpn && config.decoder == DF_DECODER_FPN);
    ACCEPT("--no_use_fpn");
    assert_true(!config.use_fpn && config.decoder == DF_DECODER_LINEAR);
    ACCEPT("--no_use_fpn", "--decoder", "multi", "--decoder_layers", "even");
    assert_true(!config.use_fpn && config.decoder == DF_DECODER_MULTI);
    assert_int_equal(config.decoder_layers, DF_LAYERS_EVEN);
    /* The decoder may be that of the checkpoint. */
    ACCEPT("--decoder_layers", "even", "--lora_weights", "a.pt");
    assert_int_equal(config.decoder_layers, DF_LAYERS_EVEN);
}

static void main_py_s_command_line(void **state)
{
    ACCEPT("--exp_name", "base_voc", "--dataset", "voc", "--size", "base", "--dino_type", "dinov2",
           "--img_dim", "308", "490", "--epochs", "50", "--use_fpn");
    assert_int_equal(config.command, DF_COMMAND_TRAIN);
    assert_string_equal(config.exp_name, "base_voc");
    assert_int_equal(config.dataset, DF_DATASET_VOC);
    assert_int_equal(config.size, DF_BASE);
    assert_int_equal(config.dino_type, DF_DINOV2);
    assert_int_equal(config.img_dim[0], 308);
    assert_int_equal(config.img_dim[1], 490);
    assert_int_equal(config.epochs, 50);
    assert_true(config.use_fpn);
    assert_true(config.typed[DF_OPTION_SIZE] && config.typed[DF_OPTION_USE_FPN]);
    assert_false(config.typed[DF_OPTION_LR]);

    assert_int_equal(config.decoder, DF_DECODER_FPN);

    ACCEPT("--use_lora", "--r", "9", "--lr", "1E-3", "--batch_size", "2", "--debug", "--lora_weights",
           "a.pt");
    assert_true(config.use_lora && config.debug);
    assert_int_equal(config.r, 9);
    assert_true(config.lr == 1e-3);
    assert_int_equal(config.batch_size, 2);
    assert_string_equal(config.lora_weights, "a.pt");
}

static void main_py_s_command_line_of_october_2025(void **state)
{
    ACCEPT("--exp_name", "huge_voc", "--size", "huge", "--warmup_epochs", "5", "--min_lr", "1e-5",
           "--weight_decay", "0.05", "--debug", "--recipe", "reference");
    assert_int_equal(config.size, DF_HUGE_PLUS);
    assert_int_equal(config.warmup_epochs, 5);
    assert_true(config.min_lr == 1e-5 && config.weight_decay == 0.05);
    assert_int_equal(config.epochs, 100);
    assert_true(config.lr == 3e-3);
    assert_int_equal(config.batch_size, 64);
    assert_int_equal(config.schedule, DF_SCHEDULE_COSINE);
    ACCEPT("--warmup_epochs", "5", "--min_lr", "1e-3", "--weight_decay", "0.01");
    assert_int_equal(config.schedule, DF_SCHEDULE_POLY);
    ACCEPT("--recipe", "reference", "--lr", "1e-5", "--epochs", "2");
    assert_true(config.min_lr == 3e-5 && config.warmup_epochs == 20);
}

static void flags_of_the_optimiser(void **state)
{
    ACCEPT("--warmup_steps", "2.5%", "--schedule", "cosine", "--lr_head", "10", "--lr_lora", "0.1",
           "--use_lora", "--decay_1d", "--grad_clip", "1");
    assert_true(config.warmup == 2.5 && config.warmup_is_share);
    assert_true(config.lr_head == 10 && config.lr_lora == 0.1 && config.decay_1d && config.grad_clip == 1);
    ACCEPT("--warmup_steps", "500", "--ema", "0.999", "--accumulate", "6", "--weight_decay", "0");
    assert_true(config.warmup == 500 && !config.warmup_is_share);
    assert_true(config.ema == 0.999 && config.weight_decay == 0);
    assert_int_equal(config.accumulate, 6);
}

static void every_other_flag_of_train(void **state)
{
    ACCEPT("train", "--weights", "w.pth", "--data_root", "d", "--dataset", "folder", "--n_classes", "2",
           "--class_names", "names.txt", "--void_as_background", "--normalize", "imagenet");
    assert_string_equal(config.weights, "w.pth");
    assert_string_equal(config.data_root, "d");
    assert_int_equal(config.n_classes, 2);
    assert_string_equal(config.class_names, "names.txt");
    assert_true(config.void_as_background);
    assert_string_equal(config.normalize, "imagenet");

    ACCEPT("train", "--output_dir", "o", "--device", "cpu", "--precision", "bf16", "--threads", "4",
           "--no_shuffle", "--rope_rescale", "1.5", "--num_workers", "3");
    assert_string_equal(config.output_dir, "o");
    assert_int_equal(config.device, DF_DEVICE_CPU);
    assert_int_equal(config.precision, DF_PRECISION_BF16);
    assert_int_equal(config.threads, 4);
    assert_true(config.no_shuffle);
    assert_true(config.rope_rescale == 1.5);
    assert_int_equal(config.num_workers, 3);

    ACCEPT("eval", "--lora_weights", "a.pt", "--device", "cuda");
    assert_int_equal(config.device, DF_DEVICE_CUDA);
    for (int gpu = 0; gpu <= 255; gpu += 51) {
        char device[32];
        snprintf(device, sizeof device, "cuda:%d", gpu);
        ACCEPT("train", "--device", device);
        assert_int_equal(config.device, DF_DEVICE_CUDA_N + gpu);
    }

    ACCEPT("train", "--seed", "9223372036854775807", "--max_steps", "7", "--val_every", "1", "--size",
           "small+");
    assert_true(config.seed == INT64_MAX);
    assert_int_equal(config.max_steps, 7);
    assert_int_equal(config.val_every, 1);
    assert_int_equal(config.size, DF_SMALL_PLUS);
}

static void the_other_commands(void **state)
{
    ACCEPT("eval", "--lora_weights", "a.pt", "--eval_size", "original", "--metrics_json", "m.json");
    assert_int_equal(config.command, DF_COMMAND_EVAL);
    assert_int_equal(config.eval_size, DF_EVAL_ORIGINAL);
    assert_string_equal(config.metrics_json, "m.json");

    ACCEPT("features", "a.jpg", "--output", "f.safetensors", "--layers", "4");
    assert_int_equal(config.command, DF_COMMAND_FEATURES);
    assert_string_equal(config.output, "f.safetensors");
    assert_int_equal(config.layers, 4);

    ACCEPT("convert", "in.pth", "out.safetensors", "--naming", "huggingface", "--dtype", "bf16");
    assert_int_equal(config.command, DF_COMMAND_CONVERT);
    assert_int_equal(config.naming, DF_NAMING_HUGGINGFACE);
    assert_int_equal(config.dtype, DF_STORED_BF16);

    ACCEPT("demo-data", "--train_images", "5", "--val_images", "3", "--data_root", "demo", "--seed", "2");
    assert_int_equal(config.command, DF_COMMAND_DEMO_DATA);
    assert_int_equal(config.train_images, 5);
    assert_int_equal(config.val_images, 3);

    ACCEPT("info", "x.pt");
    assert_int_equal(config.command, DF_COMMAND_INFO);
    assert_string_equal(config.inputs[0], "x.pt");

    ACCEPT("eval", "--lora_weights", "a.pt", "--dataset", "folder"); /* the checkpoint knows the classes */
    assert_int_equal(config.n_classes, 0);
}

static void inputs_mix_with_flags(void **state)
{
    ACCEPT("predict", "a.jpg", "--lora_weights", "l.pt", "b.jpg", "--save_logits", "-", "--", "--c.jpg",
           "d.jpg");
    const char *const expected[] = {"a.jpg", "b.jpg", "-", "--c.jpg", "d.jpg"};
    assert_int_equal(config.n_inputs, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(config.inputs[i], expected[i]);
    assert_string_equal(config.lora_weights, "l.pt");
    assert_true(config.save_logits);
    ACCEPT("predict", "a.jpg", "--lora_weights", "l.pt", "--overlay_opacity", "1", "--outlines", "--legend");
    assert_true(config.overlay_opacity == 1 && config.outlines && config.legend);
    ACCEPT("eval", "--lora_weights", "l.pt", "--report_html", "r.html", "--overlay_opacity", "0");
    assert_true(config.overlay_opacity == 0);
}

static void argparse_s_freedoms(void **state)
{
    ACCEPT("--size=small", "--epo", "3", "--img_dim=308,490", "--batch-size", "4", "--lora_weights=a=b.pt");
    assert_int_equal(config.size, DF_SMALL);
    assert_int_equal(config.epochs, 3);
    assert_int_equal(config.img_dim[0], 308);
    assert_int_equal(config.img_dim[1], 490);
    assert_int_equal(config.batch_size, 4);
    assert_string_equal(config.lora_weights, "a=b.pt");

    ACCEPT("--img_dim", "98,112", "--epochs", "3", "--epochs=4");
    assert_int_equal(config.img_dim[0], 98);
    assert_int_equal(config.img_dim[1], 112);
    assert_int_equal(config.epochs, 4); /* the last counts */

    ACCEPT("--augment", "standard", "--augment_scale", "0.75", "1e1");
    assert_true(config.augment_scale[0] == 0.75 && config.augment_scale[1] == 10.0);
    ACCEPT("--augment=strong", "--augment_scale=1,1");
    assert_true(config.augment_scale[0] == 1.0 && config.augment_scale[1] == 1.0);

    ACCEPT("--r", "5"); /* a whole name is no prefix of --recipe and --rope_rescale */
    assert_int_equal(config.r, 5);

    ACCEPT("--use_lora", "--debug", "--no_use_lora", "--no-deb", "--exp_name=-x");
    assert_false(config.use_lora);
    assert_false(config.debug);
    assert_true(config.typed[DF_OPTION_USE_LORA]);
    assert_string_equal(config.exp_name, "-x");
}

static void recipe_sets_what_was_not_typed(void **state)
{
    ACCEPT("--recipe", "reference");
    assert_string_equal(config.normalize,
                        "auto"); /* a checkpoint's record comes first: see model_options.c */
    assert_true(config.void_as_background);
    assert_true(config.rope_rescale == 2);
    assert_false(config.typed[DF_OPTION_NORMALIZE]);

    ACCEPT("--normalize", "auto", "--no_void_as_background", "--recipe", "reference", "--rope_rescale", "1");
    assert_string_equal(config.normalize, "auto");
    assert_false(config.void_as_background);
    assert_true(config.rope_rescale == 1);

    ACCEPT("--recipe", "reference-2025-08");
    assert_true(config.void_as_background && config.decay_1d && config.rope_rescale == 2);
    assert_int_equal(config.epochs, 20);
    assert_int_equal(config.batch_size, 12);
    assert_true(config.lr == 3e-4);
    assert_int_equal(config.schedule, DF_SCHEDULE_CONSTANT);

    ACCEPT("--recipe", "reference", "--schedule", "onecycle", "--no_decay_1d");
    assert_int_equal(config.warmup_epochs, 0);
    assert_true(config.min_lr == 0 && !config.decay_1d);

    ACCEPT("--recipe", "default");
    assert_string_equal(config.normalize, "auto");
    assert_false(config.void_as_background);
    assert_true(config.rope_rescale == 1);
}

static void recipe_of_an_evaluation(void **state)
{
    ACCEPT("eval", "--lora_weights", "a.pt", "--recipe", "reference");
    assert_string_equal(config.normalize, "auto");
    assert_true(config.void_as_background);
    assert_int_equal(config.batch_size, 64); /* the reference project's metric depends on it */
    assert_true(config.rope_rescale == 1);
    ACCEPT("corrupt", "--lora_weights", "a.pt", "--recipe", "reference-2025-08");
    assert_true(config.void_as_background);
    assert_int_equal(config.batch_size, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(train_defaults_are_main_py_s),
        cmocka_unit_test(the_default_recipe),
        cmocka_unit_test(the_other_defaults),
        cmocka_unit_test(main_py_s_command_line),
        cmocka_unit_test(two_words_for_the_pyramid),
        cmocka_unit_test(main_py_s_command_line_of_october_2025),
        cmocka_unit_test(flags_of_the_optimiser),
        cmocka_unit_test(every_other_flag_of_train),
        cmocka_unit_test(the_other_commands),
        cmocka_unit_test(inputs_mix_with_flags),
        cmocka_unit_test(argparse_s_freedoms),
        cmocka_unit_test(recipe_sets_what_was_not_typed),
        cmocka_unit_test(recipe_of_an_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
