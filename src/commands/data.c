/* Reads a data set once, and says what is in it and what is wrong with it. */
#include "commands.h"
#include "data_text.h"
#include "jobs.h"
#include "version.h"

#include "dinoft/atomic_write.h"
#include "dinoft/data_report.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/setup.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    const struct df_config *config;
    struct df_dataset *sets[DF_SURVEY_SETS]; /* training, validation; NULL: there is none */
    char *list_failure;                      /* why one could not be opened */
    struct df_data_survey survey;
    struct df_data_summary summary;
};

static int check_outputs(const struct df_config *config)
{
    const char *const paths[] = {config->json, config->report_html};
    const struct df_setup nothing = {0};

    for (int i = 0; i < 2; i++) {
        if (!paths[i])
            continue;
        DF_TRY(df_check_writable_file(paths[i]));
        DF_TRY(df_setup_check_output(&nothing, config, paths[i]));
    }
    if (config->json && config->report_html && strcmp(config->json, config->report_html) == 0)
        return df_error_set("two of the results would both be written to %s", config->json);
    return 0;
}

/* Of two sets the first one's is told. -1 when out of memory. */
static int note_failure(struct job *job)
{
    if (df_error_is_memory())
        return -1;
    if (!job->list_failure)
        job->list_failure = df_text_copy(df_error_text());
    return job->list_failure ? 0 : -1;
}

/* A set whose lists cannot be read keeps nobody from looking at the other one. */
static int open_sets(struct job *job)
{
    const struct df_config *config = job->config;

    job->sets[0] = df_setup_dataset(config, DF_SPLIT_TRAIN, NULL);
    if (!job->sets[0]) {
        DF_TRY(note_failure(job));
        job->sets[1] = df_setup_dataset(config, DF_SPLIT_VAL, NULL);
        return job->sets[1] ? 0 : note_failure(job);
    }
    return df_setup_validation_set(config, job->sets[0], &job->sets[1]) == 0 ? 0 : note_failure(job);
}

static int start_survey(struct job *job)
{
    const struct df_dataset *sets[DF_SURVEY_SETS];
    int count = 0;

    for (int i = 0; i < DF_SURVEY_SETS; i++) {
        if (job->sets[i])
            sets[count++] = job->sets[i];
    }
    return df_data_survey_init(&job->survey, sets, count);
}

/* The size that a model of the family would be given. */
static int choose_size(const struct df_config *config, struct df_loader_options *options)
{
    const char *name = df_hub_name_for(config->dino_type, DF_SMALL);
    struct df_vit_config vit;

    if (!name || df_vit_config_for_hub_name(name, &vit) != 0)
        return -1;
    if (config->img_dim[0] < vit.patch || config->img_dim[1] < vit.patch)
        return df_error_set("--img_dim %" PRId64 " %" PRId64 " is smaller than one patch of %" PRId64,
                            config->img_dim[0], config->img_dim[1], vit.patch);
    options->height = config->img_dim[0] - config->img_dim[0] % vit.patch;
    options->width = config->img_dim[1] - config->img_dim[1] % vit.patch;
    return 0;
}

static int write_report(const struct job *job)
{
    const struct df_config *config = job->config;
    struct df_loader_options shown = {.seed = (uint64_t)config->seed,
                                      .augment = df_setup_augmentation(config)};
    char title[256], made[MADE_TEXT], augment[DF_AUGMENT_TEXT_MAX], seen[256];
    struct df_fact facts[4] = {{"data set", df_choice_text(DF_OPTION_DATASET, (int)config->dataset)},
                               {"folder", config->data_root},
                               {"made", made_text(made)}};
    struct df_data_report report = {.title = title,
                                    .facts = facts,
                                    .n_facts = 3,
                                    .summary = &job->summary,
                                    .seed = (uint64_t)config->seed,
                                    .opacity = config->overlay_opacity};

    snprintf(title, sizeof title, "The data in %s", config->data_root);
    if (config->show_augmented) {
        DF_TRY(choose_size(config, &shown));
        df_augment_text(&shown.augment, augment);
        snprintf(seen, sizeof seen, "%" PRId64 " x %" PRId64 ", augment %s, seed %" PRId64, shown.height,
                 shown.width, augment, config->seed);
        facts[report.n_facts++] = (struct df_fact){"as training sees them", seen};
        report.shown = &shown;
    }
    return df_data_report_write(config->report_html, &report);
}

static int tell(const struct job *job)
{
    const struct df_data_summary *summary = &job->summary;
    const struct df_config *config = job->config;

    data_text_print(summary);
    for (size_t i = 0; i < summary->n_warnings; i++)
        df_log("warning: %s", summary->warnings[i]);
    if (config->json)
        DF_TRY(df_data_json_write(config->json, summary));
    if (config->report_html)
        DF_TRY(write_report(job));
    return summary->failure ? df_error_set("%s", summary->failure) : 0;
}

/* The exit status. */
static int look(struct job *job)
{
    if (check_outputs(job->config) != 0 || open_sets(job) != 0 || start_survey(job) != 0)
        return 1;
    const int64_t pairs = df_data_survey_pairs(&job->survey);
    const int status = jobs_run("pairs", pairs, job->config->num_workers, df_data_survey_read, &job->survey);
    if (status != 0)
        return status;
    df_data_survey_end(&job->survey);
    const struct df_dataset *const sets[DF_SURVEY_SETS] = {job->sets[0], job->sets[1]};
    if (df_data_summary_make(&job->summary, &job->survey, sets, job->list_failure) != 0)
        return 1;
    return tell(job) == 0 ? 0 : 1;
}

int command_data(struct df_config *config)
{
    struct job job = {.config = config};
    const int status = look(&job);

    df_data_summary_free(&job.summary);
    df_data_survey_free(&job.survey);
    for (int i = 0; i < DF_SURVEY_SETS; i++)
        df_dataset_free(job.sets[i]);
    free(job.list_failure);
    return status;
}
