/* Features of all images, and a picture of each image from them. */
#include "pca_video.h"

#include "commands.h"
#include "each_input.h"
#include "inputs.h"
#include "jobs.h"

#include "dinoft/atomic_write.h"
#include "dinoft/available.h"
#include "dinoft/backend.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <stdlib.h>

#define MIB 1048576.0

static int keep_features(struct pca_job *job, size_t memory)
{
    const char *folder = job->folder;
    size_t all;

    job->kept = df_record_store_open("features", job->images, memory, folder);
    if (!job->kept)
        return -1;
    DF_TRY(df_record_store_take(job->kept, 0, job->images, job->bytes));
    DF_TRY(df_record_store_reserve(job->kept));
    if (df_size_mul((size_t)job->images, job->bytes, &all) && all > memory)
        df_log("the features of all images take %.1f MiB, of memory there are %.1f to spare: "
               "they are kept in %s meanwhile",
               (double)all / MIB, (double)memory / MIB, folder);
    return 0;
}

static int prepare(struct pca_job *job)
{
    DF_TRY(image_features_open(&job->features, 1, false));
    job->images = job->video ? video_frames_computed(job->video) : job->config->n_inputs;
    job->grid_h = job->features.grid_h;
    job->grid_w = job->features.grid_w;
    job->patches = job->features.patches;
    job->all = job->images * job->patches;
    job->bytes = (size_t)(job->patches * job->features.setup.vit.dim) * sizeof(float);
    job->values = malloc(job->bytes);
    job->sizes = calloc((size_t)job->images, sizeof *job->sizes);
    if (!job->values || !job->sizes)
        return df_error_memory("an image's features", job->bytes);
    if (job->kind->open)
        DF_TRY(job->kind->open(job));
    return job->kind->keeps ? keep_features(job, df_available_memory() / 2) : 0;
}

static int extract_image(void *context, int i)
{
    struct pca_job *job = context;
    int64_t height, width;

    DF_TRY(
        image_features_run(&job->features, job->config->inputs[i], &job->config->reading, &height, &width));
    return pca_take_features(job, i, height, width);
}

static int write_drawing(const struct pca_job *job, int64_t number, const struct pca_drawing *drawing)
{
    const char *input = job->config->inputs[number];
    char *paths[2] = {NULL, NULL};
    int status = 0;

    for (int e = 0; e < job->kind->n_endings && status == 0; e++) {
        paths[e] = input_output_path(job->config, input, job->kind->endings[e]);
        status = paths[e] ? 0 : -1;
    }
    if (status == 0)
        status = df_png_write_rgb(paths[0], &drawing->picture);
    if (status == 0 && paths[1])
        status = df_png_write_palette(paths[1], &drawing->indices, drawing->palette);
    free(paths[0]);
    free(paths[1]);
    return status;
}

static int write_picture(void *context, int64_t number)
{
    const struct pca_job *job = context;
    const bool needs_image = pca_needs_image(job);
    struct df_image image = {0};
    struct pca_drawing *drawing = calloc(1, sizeof *drawing);
    int status = -1;

    if (!drawing)
        return df_error_memory("an image's picture", sizeof *drawing);
    if ((!needs_image || df_image_read(job->config->inputs[number], &job->config->reading, &image) == 0) &&
        job->kind->draw(job, number, needs_image ? &image : NULL, drawing) == 0)
        status = write_drawing(job, number, drawing);
    df_image_free(&image);
    df_image_free(&drawing->picture);
    df_image_free(&drawing->indices);
    free(drawing);
    return status;
}

static int picture_all(struct pca_job *job)
{
    int status = job->video ? pca_video_extract(job)
                            : each_input_in_order(job->config, "features", extract_image, job);

    if (status == 0)
        status = job->kind->find(job);
    if (status != 0)
        return status;
    image_features_release(&job->features);
    status = job->video ? pca_video_draw(job)
                        : jobs_run("pictures", job->images, job->features.setup.backend->threads,
                                   write_picture, job);
    if (status == 0 && job->kind->tell)
        job->kind->tell(job);
    return status;
}

static const struct pca_kind *choose_kind(const struct df_config *config)
{
    return config->typed[DF_OPTION_CLUSTERS]     ? &pca_clusters
           : config->typed[DF_OPTION_SIMILAR_TO] ? &pca_similarity
                                                 : &pca_components;
}

static int open_images(struct pca_job *job, struct df_config *config)
{
    const struct pca_kind *kind = job->kind;

    DF_TRY(inputs_check(config));
    DF_TRY(df_check_writable(config->output_dir));
    DF_TRY(inputs_check_outputs(config, kind->endings, kind->n_endings, NULL));
    DF_TRY(df_setup_open(&job->features.setup, config));
    DF_TRY(inputs_check_model(config, &job->features.setup, kind->endings, kind->n_endings));
    job->folder = df_text_copy(config->output_dir);
    return job->folder ? 0 : -1;
}

static int open_video(struct pca_job *job, struct video_frames *video, struct df_config *config)
{
    DF_TRY(video_frames_open(video, config, config->output));
    DF_TRY(df_setup_open(&job->features.setup, config));
    DF_TRY(df_setup_check_output(&job->features.setup, config, config->output));
    job->video = video;
    job->folder = df_path_folder(config->output);
    return job->folder ? 0 : -1;
}

/* The exit status. */
static int do_all(struct pca_job *job, struct video_frames *video, struct df_config *config)
{
    int status = config->video ? open_video(job, video, config) : open_images(job, config);

    if (status != 0)
        return 1;
    if (job->video && (status = video_frames_count(video)) != 0)
        return status;
    return prepare(job) == 0 ? picture_all(job) : 1;
}

int command_pca(struct df_config *config)
{
    struct pca_job job = {.config = config, .kind = choose_kind(config)};
    struct video_frames video;
    const int status = do_all(&job, &video, config);

    if (job.kind->close)
        job.kind->close(&job);
    pca_drop_features(&job);
    image_features_close(&job.features);
    free(job.folder);
    free(job.values);
    free(job.sizes);
    return status;
}
