#include "predict_large.h"

#include "interrupt.h"

#include "dinoft/image_windows.h"
#include "dinoft/log.h"
#include "dinoft/progress.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PICTURE_MOST 4096 /* pixels of a picture's longer side */

struct work {
    const struct predict_look *look;
    const struct predict_writers *writers;
    struct predicted *predicted;
    struct df_image_windows *windows;
    struct df_tiff_writer *files[PREDICT_WRITERS]; /* of writers->items; NULL: it is no TIFF */
    double confidence;                             /* the sum of all pixels' */
    bool readable;
    bool draws;               /* a picture is wanted */
    int64_t every;            /* pixel of a row and a column that it shows */
    struct predicted picture; /* its pixels and classes */
    uint8_t *pixels;          /* [block's height, width, 3], for it */
    struct df_progress *progress;
    int64_t blocks;
};

static int read_window(void *context, const struct df_image_part *part, uint8_t *pixels)
{
    struct work *work = context;

    if (df_image_windows_read(work->windows, part, pixels) == 0)
        return 0;
    work->readable = false;
    return -1;
}

static int open_picture(struct work *work)
{
    const struct predicted *predicted = work->predicted;
    struct predicted *picture = &work->picture;

    work->every = (df_max_i64(predicted->width, predicted->height) - 1) / PICTURE_MOST + 1;
    picture->input = predicted->input;
    picture->width = (predicted->width - 1) / work->every + 1;
    picture->height = (predicted->height - 1) / work->every + 1;
    work->pixels = malloc((size_t)PREDICT_BLOCK * PREDICT_BLOCK * 3);
    if (!work->pixels)
        return df_error_memory("a part of an image", (size_t)PREDICT_BLOCK * PREDICT_BLOCK * 3);
    DF_TRY(df_image_alloc(&picture->image, picture->width, picture->height, 3));
    return df_image_alloc(&picture->classes, picture->width, picture->height, 1);
}

/* All that is written, but pictures, which come at the end. */
static int open_files(struct work *work)
{
    const struct predicted *predicted = work->predicted;
    const struct predict_writers *writers = work->writers;
    struct df_geo_tags *geo = df_geo_tags_read(predicted->input->path);
    int status = geo ? 0 : -1;

    for (int i = 0; i < writers->count && status == 0; i++) {
        const struct predict_writer *item = writers->items[i];
        char *path = predict_writers_path(writers, work->look->config, predicted->input, i);
        if (path && item->raster)
            work->files[i] =
                predict_raster_open(item, work->look, predicted->height, predicted->width, geo, path);
        else if (path && !item->is_picture)
            df_log("%s is left out: the image is too large for it", path);
        work->draws = work->draws || item->is_picture;
        status = path && (!item->raster || work->files[i]) ? 0 : -1;
        free(path);
    }
    df_geo_tags_free(geo);
    return status == 0 && work->draws ? open_picture(work) : status;
}

static void draw_block(struct work *work, const struct df_image_part *part, const struct df_image *classes)
{
    struct predicted *picture = &work->picture;
    const int64_t every = work->every;

    for (int64_t y = (part->y + every - 1) / every; y * every < part->y + part->height; y++) {
        for (int64_t x = (part->x + every - 1) / every; x * every < part->x + part->width; x++) {
            const int64_t from = (y * every - part->y) * part->width + x * every - part->x;
            const int64_t to = y * picture->width + x;
            memcpy(picture->image.pixels + 3 * to, work->pixels + 3 * from, 3);
            picture->classes.pixels[to] = classes->pixels[from];
        }
    }
}

static int put_block(struct work *work, const struct df_image_part *part, const struct predicted *block)
{
    for (int i = 0; i < work->writers->count; i++) {
        if (work->files[i])
            DF_TRY(work->writers->items[i]->raster->put(work->files[i], block, part));
    }
    if (!work->draws)
        return 0;
    DF_TRY(read_window(work, part, work->pixels));
    draw_block(work, part, &block->classes);
    return 0;
}

static void count_block(struct work *work, const struct predicted *block)
{
    for (int i = 0; i < 256; i++)
        work->predicted->pixels[i] += block->pixels[i];
    work->confidence += block->mean_confidence * (double)(block->width * block->height);
    df_progress_update(work->progress, ++work->blocks, 0, NAN);
}

static int take_block(void *context, const struct df_block *found)
{
    struct work *work = context;
    const struct df_image_part *part = &found->part;
    struct predicted block = {.input = work->predicted->input,
                              .width = part->width,
                              .height = part->height,
                              .probabilities = found->probabilities};
    const size_t pixels = (size_t)(part->width * part->height);
    int status = -1;

    if (*interrupt_flag())
        return 1;
    DF_TRY(df_image_alloc(&block.classes, part->width, part->height, 1));
    memcpy(block.classes.pixels, found->classes, pixels);
    if (found->confidence && (block.chosen = malloc(pixels * sizeof *block.chosen)))
        memcpy(block.chosen, found->confidence, pixels * sizeof *block.chosen);
    if (found->confidence && !block.chosen)
        df_error_memory("a block's confidence", pixels * sizeof *block.chosen);
    else if (predicted_complete(&block, work->look) == 0 && put_block(work, part, &block) == 0) {
        count_block(work, &block);
        status = 0;
    }
    block.probabilities.values = NULL; /* they are borrowed */
    predicted_free(&block);
    return status;
}

static int write_pictures(struct work *work)
{
    int status = 0;

    for (int i = 0; i < work->writers->count && status == 0; i++) {
        if (!work->writers->items[i]->is_picture)
            continue;
        char *path = predict_writers_path(work->writers, work->look->config, work->predicted->input, i);
        status = path ? work->writers->items[i]->write(work->look, &work->picture, path) : -1;
        if (status == 0 && work->every > 1)
            df_log("%s shows one of %d pixels in a row", path, (int)work->every);
        free(path);
    }
    return status;
}

static int commit_files(struct work *work)
{
    for (int i = 0; i < work->writers->count; i++) {
        struct df_tiff_writer *file = work->files[i];
        work->files[i] = NULL;
        if (file)
            DF_TRY(df_tiff_writer_commit(file));
    }
    return 0;
}

static int predict_all(struct work *work, struct predict_model *model)
{
    const struct predicted *predicted = work->predicted;
    const struct df_pixel_source source = {work, predicted->width, predicted->height, read_window};
    const int64_t blocks =
        ((predicted->width - 1) / PREDICT_BLOCK + 1) * ((predicted->height - 1) / PREDICT_BLOCK + 1);

    work->progress = df_progress_open(stderr, "blocks", blocks);
    const int status =
        predict_model_run_blocks(model, predicted->input->path, &source, work->look->needs, take_block, work);
    df_progress_close(work->progress);
    return status;
}

/* Rows that windows and blocks meet together. */
static int64_t rows_in_use(const struct predict_model *model)
{
    return 2 * df_max_i64(model->how.crop, df_min_i64(model->how.height, model->how.width)) + PREDICT_BLOCK;
}

static void close_work(struct work *work)
{
    for (int i = 0; i < work->writers->count; i++)
        df_tiff_writer_abort(work->files[i]);
    df_image_windows_close(work->windows);
    predicted_free(&work->picture);
    free(work->pixels);
}

int predict_large(struct predict_model *model, const struct predict_look *look,
                  const struct predict_writers *writers, struct predicted *predicted, bool *readable)
{
    struct work work = {.look = look, .writers = writers, .predicted = predicted, .readable = true};
    const char *path = predicted->input->path;
    const char *warning;
    int status = -1;

    work.windows = df_image_windows_open(path, &look->config->reading, rows_in_use(model));
    if (!work.windows || predict_model_check_blocks(model, predicted->height, predicted->width) != 0) {
        work.readable = false;
        goto done;
    }
    if ((warning = df_image_windows_warning(work.windows)))
        df_log("warning: the image %s: %s", path, warning);
    if (open_files(&work) != 0)
        goto done;
    status = predict_all(&work, model);
    if (status == 0 && (write_pictures(&work) != 0 || commit_files(&work) != 0))
        status = -1;
    predicted->mean_confidence = work.confidence / (double)(predicted->width * predicted->height);
done:
    *readable = work.readable;
    close_work(&work);
    return status;
}
