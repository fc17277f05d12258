#include "predict_write.h"

#include "dinoft/legend.h"
#include "dinoft/region_numbers.h"
#include "dinoft/text.h"
#include "dinoft/weight_file.h"

#include <assert.h>
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
        status = df_png_write_rgb(path, &overlay);
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

/* Logits have a flag of their own. */
static const struct predict_writer table[] = {
    {"mask", ".png", 0, write_mask},
    {"overlay", "_overlay.png", PREDICT_NEEDS_IMAGE, write_overlay},
    {"confidence", "_confidence.png", PREDICT_NEEDS_CONFIDENCE, write_confidence},
    {LOGITS, ".safetensors", PREDICT_NEEDS_LOGITS, write_logits},
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

int predict_writers_run(const struct predict_writers *writers, const struct predict_look *look,
                        const struct predicted *predicted)
{
    int status = 0;

    for (int i = 0; i < writers->count && status == 0; i++) {
        char *path = input_output_path(look->config, predicted->input, writers->items[i]->ending);
        status = path ? writers->items[i]->write(look, predicted, path) : -1;
        free(path);
    }
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
