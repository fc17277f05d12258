/* The settings in a run's NAME_config.json, or one that people wrote. Private to src/config. */
#ifndef DINOFT_CONFIG_CONFIG_FILE_H
#define DINOFT_CONFIG_CONFIG_FILE_H

#include "options.h"

struct cJSON;

struct df_config_file {
    const char *path;        /* for errors */
    enum df_command command; /* whose settings it must hold */
    bool newer;              /* of a version after this one: it may have keys that are not known here */
    bool has[DF_OPTION_COUNT];
    bool tells; /* which values were typed for its run, and which a rule has chosen: */
    bool typed[DF_OPTION_COUNT];
    bool chosen[DF_OPTION_COUNT]; /* and that is still its value */
    struct df_config
        found; /* defaults, but where `has` says that the file has the option; texts are the tree's */
};

/* Reads the file's tree into `found`, where the defaults are already. Nothing in it is believed: -1 with the
 * error naming the file and the key. */
int df_config_file_read(struct df_config_file *file, const struct cJSON *tree);

/* Whether a value of the file goes with another one that what is typed replaces. typed: on the command line.
 * (config_replaced.c) */
bool config_is_replaced(const struct df_config_file *file, const bool *typed, const struct df_config *config,
                        enum df_option option);

#endif
