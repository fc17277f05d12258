/* The command line: one table of options and one of commands, from which the parser, --help, the manual,
 * shells' completions, the recorded run configuration and docs/options.md are made. */
#ifndef DINOFT_CONFIG_H
#define DINOFT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define DF_MAX_SCALES     16
#define DF_MAX_SEVERITIES 5

enum df_command {
    DF_COMMAND_TRAIN,
    DF_COMMAND_EVAL,
    DF_COMMAND_CORRUPT,
    DF_COMMAND_CORRUPT_IMAGES,
    DF_COMMAND_PREDICT,
    DF_COMMAND_FEATURES,
    DF_COMMAND_PCA,
    DF_COMMAND_CONVERT,
    DF_COMMAND_INFO,
    DF_COMMAND_DEMO_DATA,
    DF_COMMAND_BENCH,
    DF_COMMAND_SELFTEST,
    DF_COMMAND_COUNT
};

/* Every option of the table, so that code can ask whether it was typed. */
enum df_option {
    DF_OPTION_EXP_NAME,
    DF_OPTION_DATASET,
    DF_OPTION_SIZE,
    DF_OPTION_DINO_TYPE,
    DF_OPTION_USE_LORA,
    DF_OPTION_R,
    DF_OPTION_USE_FPN,
    DF_OPTION_IMG_DIM,
    DF_OPTION_LORA_WEIGHTS,
    DF_OPTION_ALLOW_OTHER_BACKBONE,
    DF_OPTION_EPOCHS,
    DF_OPTION_LR,
    DF_OPTION_BATCH_SIZE,
    DF_OPTION_DEBUG,
    DF_OPTION_WEIGHTS,
    DF_OPTION_DATA_ROOT,
    DF_OPTION_N_CLASSES,
    DF_OPTION_CLASS_NAMES,
    DF_OPTION_MASK_VALUES,
    DF_OPTION_VOID_AS_BACKGROUND,
    DF_OPTION_NORMALIZE,
    DF_OPTION_RECIPE,
    DF_OPTION_RECOMPUTE,
    DF_OPTION_ROPE_RESCALE,
    DF_OPTION_CACHE_FEATURES,
    DF_OPTION_OUTPUT_DIR,
    DF_OPTION_DEVICE,
    DF_OPTION_PRECISION,
    DF_OPTION_THREADS,
    DF_OPTION_SEED,
    DF_OPTION_NO_SHUFFLE,
    DF_OPTION_NUM_WORKERS,
    DF_OPTION_MAX_STEPS,
    DF_OPTION_VAL_EVERY,
    DF_OPTION_EVAL_SIZE,
    DF_OPTION_RESIZE,
    DF_OPTION_SLIDE,
    DF_OPTION_TTA,
    DF_OPTION_SCALES,
    DF_OPTION_METRICS_JSON,
    DF_OPTION_IMAGES_CSV,
    DF_OPTION_CONFUSION_PNG,
    DF_OPTION_REPORT_HTML,
    DF_OPTION_SUITE,
    DF_OPTION_CORRUPTIONS,
    DF_OPTION_SEVERITY,
    DF_OPTION_FROST_DIR,
    DF_OPTION_RESTART,
    DF_OPTION_FOREGROUND,
    DF_OPTION_UPSAMPLE,
    DF_OPTION_SAVE_LOGITS,
    DF_OPTION_OUTPUT,
    DF_OPTION_LAYERS,
    DF_OPTION_NAMING,
    DF_OPTION_DTYPE,
    DF_OPTION_TRAIN_IMAGES,
    DF_OPTION_VAL_IMAGES,
    DF_OPTION_STEPS,
    DF_OPTION_JSON,
    DF_OPTION_COUNT
};

/* Values after parsing; strings point into argv or are literals. */
struct df_config {
    enum df_command command;
    bool typed[DF_OPTION_COUNT]; /* given on the command line, not a default */

    const char *exp_name, *dataset, *size, *dino_type;
    bool use_lora, use_fpn, debug;
    int64_t r, img_dim[2], epochs, batch_size;
    double lr;
    const char *lora_weights;
    bool allow_other_backbone;

    const char *weights, *data_root, *class_names, *normalize, *recipe;
    const char *mask_values; /* as typed, and good, or the checkpoint's (setup.h); NULL: neither */
    int64_t n_classes;
    bool void_as_background;
    bool recompute;             /* training: activations of a block are computed again rather than kept */
    double rope_rescale;        /* 1: none */
    const char *cache_features; /* "auto", "memory", "file" or "off" */

    const char *output_dir, *device, *precision;
    int64_t threads; /* 0: all cores */
    int64_t seed;
    int64_t num_workers; /* 0: one for each core, at most 8 */
    int64_t max_steps;   /* 0: no limit */
    int64_t val_every;
    bool no_shuffle;

    const char *eval_size, *resize; /* eval, corrupt: "network" | "original"; "stretch" | "short" */
    int64_t slide[2];               /* crop and stride of the sliding window; 0: none */
    bool tta;
    const char *scales; /* of tta, as typed */
    double scale_list[DF_MAX_SCALES];
    int n_scales;                                                        /* as read from scales */
    const char *metrics_json, *images_csv, *confusion_png, *report_html; /* eval */
    const char *suite, *corruptions; /* corrupt: "imagenet-c" | "reference"; names */
    const char *severity;            /* as typed */
    int severity_list[DF_MAX_SEVERITIES];
    int n_severities;                 /* as read from severity: ascending, without doubles */
    const char *frost_dir;            /* NULL: looked for where weights are (dinoft/weight_search.h) */
    bool restart;                     /* corrupt: keeps no finished cells */
    bool foreground, upsample;        /* pca */
    bool save_logits;                 /* predict */
    const char *output;               /* features: the file; demo-data uses data_root */
    int64_t layers;                   /* features: intermediate_i of the last n blocks, 0: none */
    const char *naming;               /* convert: "official" | "huggingface" */
    const char *dtype;                /* convert: "keep" | "fp32" | "fp16" | "bf16" */
    int64_t steps;                    /* bench: timed repetitions; selftest: of training */
    const char *json;                 /* bench: the file of figures */
    int64_t train_images, val_images; /* demo-data */

    /* Arguments without a flag, gathered in argv: images, or convert's IN OUT, or info's FILE. */
    char **inputs;
    int n_inputs;
};

enum df_parse_result { DF_PARSE_RUN, DF_PARSE_DONE, DF_PARSE_FACTS, DF_PARSE_WRONG };

/* Parses argv (argv[0] is the program; the words behind it are reordered) with argparse's rules:
 * "--flag value", "--flag=value", unambiguous prefixes, "--no_FLAG" for switches, '-' for '_' in names, "--"
 * before what is no flag; the last of a repeated flag counts. The command comes first, flags alone mean
 * "train", nothing at all prints the help.
 * DF_PARSE_DONE: help, a manual page or another text was printed to stdout, exit 0. DF_PARSE_FACTS: the
 * caller is to print what `--version --verbose` asks for, which this layer cannot know. DF_PARSE_WRONG: the
 * error is set (unknown flag with the nearest known one; ill-typed value with what was expected; a flag that
 * this command does not take, naming those that do; a required flag or inputs missing), exit 2. */
enum df_parse_result df_config_parse(int argc, char **argv, struct df_config *config);

/* Sets what --recipe implies for options that were not typed: reference = void_as_background and, in
 * training, rope_rescale 2. (--normalize auto is resolved where the checkpoint is known: dinoft/setup.h.)
 * Called by df_config_parse. */
void df_config_apply_recipe(struct df_config *config);

/* -1 with the error set where --n_classes or --class_names were typed and the data set has classes of its
 * own. Called by df_config_parse, except for a data set that is not typed and may be the checkpoint's. */
int df_config_check_dataset(const struct df_config *config);

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

/* Writes every option that the command takes with its value, and the program's version, as JSON,
 * atomically. */
int df_config_write_json(const char *path, const struct df_config *config);

#endif
