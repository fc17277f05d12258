/* Command lines that are wrong, as people type them, and what they are told. */
#include "command_line.h"

#include "dinoft/error.h"

#define MAX_WORDS 8

struct wrong {
    const char *words[MAX_WORDS];
    const char *error;
};

static void check(const struct wrong *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct df_config config;
        const char *argv[PARSE_MAX_WORDS];
        assert_int_equal(parse_words(&config, argv, cases[i].words), DF_PARSE_WRONG);
        assert_string_equal(df_error_text(), cases[i].error);
    }
}

#define CHECK(CASES) check(CASES, sizeof CASES / sizeof CASES[0])

static void values(void **state)
{
    static const struct wrong cases[] = {
        {{"--epochs", "ten"}, "--epochs: 'ten' is not a whole number"},
        {{"--epochs", "2.5"}, "--epochs: '2.5' is not a whole number"},
        {{"--epochs", " 2"}, "--epochs: ' 2' is not a whole number"},
        {{"--epochs="}, "--epochs: '' is not a whole number"},
        {{"--epochs", "0"}, "--epochs: 0 is too small: expected a whole number of at least 1"},
        {{"--r", "1025"}, "--r: 1025 is out of range: expected a whole number from 1 to 1024"},
        {{"--batch_size", "0"}, "--batch_size: 0 is out of range: expected a whole number from 1 to 65536"},
        {{"--seed", "-1"}, "--seed: -1 is too small: expected a whole number of at least 0"},
        {{"--seed", "9223372036854775808"},
         "--seed: 9223372036854775808 is out of range: expected a whole number from 0 to "
         "9223372036854775807"},
        {{"--lr", "fast"}, "--lr: 'fast' is not a number"},
        {{"--lr", "1e-3x"}, "--lr: '1e-3x' is not a number"},
        {{"--lr", "nan"}, "--lr: 'nan' is not a number"},
        {{"--lr", "0"}, "--lr: 0 is out of range: expected a number greater than 0"},
        {{"--lr", "-1e-3"}, "--lr: -1e-3 is out of range: expected a number greater than 0"},
        {{"--lr", "1e999"}, "--lr: 1e999 is out of range: expected a number greater than 0"},
        {{"--focal_gamma", "1"}, "--focal_gamma is for --loss focal"},
        {{"--loss", "focal", "--label_smoothing", "0.1"},
         "--label_smoothing is for cross-entropy, which --loss has not"},
        {{"--loss", "dice", "--class_weights", "auto"},
         "--class_weights is for losses of pixels; with --loss dice or lovasz classes count the same"},
        {{"--ohem_min_kept", "3"}, "--ohem_threshold and --ohem_min_kept are for --loss ohem"},
        {{"--loss", "dice", "--region_factor", "2"}, "--region_factor is for --loss ce+dice and ce+lovasz"},
        {{"--rope_rescale", "0.5"}, "--rope_rescale: 0.5 is out of range: expected a number of at least 1"},
        {{"--size", "larg"},
         "--size: 'larg' is not one of small, base, large, giant, small+, large+, huge+, huge or 7b: did you "
         "mean 'large'?"},
        {{"--device", "cuda:256"}, "--device: 'cuda:256' is not one of auto, cpu, cuda or cuda:N"},
        {{"--device", "cuda:"},
         "--device: 'cuda:' is not one of auto, cpu, cuda or cuda:N: did you mean 'cuda'?"},
        {{"--device", "cuda:1x"}, "--device: 'cuda:1x' is not one of auto, cpu, cuda or cuda:N"},
        {{"--recipe", "somethingelse"},
         "--recipe: 'somethingelse' is not one of default, reference or "
         "reference-2025-08"},
        {{"--exp_name", ""}, "--exp_name: the value is empty"},
        {{"--weight_decay", "-0.1"}, "--weight_decay: -0.1 is out of range: expected a number of at least 0"},
        {{"predict", "a.jpg", "--lora_weights", "a", "--overlay_opacity", "1.5"},
         "--overlay_opacity: 1.5 is out of range: expected a number of at most 1"},
        {{"eval", "--lora_weights", "a", "--overlay_opacity", "1"},
         "--overlay_opacity is for the pictures of --report_html, which was not given"},
        {{"--ema", "1"}, "--ema: 1 is out of range: expected a number less than 1"},
        {{"--lr_head", "0"}, "--lr_head: 0 is out of range: expected a number greater than 0"},
        {{"--schedule", "cosin"},
         "--schedule: 'cosin' is not one of constant, cosine, poly or onecycle: did you mean 'cosine'?"},
    };
    CHECK(cases);
}

static void warm_ups(void **state)
{
    static const char *const texts[] = {"x",   "-1", "1.5",        "5%%", "%",  "5 %",  "101%",
                                        "1e3", ".5", "2147483648", "",    "%5", "1.2.3"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct wrong wrong = {.words = {"--warmup_steps", texts[i]}};
        struct df_config config;
        const char *argv[PARSE_MAX_WORDS];
        assert_int_equal(parse_words(&config, argv, wrong.words), DF_PARSE_WRONG);
        assert_true(strncmp(df_error_text(), "--warmup_steps: ", 16) == 0);
    }
    static const struct wrong cases[] = {
        {{"--warmup_steps", "1.5"},
         "--warmup_steps: expected a whole number of steps, or a percentage of the run's such as 5%, found "
         "'1.5'"},
        {{"--warmup_steps", "5", "--warmup_epochs", "1"},
         "--warmup_steps and --warmup_epochs say the same: give one of them"},
        {{"--warmup_steps", "5", "--schedule", "onecycle"},
         "--warmup_steps is not for --schedule onecycle, which rises by itself"},
        {{"--warmup_epochs", "5", "--schedule", "onecycle"},
         "--warmup_epochs is not for --schedule onecycle, which rises by itself"},
        {{"--warmup_steps", "5", "--recipe", "reference"},
         "--warmup_steps counts steps, --recipe reference goes by epochs: --warmup_epochs"},
    };
    CHECK(cases);
}

/* What the number of images has no say in. */
static void warm_ups_that_leave_nothing(void **state)
{
#define RECIPE_S " (it is the recipe's: --warmup_epochs N changes it)"
#define NEITHER                                                                                              \
    "the schedule of the reference project takes neither a warm-up of 0 nor one that is exactly as long as " \
    "the run"
    static const struct wrong cases[] = {
        {{"--warmup_epochs", "5", "--epochs", "5"},
         "--warmup_epochs 5 with --epochs 5: no step is left after the warm-up"},
        {{"--warmup_epochs", "20", "--min_lr", "3e-5"},
         "--warmup_epochs 20 with --epochs 20: no step is left after the warm-up (main.py's 100 epochs are "
         "those of --recipe reference)"},
        {{"--warmup_steps", "100%"}, "--warmup_steps 100%: no step is left after the warm-up"},
        {{"--warmup_steps", "50", "--max_steps", "50"},
         "--warmup_steps 50 with --max_steps 50: no step is left after the warm-up"},
        {{"--recipe", "reference", "--schedule", "poly", "--epochs", "4"},
         "--warmup_epochs 20 with --epochs 4: no epoch is left after the warm-up" RECIPE_S},
        {{"--recipe", "reference-2025-08", "--warmup_epochs", "20"},
         "--warmup_epochs 20 with --epochs 20: no epoch is left after the warm-up"},
        {{"--recipe", "reference", "--epochs", "20"},
         "--warmup_epochs 20 with --epochs 20: " NEITHER RECIPE_S},
        {{"--recipe", "reference", "--warmup_epochs", "0"}, "--warmup_epochs 0 with --epochs 100: " NEITHER},
    };
    CHECK(cases);
}

static void what_has_no_effect(void **state)
{
    static const struct wrong cases[] = {
        {{"--min_lr", "1e-5", "--schedule", "constant"},
         "--min_lr is for --schedule cosine and poly, not constant"},
        {{"--min_lr", "0", "--schedule", "onecycle"},
         "--min_lr is for --schedule cosine and poly, not onecycle"},
        {{"--schedule", "cosine", "--min_lr", "1e-2"}, "--min_lr 0.01 is more than --lr 0.002"},
        {{"--schedule", "poly", "--min_lr", "1e-2"}, "--min_lr 0.01 is more than --lr 0.002"},
        {{"--lr_lora", "2"}, "--lr_lora is for LoRA, which is not trained here (--use_lora)"},
        {{"--lr_lora", "2", "--use_lora", "--no_use_lora"},
         "--lr_lora is for LoRA, which is not trained here (--use_lora)"},
        {{"--decoder", "multi", "--use_fpn"}, "--use_fpn contradicts --decoder multi"},
        {{"--no_use_fpn", "--decoder", "fpn"}, "--no_use_fpn contradicts --decoder fpn"},
        {{"--decoder_layers", "even"},
         "--decoder_layers even is for --decoder multi and mlp: linear reads the last blocks"},
        {{"--decoder_layers", "even", "--use_fpn", "--lora_weights", "a.pt"},
         "--decoder_layers even is for --decoder multi and mlp: fpn reads the last blocks"},
        {{"--decoder", "fpn", "--head_norm", "bn"},
         "--head_norm is for --decoder linear and multi: fpn has its own norms"},
        {{"--use_fpn", "--head_dropout", "0.1"},
         "--head_dropout is for --decoder linear and multi: fpn has its own norms"},
        {{"--decay_1d", "--weight_decay", "0"}, "--decay_1d is for a --weight_decay above 0"},
    };
    CHECK(cases);
}

static void parts_of_a_batch(void **state)
{
    static const struct wrong cases[] = {
        {{"--accumulate", "5"}, "--accumulate 5 does not divide --batch_size 12: 4 and 6 do"},
        {{"--accumulate", "7", "--batch_size", "64"},
         "--accumulate 7 does not divide --batch_size 64: 4 and 8 do"},
        {{"info", "a", "--accumulate", "9"}, "--accumulate 9 does not divide --batch_size 12: 6 and 12 do"},
        {{"--accumulate", "13"}, "--accumulate 13 is more than --batch_size 12"},
        {{"eval", "--lora_weights", "a", "--accumulate", "2"},
         "--accumulate belongs to train, sweep, info and bench; eval does not take it"},
    };
    CHECK(cases);
}

static void how_many_values(void **state)
{
    static const struct wrong cases[] = {
        {{"--size"}, "--size needs a value: --size small"},
        {{"--lr", "--debug"}, "--lr needs a value: --lr F"},
        {{"--img_dim"}, "--img_dim needs a value: --img_dim H W"},
        {{"--img_dim", "490", "--debug"},
         "--img_dim: expected two whole numbers, H W (such as 490,490), found '490'"},
        {{"--img_dim=490"}, "--img_dim: expected two whole numbers, H W (such as 490,490), found '490'"},
        {{"--img_dim", "490", "0"}, "--img_dim: 0 is out of range: expected a whole number from 1 to 32768"},
        {{"--img_dim", "1,2,3"}, "--img_dim: '2,3' is not a whole number"},
        {{"--augment_scale", "2", "--debug"},
         "--augment_scale: expected two numbers, MIN MAX (such as 0.5,2), found '2'"},
        {{"--augment_scale=0.5,x"}, "--augment_scale: 'x' is not a number"},
        {{"--augment_scale", "0", "1"},
         "--augment_scale: 0 is out of range: expected a number greater than 0"},
        {{"--augment_scale", "1", "17"},
         "--augment_scale: 17 is out of range: expected a number of at most 16"},
        {{"--augment_scale", "2", "1.5"},
         "--augment_scale: 2 is more than 1.5: expected the smaller number first"},
        {{"--augment", "flip", "--augment_scale", "1", "2"},
         "--augment_scale is for --augment standard and strong: otherwise nothing is scaled"},
        {{"--augment", "flip", "--crop_class_balance"},
         "--crop_class_balance is for --augment standard and strong"},
        {{"--use_lora=yes"}, "--use_lora is a switch: it takes no value (found 'yes')"},
        {{"--use_lora", "yes"}, "train takes flags only, which begin with --: found 'yes'"},
    };
    CHECK(cases);
}

static void flags(void **state)
{
    static const struct wrong cases[] = {
        {{"--epochss", "3"}, "unknown flag --epochss: did you mean --epochs?"},
        {{"--epochss=3"}, "unknown flag --epochss: did you mean --epochs?"},
        {{"-r", "3"}, "unknown flag -r: did you mean --r?"},
        {{"--hepl"}, "unknown flag --hepl: did you mean --help?"},
        {{"--frobnicate"}, "unknown flag --frobnicate: 'dinoft train --help' lists those of train"},
        {{"--=3"}, "unknown flag --=3"},
        {{"--use"}, "--use could be any of --use_lora, --use_fpn"},
        {{"--layers", "3"}, "--layers belongs to features; train does not take it"},
        {{"--metrics", "m"}, "--metrics_json belongs to eval; train does not take it"},
        {{"convert", "--size", "small", "a", "b"},
         "--size belongs to train, sweep, eval, corrupt, predict, features, pca, info, bench and selftest; "
         "convert "
         "does not take it"},
        {{"eval", "--use_fpn"},
         "--use_fpn belongs to train, sweep, info and bench; eval takes it from the checkpoint"},
        {{"predict", "--use_lora"},
         "--use_lora belongs to train, sweep, info and bench; predict takes it from the checkpoint"},
        {{"eval", "--r", "3"},
         "--r belongs to train, sweep, info and bench; eval takes it from the checkpoint"},
        {{"eval", "--epochs", "3"}, "--epochs belongs to train and sweep; eval does not take it"},
    };
    CHECK(cases);
}

static void a_very_long_flag(void **state)
{
    char word[5000];
    memset(word, 'x', sizeof word);
    memcpy(word, "--", 2);
    word[sizeof word - 1] = '\0';
    struct df_config config;
    const char *argv[PARSE_MAX_WORDS];
    assert_int_equal(PARSE(&config, argv, word), DF_PARSE_WRONG);
    assert_true(strncmp(df_error_text(), "unknown flag --xxx", 18) == 0);
    assert_int_equal(PARSE(&config, argv, "--epochs", word + 2), DF_PARSE_WRONG);
    assert_true(strncmp(df_error_text(), "--epochs: 'xxx", 14) == 0);
    assert_int_equal(PARSE(&config, argv, "--size", word + 2), DF_PARSE_WRONG);
    assert_int_equal(PARSE(&config, argv, word + 2), DF_PARSE_WRONG);
}

static void commands_and_inputs(void **state)
{
    static const struct wrong cases[] = {
        {{"trian"}, "unknown command 'trian': did you mean 'train'?"},
        {{"segmentation"},
         "unknown command 'segmentation': the commands are train, sweep, eval, corrupt, corrupt-images, "
         "predict, "
         "features, pca, convert, report, data, info, demo-data, bench and selftest"},
        {{"help", "evall"}, "unknown command 'evall': did you mean 'eval'?"},
        {{"train", "voc"}, "train takes flags only, which begin with --: found 'voc'"},
        {{"--size", "small", "eval"}, "'eval' must come first: dinoft eval ..."},
        {{"predict"}, "predict: too few arguments: expected 'dinoft predict IMAGE...'"},
        {{"convert", "a"}, "convert: too few arguments: expected 'dinoft convert IN OUT'"},
        {{"convert", "a", "b", "c"}, "convert takes IN OUT and no more: found 'c'"},
        {{"info", "a", "b"}, "info takes [FILE] and no more: found 'b'"},
        {{"bench", "loadr"},
         "bench: 'loadr' is not one of train, eval, ops or loader: did you mean 'loader'?"},
        {{"bench", "ops", "loader"}, "bench takes [MODE] and no more: found 'loader'"},
    };
    CHECK(cases);
}

static void what_is_asked_of_the_program(void **state)
{
    static const struct wrong cases[] = {
        {{"--completion"}, "--completion needs a value: --completion SHELL, which is bash, zsh or fish"},
        {{"--completion", "bahs"},
         "--completion: 'bahs' is not one of bash, zsh or fish: did you mean 'bash'?"},
        {{"--completion=zhs"}, "--completion: 'zhs' is not one of bash, zsh or fish"},
        {{"--completion", "powershell"}, "--completion: 'powershell' is not one of bash, zsh or fish"},
        {{"--completion=", "bash"}, "--completion= takes SHELL and no more: found 'bash'"},
        {{"--completion", "bash", "zsh"}, "--completion takes SHELL and no more: found 'zsh'"},
        {{"--help_man", "trian"}, "unknown command 'trian': did you mean 'train'?"},
        {{"--help-man=evall"}, "unknown command 'evall': did you mean 'eval'?"},
        {{"--help_man", "train", "eval"}, "--help_man takes [COMMAND] and no more: found 'eval'"},
        {{"help", "train", "eval"}, "help takes [COMMAND] and no more: found 'eval'"},
        {{"--help_markdown", "train"}, "--help_markdown takes nothing behind it: found 'train'"},
        {{"--version", "train"}, "--version takes nothing but --verbose: found 'train'"},
        {{"---version", "train"}, "--version takes nothing but --verbose: found 'train'"},
    };
    CHECK(cases);
}

static void what_belongs_together(void **state)
{
    static const struct wrong cases[] = {
        {{"--n_classes", "4"}, "--n_classes is for --dataset folder: ade20k has its own 150 classes"},
        {{"--dataset", "voc", "--class_names", "f"},
         "--class_names is for --dataset folder: voc has its own 21 classes"},
        {{"--dataset", "folder"},
         "--dataset folder needs --n_classes N (--class_names, --palette, --annotations and --mask_values "
         "tell it too)"},
        {{"--dataset", "folder", "--palette", "voc", "--mask_values", "0,1"},
         "--palette and --mask_values both say what is in the masks: one of them does"},
        {{"--dataset", "voc", "--palette", "voc"},
         "--palette is for --dataset folder: voc has its own 21 classes"},
        {{"--dataset", "voc", "--ignore_value", "0"},
         "--ignore_value is for --dataset folder: voc has its own 21 classes"},
        {{"--dataset", "folder", "--mask_values", "0,1", "--ignore_value", "2,1"},
         "--ignore_value: 1 is a class, or listed twice: '2,1'"},
        {{"--dataset", "folder", "--n_classes", "256"},
         "--n_classes: 256 is out of range: expected a whole number from 2 to 255"},
        {{"--dataset", "voc", "--mask_values", "0,1"},
         "--mask_values is for --dataset folder: voc has its own 21 classes"},
        {{"--dataset", "folder", "--n_classes", "2", "--mask_values", "0,1,2"},
         "--mask_values 0,1,2 has 3 values, --n_classes says 2"},
        {{"--dataset", "folder", "--n_classes=2", "--mask_values=0,65536"},
         "--mask_values: expected numbers from 0 to 65535 with commas between them, such as 0,255 or 1..19, "
         "colours #RRGGBB, or folders NAME/, found '0,65536'"},
        {{"eval", "--lora_weights=a", "--dataset", "folder", "--mask_values", "7,7"},
         "--mask_values: 7 is listed twice: '7,7'"},
        {{"eval"}, "eval needs --lora_weights FILE, or --prototypes"},
        {{"features", "a.jpg", "--output", "f.safetensors", "--allow_other_backbone"},
         "--allow_other_backbone is for the checkpoint of --lora_weights, which was not given"},
        {{"predict", "a.jpg"}, "predict needs --lora_weights FILE"},
        {{"features", "a.jpg"}, "features needs --output FILE"},
    };
    CHECK(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(warm_ups),
        cmocka_unit_test(warm_ups_that_leave_nothing),
        cmocka_unit_test(what_has_no_effect),
        cmocka_unit_test(parts_of_a_batch),
        cmocka_unit_test(how_many_values),
        cmocka_unit_test(flags),
        cmocka_unit_test(a_very_long_flag),
        cmocka_unit_test(commands_and_inputs),
        cmocka_unit_test(what_is_asked_of_the_program),
        cmocka_unit_test(what_belongs_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
