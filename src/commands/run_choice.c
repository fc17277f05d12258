#include "run_choice.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether a run goes on; it cannot where none was stopped. */
static int find_state(const struct df_run_files *files, const struct df_config *config, bool *resumes)
{
    char *path = df_run_file(files, ".state");
    int status = path ? 0 : -1;

    *resumes = path && config->resume != DF_RESUME_NO && access(path, F_OK) == 0;
    if (path && config->resume == DF_RESUME_YES && !*resumes)
        status = df_error_set("there is nothing to resume: %s is not there (--resume auto begins a run then)",
                              path);
    free(path);
    return status;
}

static int lock_named(struct df_run_files *files, const struct df_config *config, const char *name)
{
    if (name[strlen(name) - 1] == '/')
        return df_error_set("--exp_name %s names a folder, not an experiment", name);
    return df_run_files_open(files, config->output_dir, name, DF_OTHER_RUN_ADVICE);
}

/* Files of an earlier run of the name are replaced if that was asked for. */
static int open_new(struct df_run_files *files, const struct df_config *config, const char *name)
{
    DF_TRY(lock_named(files, config, name));
    return config->overwrite ? 0 : df_run_files_check_new(files, true, DF_OVERWRITE_ADVICE);
}

int run_choice_known(struct df_run_files *files, const struct df_config *config, bool *resumes)
{
    *resumes = false;
    if (!config->exp_name || (config->resume != DF_RESUME_NO && !config->typed[DF_OPTION_EXP_NAME]))
        return 0;
    if (config->resume == DF_RESUME_NO)
        return open_new(files, config, config->exp_name);
    DF_TRY(lock_named(files, config, config->exp_name));
    DF_TRY(find_state(files, config, resumes));
    if (*resumes || config->overwrite)
        return 0;
    /* What was killed before its first checkpoint has left logs alone, and begins anew. */
    return df_run_files_check_new(files, false, DF_OVERWRITE_ADVICE);
}

/* DATASET_SIZE_DECODER, with a number where that is taken. */
static int open_unnamed(struct df_run_files *files, const struct df_config *config,
                        const struct df_setup *setup)
{
    char size[DF_VIT_SIZE_WORD];
    char *name = df_text_format("%s_%s_%s", df_dataset_kind_name(config->dataset),
                                df_vit_size_word(&setup->vit, size), df_typed_decoder(config));
    int status = -1;

    if (name)
        status = config->overwrite ? open_new(files, config, name)
                                   : df_run_files_choose(files, config->output_dir, name);
    free(name);
    return status;
}

int run_choice_open(struct df_run_files *files, const struct df_config *config, struct df_setup *setup,
                    struct df_dataset *const sets[2], const struct df_training_options *options,
                    bool *resumes)
{
    char *name = NULL;

    if (files->name)
        return 0;
    if (config->resume != DF_RESUME_NO) {
        const int found = df_training_find(options, setup, sets[0], sets[1], config->output_dir, &name);
        if (found == 1 && config->resume == DF_RESUME_YES)
            return df_error_advise(" (--exp_name names a run, --resume auto begins one)");
        if (found < 0)
            return -1;
        if (!name)
            df_log("%s: a new run begins", df_error_text());
    }
    if (name) {
        df_log("the newest run in %s with these settings is %s", config->output_dir, name);
        *resumes = true;
        const int status = lock_named(files, config, name);
        free(name);
        return status;
    }
    return config->exp_name ? open_new(files, config, config->exp_name) : open_unnamed(files, config, setup);
}

/* The checkpoint of an epoch that a run starts from is not one of those that it will write. */
static int check_kept(const struct df_run_files *files, const struct df_config *config,
                      const struct df_setup *setup)
{
    const char *start = config->lora_weights, *last = start ? strrchr(start, '_') : NULL;
    int64_t epoch;
    int end = 0;

    if (config->kept == 0 || !last || sscanf(last, "_e%9" SCNd64 ".pt%n", &epoch, &end) != 1 || end == 0 ||
        last[end] != '\0')
        return 0;
    char *path = df_run_file(files, last);
    const int status = path ? df_setup_check_output(setup, config, path) : -1;
    free(path);
    return status;
}

int run_choice_check(const struct df_run_files *files, const struct df_config *config,
                     const struct df_setup *setup)
{
    int status = check_kept(files, config, setup);

    for (int i = 0; status == 0 && df_run_endings[i]; i++) {
        char *path = df_run_file(files, df_run_endings[i]);
        if (!path)
            return -1;
        if (i == 0)
            status = df_check_other_file(path, setup->weights_path);
        else
            status = df_setup_check_output(setup, config, path);
        free(path);
    }
    return status;
}
