#include "predict_video.h"

#include "commands.h"
#include "predict_model.h"
#include "video_frames.h"

#include "dinoft/error.h"

#include <stdlib.h>

struct video_job {
    struct df_setup setup;
    struct predict_look look;
    struct predict_model model;
    struct video_frames video;
    uint8_t *resized;        /* NULL: the model takes frames as they are */
    struct df_image classes; /* of the frame that was computed last */
};

static int compute(struct video_job *job, const struct df_image *frame)
{
    const struct df_inference_options *how = &job->model.how;
    const struct decoded decoded = {.image = *frame, .resized = job->resized};
    struct predicted predicted = {.height = frame->height, .width = frame->width};
    struct predicted *const results[] = {&predicted};
    int status = job->resized ? df_resize_linear(frame, job->resized, how->width, how->height) : 0;

    if (status == 0)
        status = predict_model_run(&job->model, &decoded, results, 1, job->look.needs);
    if (status == 0)
        status = predicted_complete(&predicted, &job->look);
    if (status == 0) {
        df_image_free(&job->classes);
        job->classes = predicted.classes;
        predicted.classes = (struct df_image){0};
    }
    predicted_free(&predicted);
    return status;
}

/* Frames between those that are computed keep the last classes, over their own pixels. */
static int draw_frame(void *context, int64_t number, const struct df_image *frame, struct df_image *drawn)
{
    struct video_job *job = context;

    if (number % job->video.every == 0)
        DF_TRY(compute(job, frame));
    df_image_free(drawn);
    return df_overlay_draw(frame, &job->classes, &job->look.style, drawn);
}

static int prepare(struct video_job *job, struct df_config *config)
{
    struct predict_look *look = &job->look;

    DF_TRY(video_frames_open(&job->video, config));
    DF_TRY(df_setup_open(&job->setup, config));
    DF_TRY(video_frames_check_model(config, &job->setup));
    DF_TRY(predict_look_open(look, config, job->setup.checkpoint));
    look->needs = config->threshold > 0.0 ? PREDICT_NEEDS_CONFIDENCE : 0;
    /* Frames come and go one by one. */
    config->batch_size = 1;
    DF_TRY(predict_model_open(&job->model, &job->setup, config, INT64_MAX));
    if (job->model.inference)
        return 0;
    const size_t bytes = (size_t)(job->model.how.height * job->model.how.width * 3);
    job->resized = malloc(bytes);
    return job->resized ? 0 : df_error_memory("a frame", bytes);
}

int predict_video(struct df_config *config)
{
    struct video_job job = {.look = {.config = config}};
    const int status = prepare(&job, config) == 0
                           ? video_frames_each(&job.video, "predict", true, false, draw_frame, &job)
                           : 1;

    predict_model_close(&job.model);
    df_model_classes_free(&job.look.classes);
    df_setup_close(&job.setup);
    df_image_free(&job.classes);
    free(job.resized);
    return status;
}
