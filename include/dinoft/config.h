/* The command line: one table of options and one of commands, from which the parser, --help, the manual,
 * shells' completions, the recorded run configuration and docs/options.md are made. */
#ifndef DINOFT_CONFIG_H
#define DINOFT_CONFIG_H

#include "dinoft/augment.h"
#include "dinoft/backend.h"
#include "dinoft/best_metric.h"
#include "dinoft/choice.h"
#include "dinoft/corruption.h"
#include "dinoft/dataset.h"
#include "dinoft/decoder_kind.h"
#include "dinoft/feature_cache.h"
#include "dinoft/schedule.h"
#include "dinoft/training_loss.h"
#include "dinoft/vit_config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define DF_MAX_SCALES     16
#define DF_MAX_SEVERITIES 5

/* Where another run writes the same files (dinoft/run_lock.h), or has written them (dinoft/run_files.h). */
#define DF_OTHER_RUN_ADVICE ": give --exp_name or --output_dir another"
#define DF_OVERWRITE_ADVICE                                                                                  \
    ": --resume goes on with it, --overwrite replaces its files, --exp_name gives this run others"
/* Where frost's photographs cannot be opened (dinoft/corruption.h). */
#define DF_FROST_ADVICE "; --frost_dir DIR names their folder"

enum df_command {
    DF_COMMAND_TRAIN,
    DF_COMMAND_SWEEP,
    DF_COMMAND_EVAL,
    DF_COMMAND_CORRUPT,
    DF_COMMAND_CORRUPT_IMAGES,
    DF_COMMAND_PREDICT,
    DF_COMMAND_FEATURES,
    DF_COMMAND_PCA,
    DF_COMMAND_CONVERT,
    DF_COMMAND_REPORT,
    DF_COMMAND_DATA,
    DF_COMMAND_INFO,
    DF_COMMAND_DEMO_DATA,
    DF_COMMAND_BENCH,
    DF_COMMAND_SELFTEST,
    DF_COMMAND_COUNT
};

/* What can be chosen, where no other header has it. */
#define DF_NORMALIZE_AUTO "auto" /* of --normalize; other texts are df_normalize_parse()'s */
#define DF_RECIPES(X)                                                                                        \
    X(DF_RECIPE_DEFAULT, "default")                                                                          \
    X(DF_RECIPE_REFERENCE, "reference") X(DF_RECIPE_REFERENCE_2025_08, "reference-2025-08")
#define DF_RESUMES(X)    X(DF_RESUME_NO, "no") X(DF_RESUME_YES, "yes") X(DF_RESUME_AUTO, "auto")
#define DF_EVAL_SIZES(X) X(DF_EVAL_NETWORK, "network") X(DF_EVAL_ORIGINAL, "original")
#define DF_RESIZES(X)    X(DF_RESIZE_STRETCH, "stretch") X(DF_RESIZE_SHORT, "short") X(DF_RESIZE_NONE, "none")
#define DF_NAMINGS(X)    X(DF_NAMING_OFFICIAL, "official") X(DF_NAMING_HUGGINGFACE, "huggingface")
#define DF_STORED_TYPES(X)                                                                                   \
    X(DF_STORED_KEEP, "keep") X(DF_STORED_FP32, "fp32") X(DF_STORED_FP16, "fp16") X(DF_STORED_BF16, "bf16")

#define DF_CLUSTER_BYS(X) X(DF_CLUSTER_BY_COSINE, "cosine") X(DF_CLUSTER_BY_EUCLIDEAN, "euclidean")

#define DF_BENCH_MODES(X)                                                                                    \
    X(DF_BENCH_TRAIN, "train") X(DF_BENCH_EVAL, "eval") X(DF_BENCH_OPS, "ops") X(DF_BENCH_LOADER, "loader")

enum df_recipe { DF_RECIPES(DF_CHOICE_ID) };
enum df_resume { DF_RESUMES(DF_CHOICE_ID) };
enum df_eval_size { DF_EVAL_SIZES(DF_CHOICE_ID) };
enum df_resize { DF_RESIZES(DF_CHOICE_ID) };
enum df_naming { DF_NAMINGS(DF_CHOICE_ID) };
enum df_stored_type { DF_STORED_TYPES(DF_CHOICE_ID) };
enum df_cluster_by { DF_CLUSTER_BYS(DF_CHOICE_ID) };
enum df_bench_mode { DF_BENCH_MODES(DF_CHOICE_ID) };

/* Every option, so that code can ask whether it was typed. */
enum df_option {
#define OPTION(KIND, ID, ...) DF_OPTION_##ID,
#include "dinoft/option_list.h"
#undef OPTION
    DF_OPTION_COUNT
};

#define DF_FIELD_SWITCH(FIELD, ...)       bool FIELD;
#define DF_FIELD_STRING(FIELD, ...)       const char *FIELD;
#define DF_FIELD_CHOICE(FIELD, TYPE, ...) enum TYPE FIELD;
#define DF_FIELD_INTEGER(FIELD, ...)      int64_t FIELD;
#define DF_FIELD_FLOAT(FIELD, ...)        double FIELD;
#define DF_FIELD_PAIR(FIELD, ...)         int64_t FIELD[2];
#define DF_FIELD_RANGE(FIELD, ...)        double FIELD[2];

/* Values after parsing and completing; strings point into argv or the file of --config, are literals or,
 * after df_setup_open(), the checkpoint's. Numbers are 0, strings NULL, where nothing is typed and there is
 * no default. */
struct df_config {
    enum df_command command;
    bool typed[DF_OPTION_COUNT]; /* given on the command line or by --config, not a default */

#define OPTION(KIND, ID, FIELD, GROUP, COMMANDS, HELP, ...) DF_FIELD_##KIND(FIELD, __VA_ARGS__)
#include "dinoft/option_list.h"
#undef OPTION

    struct df_split_record trained_split;  /* the checkpoint's, after df_setup_open(); else empty */
    struct df_known_classes known_classes; /* the checkpoint's, after df_setup_open(); else empty */

    double scale_list[DF_MAX_SCALES]; /* as read from scales */
    struct df_image_reading reading;  /* as read from image_range and bands */
    int n_scales;
    double warmup; /* as read from warmup_steps: a number of steps, or per cent of them */
    bool warmup_is_share;
    int64_t kept;                         /* as read from keep_checkpoints; INT64_MAX: all */
    int severity_list[DF_MAX_SEVERITIES]; /* as read from severity: ascending, without doubles */
    int n_severities;

    /* Arguments without a flag, gathered in argv: images, or convert's IN OUT, or info's FILE. */
    char **inputs;
    int n_inputs;
    enum df_bench_mode bench_mode; /* bench: the argument */

    struct df_axes *axes; /* sweep: what is typed of train's flags (dinoft/sweep_axes.h), whose values here
                             are the defaults; NULL: nothing */

    struct cJSON *file;  /* that --config named; strings may be its. NULL: none */
    char **command_line; /* every word as it was typed, ends with NULL; who parses sets it afterwards */
};

enum df_parse_result { DF_PARSE_RUN, DF_PARSE_DONE, DF_PARSE_FACTS, DF_PARSE_WRONG };

/* Reads the words of argv (argv[0] is the program; the words behind it are reordered) with argparse's rules:
 * "--flag value", "--flag=value", unambiguous prefixes, "--no_FLAG" for switches, '-' for '_' in names, "--"
 * before what is no flag; the last of a repeated flag counts. The command comes first, flags alone mean
 * "train", nothing at all prints the help.
 * DF_PARSE_RUN: nothing is known yet but what was typed, and df_config_complete() goes on. DF_PARSE_DONE:
 * help, a manual page or another text was printed to stdout, exit 0. DF_PARSE_FACTS: the caller is to print
 * what `--version --verbose` asks for, which this layer cannot know. DF_PARSE_WRONG: the error is set
 * (unknown flag with the nearest known one; ill-typed value with what was expected; a flag that this command
 * does not take, naming those that do), exit 2. */
enum df_parse_result df_config_parse(int argc, char **argv, struct df_config *config);

/* What --config and --recipe say where nothing was typed, and what no flag can tell alone; of a sweep
 * nothing, since each of its runs is a command line of its own. Lines may be logged. -1 with the error set (a
 * required flag or inputs missing, flags that contradict each other, ...): exit 2. */
int df_config_complete(struct df_config *config);

/* -1 with the error set where a run's NAME_config.json has another value of one of the options, which the
 * error names, or cannot be read. */
int df_config_compare_file(const char *path, const struct df_config *config, const enum df_option *options,
                           size_t count);

/* What --config has read, and the lists of a sweep; after every df_config_parse(), however it and what
 * followed ended. */
void df_config_free(struct df_config *config);

/* -1 with the error set where --n_classes or others that say what a folder's masks hold were typed and the
 * data set has classes of its own. Called by df_config_parse, except for a data set that is not typed and may
 * be the checkpoint's. */
int df_config_check_dataset(const struct df_config *config);

/* -1 with the error set where nothing tells what the classes of --dataset folder are. */
int df_config_check_classes(const struct df_config *config);

/* What the default recipe has for the backbone and the decoder that were chosen, where nothing is typed: no
 * augmentation with a frozen backbone whose features may be kept, and no factor of the learning rate for
 * decoders that begin with other layers than a convolution behind BatchNorm. Called by df_config_complete,
 * except for a checkpoint that may hold LoRA. */
void df_config_settle_recipe(struct df_config *config);

/* Whether the size of training's batches is left to the default recipe: neither it nor --accumulate nor
 * --max_steps is typed. */
bool df_config_batch_is_open(const struct df_config *config);

/* What the default recipe has for so many training images, where it is left to it and LoRA is trained:
 * batches of 12, or of 8, 6 or 4 where the run would have less than 1000 steps, and a learning rate that goes
 * with them. After df_config_apply_recipe(), once. */
void df_config_settle_batch(struct df_config *config, int64_t images);

/* -1 with the error set where the decoder has no use for what is said of it. Called by df_config_complete,
 * except for a decoder that is not typed and may be the checkpoint's. */
int df_config_check_decoder(const struct df_config *config);

/* Whether it repeats the reference project, of whichever time. */
bool df_recipe_is_reference(enum df_recipe recipe);

/* The name of an option, without the dashes. */
const char *df_option_name(enum df_option option);

/* The first of the options that was typed; DF_OPTION_COUNT if none was. */
enum df_option df_config_typed(const struct df_config *config, const enum df_option *options, size_t count);
/* The same of those that are for LoRA which is trained. */
enum df_option df_config_typed_of_lora(const struct df_config *config);

/* A choice as it would be typed: df_choice_text(DF_OPTION_DATASET, config->dataset) is "voc". */
const char *df_choice_text(enum df_option option, int choice);

/* All choices of an option, "voc, ade20k or folder". Returns the buffer. */
#define DF_CHOICE_WORDS 512
char *df_choice_words(enum df_option option, char text[DF_CHOICE_WORDS]);

/* The name of a command: "train", "demo-data". */
const char *df_command_name(enum df_command command);

/* --help of one command, or of the program (command = DF_COMMAND_COUNT), with the defaults. */
void df_config_print_help(FILE *stream, enum df_command command);

/* The tables of docs/options.md: `dinoft --help_markdown`. */
void df_config_print_markdown(FILE *stream);

/* The manual page of a command, or of the program (command = DF_COMMAND_COUNT), in roff with the macros of
 * man(7): `dinoft --help_man`. */
void df_config_print_manual(FILE *stream, enum df_command command);

/* A script for "bash", "zsh" or "fish" that makes it complete dinoft's command lines: `dinoft --completion`.
 */
void df_config_print_completion(FILE *stream, const char *shell);

/* Opens an object (dinoft/json_writer.h) with the program's version, the command and every option that it
 * takes with its value, which --config reads again. The caller may add what else is known, as an object named
 * DF_CONFIG_FACTS, of which --config reads what df_config_add_origins() adds; and closes it. */
#define DF_CONFIG_FACTS "facts"
struct df_json;
void df_config_to_json(struct df_json *json, const struct df_config *config);

/* Adds to the facts the names of what was typed, and the values that rules, such as the recipe's, have chosen
 * for others: --config repeats the former, and has the latter chosen anew unless the file's settings say
 * another value by now. */
#define DF_CONFIG_TYPED  "typed"
#define DF_CONFIG_CHOSEN "chosen"
void df_config_add_origins(struct df_json *json, const struct df_config *config);

/* --print_config: the same object, without what a checkpoint may say otherwise and nobody has typed. -1 with
 * the error set. */
int df_config_print(FILE *stream, const struct df_config *config);

/* The same object with the defaults of a command's options, as text to be freed. NULL with the error set. */
char *df_config_defaults(enum df_command command);

#endif
