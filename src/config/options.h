/* The table of options and commands, and what is generic over it. Private to src/config. */
#ifndef DINOFT_CONFIG_OPTIONS_H
#define DINOFT_CONFIG_OPTIONS_H

#include "dinoft/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum df_option_kind {
    DF_KIND_STRING,  /* const char * */
    DF_KIND_CHOICE,  /* an enumeration: the index in `choices` */
    DF_KIND_INTEGER, /* int64_t */
    DF_KIND_FLOAT,   /* double */
    DF_KIND_SWITCH,  /* bool */
    DF_KIND_PAIR,    /* int64_t [2] */
    DF_KIND_RANGE    /* double [2]: the smaller first */
};

enum df_option_group {
    DF_GROUP_MODEL,
    DF_GROUP_DATA,
    DF_GROUP_RUN,
    DF_GROUP_OUTPUT,
    DF_GROUP_MACHINE,
    DF_GROUP_COUNT
};

#define DF_CHOICE_NUMBER_MAX 255

struct df_option_info {
    const char *name; /* without the dashes */
    const char *help;
    const char *metavar;        /* what --help calls the value; NULL for choices and switches */
    const char *initial;        /* the default as it would be typed; NULL: none, or off */
    const char *const *choices; /* ends with NULL; the last may end with ":N", any number from 0 to
                                   DF_CHOICE_NUMBER_MAX, and what is stored is its index plus that number */
    const char *bare;           /* choices: what the flag alone means; NULL: it needs a value */
    size_t offset;              /* of the value in struct df_config */
    enum df_option_kind kind;
    enum df_option_group group;
    unsigned commands;        /* bit 1 << command: the command takes it */
    unsigned required;        /* bit 1 << command: the command cannot do without it */
    unsigned from_checkpoint; /* bit 1 << command: the command reads it from the checkpoint instead */
    int64_t minimum,
        maximum;          /* integers and pairs, when typed; a default may lie outside to mean "not given" */
    double float_minimum; /* floats and ranges, so the next three */
    bool float_minimum_itself; /* the minimum is allowed too */
    double float_below;        /* what they must be less than; 0: nothing */
    double float_most;         /* the largest that is allowed; 0: any */
    bool of_one_run;           /* names a run or what may be done to its files: --config leaves it */
};

struct df_command_info {
    const char *name, *summary;
    const char *arguments; /* those without a flag, for the usage line: "IN OUT"; "" for none */
    int min_inputs, max_inputs;
    const char *const *input_choices; /* what an argument may be, ends with NULL; NULL: files */
    const char *description;          /* whole sentences, what the summary leaves out */
    const char *const *examples;      /* command lines, ends with NULL; at least one */
};

extern const struct df_option_info df_options[DF_OPTION_COUNT];
extern const struct df_command_info df_commands[DF_COMMAND_COUNT];

#define DF_PROGRAM_SUMMARY "fine-tune DINOv2 and DINOv3 vision transformers for semantic segmentation"
extern const char *const df_program_examples[]; /* from nothing to a trained model; ends with NULL */

static inline bool df_command_takes(enum df_command command, const struct df_option_info *option)
{
    return option->commands >> command & 1;
}

/* The heading of a group in --help. */
const char *df_group_title(enum df_option_group group);

/* Whether its value is two numbers. */
static inline bool df_option_is_two(const struct df_option_info *option)
{
    return option->kind == DF_KIND_PAIR || option->kind == DF_KIND_RANGE;
}

/* Whether "--no_NAME" turns the option off. */
bool df_option_negatable(const struct df_option_info *option);

#define DF_FLAG_MAX 64 /* longer words are no flag */

/* "--batch-size=4" -> "batch_size". False when the word is too long for any flag. */
bool df_flag_name(const char *word, char name[DF_FLAG_MAX]);

/* What a word names: an option, or with `negated` its "--no_" form. */
struct df_flag {
    const struct df_option_info *option;
    bool negated;
};

/* Finds the option of the command that `word` spells: its name with '-' or '_', an unambiguous beginning of
 * it, or for switches "--no_NAME"; "=VALUE" behind it is left aside. -1 with the error set. */
int df_find_flag(const char *word, enum df_command command, struct df_flag *flag);

/* Stores the value that `text` spells (switches: "on" or "off"), checked for type, choices and range. A pair
 * or a range is `text` and `second`, or "H,W" in text alone when second is NULL. -1 with the error naming the
 * flag. */
int df_option_set(const struct df_option_info *option, const char *text, const char *second,
                  struct df_config *config);

/* Whether the choice is one that ends with ":N". */
bool df_choice_is_numbered(const char *choice);

/* A stored choice as it would be typed, in the buffer where it has a number. */
#define DF_CHOICE_TEXT_MAX 64
const char *df_choice_spell(const struct df_option_info *option, int choice, char text[DF_CHOICE_TEXT_MAX]);

/* Finds the one of `choices`, which end with NULL, that equals text: *value is its index (and a number that
 * it may have, added). -1 with the error set, which begins with `subject`. */
int df_choose(const char *subject, const char *const *choices, const char *text, int *value);

/* Every option's default, nothing typed. */
void df_config_set_defaults(struct df_config *config);

/* Whether both have the same value of it. */
bool df_option_is_equal(const struct df_option_info *option, const struct df_config *a,
                        const struct df_config *b);

/* Where an option's value lies. */
static inline void *df_option_value(const struct df_option_info *option, struct df_config *config)
{
    return (char *)config + option->offset;
}

#define DF_LIST_TEXT_MAX 512

/* "a, b and c" (with `word` for "and") in text, of DF_LIST_TEXT_MAX bytes: call it once an item, with how
 * many were there before and whether it is the last. */
void df_list_append(char *text, const char *prefix, const char *item, int before, bool last,
                    const char *word);

/* The command that a word names exactly. -1 with the error set, with the nearest name if there is one. */
int df_find_command(const char *word, enum df_command *command);

/* "train, eval and predict": the commands of a mask. */
char *df_command_list(unsigned commands, char text[DF_LIST_TEXT_MAX]);

/* The usual warm-up is a number of steps: what is typed, or goes by epochs, has another or none. */
void settle_warmup(struct df_config *config);

/* Whether the size of a run's batches, as its settings have it, may be what df_config_settle_batch() chose.
 */
bool recipe_may_have_chosen_batch(const struct df_config *config);

/* Whether a rule of the program, such as the recipe, may choose the option's value where nobody types it, by
 * other settings or the data. */
bool recipe_may_choose(enum df_option option);

/* What --recipe implies for options that were not typed; --normalize auto is resolved where the checkpoint is
 * known (dinoft/model_options.h). */
void df_config_apply_recipe(struct df_config *config);

/* Check what flags of a training step say together; the latter those of its schedule, and reads warmup_steps.
 * -1 with the error naming the flags. */
int df_config_check_training(struct df_config *config);
int df_config_check_schedule(struct df_config *config);

/* Whether it asks for what training would read: train, and data, which looks at that. */
bool df_config_trains(const struct df_config *config);

/* Checks what flags of data say together. -1 with the error naming the flags. */
int df_config_check_look(const struct df_config *config);

/* The same of flags of pca, and of --video. */
int df_config_check_pca(const struct df_config *config);
int df_config_check_video(const struct df_config *config);

/* Takes over from the file that config->config names what was not typed, and keeps it as config->file. -1
 * with the error naming the file and the key. */
int df_config_read_file(struct df_config *config);

/* Whether a value that --config reads counts as typed even where it is the default, since a checkpoint would
 * say otherwise. */
bool df_option_overrules_checkpoint(enum df_option option);

/* Fills severity_list and scale_list from the texts that were typed. -1 with the error naming the flag. */
int df_config_read_lists(struct df_config *config);

#endif
