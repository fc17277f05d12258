#include "commands.h"
#include "predict_run.h"

#include "dinoft/atomic_write.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

static bool lacks_row(const void *context, const struct input *input)
{
    return !df_prediction_csv_has(context, input->path);
}

/* The list of images, and what is to be written of them, held against what is there. */
static int prepare_list(struct predict_job *job, const struct input_outputs *outputs)
{
    struct df_config *config = job->config;

    if (!config->json_lines) {
        DF_TRY(inputs_read(&job->inputs, config));
        DF_TRY(inputs_name(&job->inputs));
    }
    return inputs_check_outputs(&job->inputs, config, outputs);
}

/* What needs the model's files. */
static int prepare_model(struct predict_job *job, const struct input_outputs *outputs)
{
    struct df_config *config = job->config;
    struct predict_look *look = &job->look;

    DF_TRY(df_setup_open(&job->setup, config));
    DF_TRY(inputs_check_model(&job->inputs, config, &job->setup, outputs));
    DF_TRY(df_model_classes_of(job->setup.checkpoint, &look->classes));
    look->style = (struct df_overlay_style){
        .palette = look->classes.palette, .opacity = config->overlay_opacity, .outlines = config->outlines};
    look->style.palette.shows_image[DF_IGNORE_LABEL] = config->threshold == 0.0;
    return 0;
}

/* What --skip_existing leaves, and the rows that --summary has of the rest. */
static int leave_out_done(struct predict_job *job, const struct input_outputs *outputs)
{
    const struct df_config *config = job->config;
    const struct df_model_classes *classes = &job->look.classes;

    if (config->summary)
        DF_TRY(df_prediction_csv_open(&job->csv, classes->names, classes->count,
                                      config->skip_existing ? config->summary : NULL));
    if (!config->skip_existing || config->json_lines)
        return 0;
    return inputs_skip_done(&job->inputs, config, outputs, config->summary ? lacks_row : NULL, &job->csv);
}

/* The command's exit status. */
static int work(struct predict_job *job, const char *legend)
{
    const struct df_config *config = job->config;
    const int64_t images = config->json_lines ? INT64_MAX : (int64_t)job->inputs.count;

    if (inputs_make_folders(&job->inputs, config) != 0 ||
        (legend && predict_write_legend(&job->look, legend) != 0))
        return 1;
    if (images == 0)
        return 0;
    return predict_model_open(&job->model, &job->setup, config, images) == 0 ? predict_run(job) : 1;
}

static unsigned choose_needs(const struct df_config *config, const struct predict_writers *writers)
{
    const bool confidence = config->threshold > 0.0 || config->summary || config->json_lines;

    return predict_writers_need(writers) | (confidence ? PREDICT_NEEDS_CONFIDENCE : 0);
}

int command_predict(struct df_config *config)
{
    struct predict_job job = {.config = config, .look = {.config = config}};
    struct input_outputs outputs = {0};
    char *legend = config->legend ? df_text_format("%s/legend.png", config->output_dir) : NULL;
    int status = 1;

    if (predict_writers_choose(&job.writers, config) != 0) {
        status = 2;
        goto done;
    }
    outputs = (struct input_outputs){
        .endings = job.writers.endings, .n_endings = job.writers.count, .once = {legend, config->summary}};
    job.look.needs = choose_needs(config, &job.writers);
    if ((config->legend && !legend) || df_check_writable(config->output_dir) != 0 ||
        (config->summary && df_check_writable_file(config->summary) != 0))
        goto done;
    if (prepare_list(&job, &outputs) == 0 && prepare_model(&job, &outputs) == 0 &&
        leave_out_done(&job, &outputs) == 0)
        status = work(&job, legend);
done:
    predict_model_close(&job.model);
    df_prediction_csv_free(&job.csv);
    df_model_classes_free(&job.look.classes);
    inputs_free(&job.inputs);
    df_setup_close(&job.setup);
    free(legend);
    return status;
}
