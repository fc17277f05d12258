#include "pca_video.h"

#include "dinoft/error.h"

#include <stdlib.h>

struct frames_job {
    struct pca_job *job;
    struct pca_drawing *drawing;
};

static int draw_frame(void *context, int64_t number, const struct df_image *frame, struct df_image *drawn)
{
    const struct frames_job *frames = context;
    struct pca_drawing *drawing = frames->drawing;
    const int status = frames->job->kind->draw(frames->job, number / frames->job->video->every,
                                               pca_needs_image(frames->job) ? frame : NULL, drawing);

    df_image_free(drawn);
    *drawn = drawing->picture;
    drawing->picture = (struct df_image){0};
    df_image_free(&drawing->indices);
    return status;
}

int pca_video_draw(struct pca_job *job)
{
    struct frames_job frames = {job, calloc(1, sizeof *frames.drawing)};

    if (!frames.drawing) {
        df_error_memory("a frame's picture", sizeof *frames.drawing);
        return 1;
    }
    const int status = video_frames_each(job->video, "pictures", true, false, draw_frame, &frames);
    free(frames.drawing);
    return status;
}
