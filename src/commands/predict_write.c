#include "predict_write.h"

#include "dinoft/image_windows.h"
#include "dinoft/legend.h"
#include "dinoft/region_numbers.h"
#include "dinoft/size.h"
#include "dinoft/text.h"
#include "dinoft/weight_file.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOGITS "logits"

static int write_mask(const struct predict_look *look, const struct predicted *predicted, const char *path)
{
    return df_png_write_palette(path, &predicted->classes, look->style.palette.rgb);
}

static int write_overlay(const struct predict_look *look, const struct predicted *predicted, const char *path)
{
    struct df_image overlay = {0};
    int status = -1;

    if (df_overlay_draw(&predicted->image, &predicted->classes, &look->style, &overlay) == 0 &&
        (!look->config->legend ||
         df_region_numbers_draw(&overlay, &predicted->classes, &look->style.palette) == 0))
        status = df_png_write_photo(path, &overlay);
    df_image_free(&overlay);
    return status;
}

static int write_confidence(const struct predict_look *look, const struct predicted *predicted,
                            const char *path)
{
    (void)look;
    return df_png_write_grey(path, &predicted->confidence);
}

/* `logits` [C, H, W] at the size at which the model sees the image. */
static int write_logits(const struct predict_look *look, const struct predicted *predicted, const char *path)
{
    const int64_t shape[3] = {look->classes.count, predicted->logits_height, predicted->logits_width};
    struct df_state *state = df_state_new();
    int status = -1;

    if (state && df_state_borrow(state, LOGITS, DF_F32, 3, shape, predicted->logits))
        status = df_weight_file_write(path, state);
    df_state_free(state);
    return status;
}

static int put_mask(struct df_tiff_writer *writer, const struct predicted *predicted,
                    const struct df_image_part *part)
{
    return df_tiff_writer_put(writer, part, 0, predicted->classes.pixels, 1);
}

static int put_confidence(struct df_tiff_writer *writer, const struct predicted *predicted,
                          const struct df_image_part *part)
{
    return df_tiff_writer_put(writer, part, 0, predicted->confidence.pixels, 1);
}

/* Rows of a tile's height, all bands of them: from floats of 0 to 1 to shares [height, width, classes]. */
static int put_probability_rows(struct df_tiff_writer *writer, const struct predicted *predicted,
                                const struct df_image_part *part, int64_t first, float *row, uint16_t *shares)
{
    const int64_t classes = predicted->probabilities.classes, values = part->width * classes;

    for (int64_t y = 0; y < part->height; y++) {
        df_probabilities_row(&predicted->probabilities, first + y, row);
        for (int64_t i = 0; i < values; i++)
            shares[y * values + i] = (uint16_t)lrintf(65535.0f * fminf(row[i], 1.0f));
    }
    for (int64_t c = 0; c < classes; c++)
        DF_TRY(df_tiff_writer_put(writer, part, (int)c, shares + c, classes));
    return 0;
}

static int put_probabilities(struct df_tiff_writer *writer, const struct predicted *predicted,
                             const struct df_image_part *part)
{
    const size_t values = (size_t)(part->width * predicted->probabilities.classes);
    float *row = malloc(values * sizeof *row);
    uint16_t *shares = malloc(values * DF_TIFF_TILE * sizeof *shares);
    int status = row && shares ? 0 : df_error_memory("rows of probabilities", values * DF_TIFF_TILE * 2);

    for (int64_t y = 0; status == 0 && y < part->height; y += DF_TIFF_TILE) {
        const int64_t height = df_min_i64(DF_TIFF_TILE, part->height - y);
        const struct df_image_part rows = {part->x, part->y + y, part->width, height};
        status = put_probability_rows(writer, predicted, &rows, y, row, shares);
    }
    free(row);
    free(shares);
    return status;
}

static const struct predict_raster mask_raster = {8, .is_mask = true, .put = put_mask};
static const struct predict_raster confidence_raster = {8, .put = put_confidence};
static const struct predict_raster probability_raster = {16, .band_a_class = true, .put = put_probabilities};

/* Logits have a flag of their own. */
static const struct predict_writer table[] = {
    {"mask", ".png", 0, write_mask, &mask_raster, .ending_of_tiff = ".tif"},
    {"overlay", "_overlay.png", PREDICT_NEEDS_IMAGE, write_overlay, .is_picture = true},
    {"confidence", "_confidence.png", PREDICT_NEEDS_CONFIDENCE, write_confidence, &confidence_raster,
     .ending_of_tiff = "_confidence.tif"},
    {"probabilities", "_probabilities.tif", PREDICT_NEEDS_PROBABILITIES, .raster = &probability_raster},
    {LOGITS, ".safetensors", PREDICT_NEEDS_LOGITS, .write = write_logits},
};

enum { ROWS = sizeof table / sizeof *table };
_Static_assert(ROWS <= PREDICT_WRITERS, "all can be chosen");

/* -1: there is none. */
static int row_of(const char *word, size_t length)
{
    for (int i = 0; i < ROWS; i++) {
        if (strlen(table[i].word) == length && memcmp(word, table[i].word, length) == 0)
            return i;
    }
    return -1;
}

static int unknown_word(const char *word, size_t length)
{
    char words[256] = "";

    for (int i = 0; i < ROWS; i++) {
        const size_t used = strlen(words);
        if (strcmp(table[i].word, LOGITS) != 0)
            snprintf(words + used, sizeof words - used, "%s%s", used > 0 ? ", " : "", table[i].word);
    }
    return df_error_set("--write: expected %s, with commas between them; found '%.*s'", words, (int)length,
                        word);
}

int predict_writers_choose(struct predict_writers *writers, const struct df_config *config)
{
    bool chosen[ROWS] = {false};

    for (const char *word = config->write;; word++) {
        const size_t length = strcspn(word, ",");
        const int row = row_of(word, length);
        if (row < 0 || strcmp(table[row].word, LOGITS) == 0)
            return unknown_word(word, length);
        chosen[row] = true;
        word += length;
        if (!*word)
            break;
    }
    if (config->save_logits)
        chosen[row_of(LOGITS, strlen(LOGITS))] = true;
    *writers = (struct predict_writers){0};
    for (int i = 0; i < ROWS; i++) {
        if (!chosen[i])
            continue;
        writers->endings[writers->count] = table[i].ending;
        writers->endings_of_tiff[writers->count] =
            table[i].ending_of_tiff ? table[i].ending_of_tiff : table[i].ending;
        writers->items[writers->count++] = &table[i];
    }
    return 0;
}

unsigned predict_writers_need(const struct predict_writers *writers)
{
    unsigned needs = 0;

    for (int i = 0; i < writers->count; i++)
        needs |= writers->items[i]->needs;
    return needs;
}

char *predict_writers_path(const struct predict_writers *writers, const struct df_config *config,
                           const struct input *input, int i)
{
    return input_output_path(config, input,
                             input_is_tiff(input) ? writers->endings_of_tiff[i] : writers->endings[i]);
}

struct df_tiff_writer *predict_raster_open(const struct predict_writer *item, const struct predict_look *look,
                                           int64_t height, int64_t width, const struct df_geo_tags *geo,
                                           const char *path)
{
    const struct predict_raster *raster = item->raster;
    const struct df_tiff_kind kind = {
        .width = width,
        .height = height,
        .bands = raster->band_a_class ? look->classes.count : 1,
        .bits = raster->bits,
        .palette = raster->is_mask ? look->style.palette.rgb : NULL,
        .band_names = raster->band_a_class ? look->classes.names : NULL,
        .geo = geo,
        .none = raster->is_mask && look->config->threshold > 0.0 ? DF_IGNORE_LABEL : -1,
    };

    return df_tiff_writer_open(path, &kind);
}

static int write_raster(const struct predict_writer *item, const struct predict_look *look,
                        const struct predicted *predicted, const struct df_geo_tags *geo, const char *path)
{
    const struct df_image_part all = {0, 0, predicted->width, predicted->height};
    struct df_tiff_writer *writer =
        predict_raster_open(item, look, predicted->height, predicted->width, geo, path);

    if (!writer)
        return -1;
    if (item->raster->put(writer, predicted, &all) == 0)
        return df_tiff_writer_commit(writer);
    df_tiff_writer_abort(writer);
    return -1;
}

static int write_all(const struct predict_writers *writers, const struct predict_look *look,
                     const struct predicted *predicted, const struct df_geo_tags *geo)
{
    const bool is_tiff = input_is_tiff(predicted->input);
    int status = 0;

    for (int i = 0; i < writers->count && status == 0; i++) {
        const struct predict_writer *item = writers->items[i];
        char *path = predict_writers_path(writers, look->config, predicted->input, i);
        if (!path)
            status = -1;
        else if (item->raster && (is_tiff || !item->write))
            status = write_raster(item, look, predicted, geo, path);
        else
            status = item->write(look, predicted, path);
        free(path);
    }
    return status;
}

static bool has_rasters(const struct predict_writers *writers)
{
    for (int i = 0; i < writers->count; i++) {
        if (writers->items[i]->raster)
            return true;
    }
    return false;
}

int predict_writers_run(const struct predict_writers *writers, const struct predict_look *look,
                        const struct predicted *predicted)
{
    const char *path = predicted->input->path;
    struct df_geo_tags *geo = NULL;
    int64_t width, height;

    if (has_rasters(writers) && df_image_windows_size_of(path, &width, &height) &&
        !(geo = df_geo_tags_read(path)))
        return -1;
    const int status = write_all(writers, look, predicted, geo);
    df_geo_tags_free(geo);
    return status;
}

int predict_write_legend(const struct predict_look *look, const char *path)
{
    const struct df_model_classes *classes = &look->classes;
    struct df_image legend = {0};
    int status = -1;

    if (df_legend_picture(&look->style.palette, classes->names, classes->count,
                          look->config->threshold > 0.0 ? "unknown" : NULL, &legend) == 0)
        status = df_png_write_rgb(path, &legend);
    df_image_free(&legend);
    return status;
}
