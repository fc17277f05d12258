/* Features of all images, and a picture of each image from them. */
#include "pca_video.h"

#include "commands.h"
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
    job->images = (int64_t)job->inputs.count;
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

static int extract_image(void *context, const struct decoded *image, size_t i, size_t done)
{
    struct pca_job *job = context;

    if (done == 0 && i > 0 && job->kind == &pca_similarity)
        return df_error_set("--similar_to means a place in the first image, %s, which could not be read",
                            job->inputs.items[0].path);
    DF_TRY(image_features_run(&job->features, image->resized));
    return pca_take_features(job, (int64_t)done, image->image.height, image->image.width);
}

/* Leaves the images that could be read. The exit status. */
static int extract_all(struct pca_job *job)
{
    const int status =
        job->video ? image_features_each_frame(&job->features, job->video, extract_image, job)
                   : image_features_each(&job->features, job->config, &job->inputs, extract_image, job);

    inputs_drop_failed(&job->inputs);
    job->images = (int64_t)job->inputs.count;
    job->all = job->images * job->patches;
    return status;
}

static int write_drawing(const struct pca_job *job, int64_t number, const struct pca_drawing *drawing)
{
    const struct input *input = &job->inputs.items[number];
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
    if ((!needs_image || df_image_read(job->inputs.items[number].path, &job->config->reading, &image) == 0) &&
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
    int status = extract_all(job);

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
    return status == 0 ? inputs_status(&job->inputs) : status;
}

static const struct pca_kind *choose_kind(const struct df_config *config)
{
    return config->typed[DF_OPTION_CLUSTERS]     ? &pca_clusters
           : config->typed[DF_OPTION_SIMILAR_TO] ? &pca_similarity
                                                 : &pca_components;
}

static int open_images(struct pca_job *job, struct df_config *config)
{
    const struct input_outputs outputs = {.endings = job->kind->endings, .n_endings = job->kind->n_endings};

    DF_TRY(inputs_read(&job->inputs, config));
    DF_TRY(inputs_name(&job->inputs));
    DF_TRY(df_check_writable(config->output_dir));
    DF_TRY(inputs_check_outputs(&job->inputs, config, &outputs));
    DF_TRY(df_setup_open(&job->features.setup, config));
    DF_TRY(inputs_check_model(&job->inputs, config, &job->features.setup, &outputs));
    DF_TRY(inputs_make_folders(&job->inputs, config));
    job->folder = df_text_copy(config->output_dir);
    return job->folder ? 0 : -1;
}

static int open_video(struct pca_job *job, struct video_frames *video, struct df_config *config)
{
    job->video = video;
    DF_TRY(video_frames_open(video, config));
    DF_TRY(df_setup_open(&job->features.setup, config));
    DF_TRY(video_frames_check_model(config, &job->features.setup));
    job->folder = df_path_folder(config->output);
    return job->folder ? 0 : -1;
}

/* The exit status. */
static int do_all(struct pca_job *job, struct video_frames *video, struct df_config *config)
{
    int status = config->video ? open_video(job, video, config) : open_images(job, config);

    if (status != 0)
        return 1;
    if (job->video && (status = video_frames_count(video, &job->inputs)) != 0)
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
    inputs_free(&job.inputs);
    free(job.folder);
    free(job.values);
    free(job.sizes);
    return status;
}
