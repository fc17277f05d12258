#include "dinoft/augmented_picture.h"

#include "comparison_picture.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN 8

struct shown {
    int64_t sample;
    struct df_image image, label;
};

static int draw(const struct df_dataset *set, const struct shown *items, size_t count, struct df_image *drawn)
{
    struct df_comparison_row rows[SHOWN];
    const struct df_overlay_style style = df_overlay_style_of(set);

    for (size_t i = 0; i < count; i++)
        rows[i] = (struct df_comparison_row){set->samples[items[i].sample].name, &items[i].image,
                                             &items[i].label, NULL};
    return df_comparison_draw(rows, count, &style, set->class_names, set->n_classes, drawn);
}

int df_augmented_picture_write(const struct df_training *training, const struct df_dataset *set,
                               const struct df_run_files *files)
{
    const int64_t count = df_min_i64(SHOWN, set->count);
    struct shown items[SHOWN];
    struct df_image drawn = {0};
    char *path = df_run_file(files, "_augmented.png");
    int status = path ? 0 : -1;

    memset(items, 0, sizeof items);
    for (int64_t i = 0; status == 0 && i < count; i++)
        status = df_training_image(training, 0, i, &items[i].sample, &items[i].image, &items[i].label);
    if (status == 0 && draw(set, items, (size_t)count, &drawn) == 0)
        status = df_png_write_rgb(path, &drawn);
    else
        status = -1;
    for (int64_t i = 0; i < count; i++) {
        df_image_free(&items[i].image);
        df_image_free(&items[i].label);
    }
    df_image_free(&drawn);
    free(path);
    return status;
}
