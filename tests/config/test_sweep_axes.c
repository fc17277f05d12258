/* dinoft sweep: from lists to the names and command lines of runs. */
#include "command_line.h"
#include "support/errors.h"

#include "dinoft/error.h"
#include "dinoft/sweep_axes.h"

#include <stdlib.h>

#define WORDS(...) ((const char *const[]){"sweep", __VA_ARGS__, NULL})

static const char *argv[PARSE_MAX_WORDS];

static void sweep(struct df_config *config, const char *const *words)
{
    if (parse_words(config, argv, words) != DF_PARSE_RUN)
        fail_msg("%s", df_error_text());
}

static void has_name(const struct df_config *config, int run, const char *expected)
{
    char *name = df_axes_run_name(config->axes, "x", run);

    assert_string_equal(name, expected);
    free(name);
}

static void all_combinations_the_last_list_fastest(void **state)
{
    static const char *const names[] = {"x_lr=1e-3_seed=0", "x_lr=1e-3_seed=1", "x_lr=1e-3_seed=2",
                                        "x_lr=2e-3_seed=0", "x_lr=2e-3_seed=1", "x_lr=2e-3_seed=2"};
    struct df_config config;

    (void)state;
    sweep(&config, WORDS("--lr", "1e-3,2e-3", "--epochs=3", "--see", "0,1,2"));
    assert_int_equal(df_axes_runs(config.axes), 6);
    for (int run = 0; run < 6; run++)
        has_name(&config, run, names[run]);
    df_config_free(&config);
}

static void a_flag_that_is_repeated_counts_last(void **state)
{
    struct df_config config;

    (void)state;
    sweep(&config, WORDS("--lr", "1e-3,2e-3", "--seed", "1,2", "--lr", "1,2,3"));
    assert_int_equal(df_axes_runs(config.axes), 6);
    has_name(&config, 1, "x_lr=1_seed=2");
    df_config_free(&config);
}

/* Each word is what the run is parsed of. */
static void command_lines(void **state)
{
    static const char *const expected[] = {
        "dinoft",     "train",     "--config=a,b", "--use_lora",     "--lora_targets=k", "--img_dim=252,490",
        "--no_debug", "--lr=1e-3", "--exp_name=n", "--output_dir=o", "--log_dir=l/n",    "--resume=auto",
        NULL};
    struct df_config config, run;

    (void)state;
    sweep(&config, WORDS("--config", "a,b", "--use_lora", "--lora_targets=q,v;k", "--img_dim", "252", "490",
                         "--no_debug", "--lr=1e-3", "--output_dir=o", "--log_dir=l"));
    char **words = df_axes_run_words(&config, 1, "n");
    assert_non_null(words);
    int count = 0;
    for (; words[count]; count++)
        assert_string_equal(words[count], expected[count]);
    assert_null(expected[count]);
    assert_int_equal(df_config_parse(count, words, &run), DF_PARSE_RUN);
    assert_int_equal(run.command, DF_COMMAND_TRAIN);
    assert_int_equal(run.img_dim[0], 252);
    assert_int_equal(run.img_dim[1], 490);
    assert_string_equal(run.lora_targets, "k");
    df_axes_words_free(words);
    df_config_free(&config);
}

/* What may hold commas itself has semicolons between its values. */
static void separators(void **state)
{
    static const struct {
        const char *flag, *text;
        int runs;
    } lists[] = {
        {"--lora_targets", "q,v", 1},           {"--lora_targets", "q,v; q,k,v ;proj", 3},
        {"--lora_blocks", "all;8,9", 2},        {"--img_dim", "252,490", 1},
        {"--img_dim", "252,252;490,490", 2},    {"--augment_scale", "0.5,2;0.7,1.4", 2},
        {"--class_weights", "none;a=2,b=3", 2}, {"--mask_values", "0,255", 1},
        {"--image_range", "0,255;auto", 2},     {"--bands", "4,3,2", 1},
        {"--keep_checkpoints", "none,2", 2},    {"--warmup_steps", "0%, 5%", 2},
        {"--weights", "a.pth,b/c.pth", 2},      {"--loss", "ce,ce+dice", 2},
        {"--use_lora=on,off", NULL, 2},         {"--use_lora=off", NULL, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct df_config config;
        sweep(&config, lists[i].text ? WORDS(lists[i].flag, lists[i].text) : WORDS(lists[i].flag));
        assert_int_equal(df_axes_runs(config.axes), lists[i].runs);
        df_config_free(&config);
    }
}

static void names_are_safe(void **state)
{
    struct df_config config;

    (void)state;
    sweep(&config, WORDS("--weights", "../w/a b.pth,/c/", "--lora_blocks", "last:2;8,9", "--loss",
                         "ce+dice,ce", "--img_dim", "70,70;252,490"));
    has_name(&config, 0, "x_weights=a-b.pth_lora_blocks=last-2_loss=ce+dice_img_dim=70,70");
    has_name(&config, 15, "x_weights=-c-_lora_blocks=8,9_loss=ce_img_dim=252,490");
    df_config_free(&config);
}

static void refuses(const char *flag, const char *text, const char *mention)
{
    struct df_config config;

    assert_int_equal(parse_words(&config, argv, text ? WORDS(flag, text) : WORDS(flag)), DF_PARSE_WRONG);
    assert_error_has(mention);
    df_config_free(&config);
}

static void wrong_lists(void **state)
{
    (void)state;
    refuses("--lr", "1e-3,x", "'x' is not a number");
    refuses("--lr", "1e-3;2e-3", "comma between");
    refuses("--lr", "1e-3,", "'' is not a number");
    refuses("--lr", "1e-3,0.001", "twice");
    refuses("--seed", "0,00", "twice");
    refuses("--img_dim", "252,252,490,490", "semicolon between");
    refuses("--lora_targets", "q;q", "twice");
    refuses("--weights", "a,,b", "empty");
    refuses("--augment", "flip,strange", "strange");
    refuses("--use_lora=yes", NULL, "on, off");
    refuses("--use_lora=on,on", NULL, "twice");
    refuses("--no_use_lora=on", NULL, "no value");
    refuses("--no_shuffle=on,off", NULL, "no value");
    refuses("--dry_run=on", NULL, "no value");
    refuses("--resume", "auto", "--resume belongs to train;");
    refuses("--overwrite", NULL, "--overwrite belongs to train, ");
}

static void too_many_runs(void **state)
{
    struct df_config config;

    (void)state;
    sweep(&config, WORDS("--lr", "1,2,3,4,5,6,7,8,9,10", "--epochs", "1,2,3,4,5,6,7,8,9,10", "--seed",
                         "1,2,3,4,5,6,7,8,9,10", "--r", "1,2"));
    assert_int_equal(df_axes_runs(config.axes), -1);
    df_config_free(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_combinations_the_last_list_fastest),
        cmocka_unit_test(a_flag_that_is_repeated_counts_last),
        cmocka_unit_test(command_lines),
        cmocka_unit_test(separators),
        cmocka_unit_test(names_are_safe),
        cmocka_unit_test(wrong_lists),
        cmocka_unit_test(too_many_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
