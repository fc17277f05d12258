#include "dinoft/training_picture.h"

#include "comparison_picture.h"
#include "sample_images.h"

#include "dinoft/error.h"

#include <stdlib.h>

struct picture {
    const struct df_run_files *files;
    struct sample_images images;
};

static int sample(void *context, const struct df_prediction *prediction)
{
    struct picture *picture = context;

    return sample_images_add(&picture->images, prediction);
}

static int draw(const struct sample_images *images, struct df_image *drawn)
{
    struct df_comparison_row comparisons[DF_SAMPLES_SEEN];
    const struct df_dataset *set = images->set;
    const struct df_overlay_style style = df_overlay_style_of(set);

    for (int i = 0; i < images->count; i++) {
        const struct sample_image *item = &images->items[i];
        comparisons[i] = (struct df_comparison_row){set->samples[item->sample].name, &item->image,
                                                    &item->label, &item->prediction};
    }
    return df_comparison_draw(comparisons, (size_t)images->count, &style, set->class_names, set->n_classes,
                              drawn);
}

static int validation(void *context, const struct df_validation_seen *seen)
{
    struct picture *picture = context;
    struct df_image drawn = {0};
    char *path = df_run_epoch_file(picture->files, "_viz_", seen->epoch, ".png");
    int status = path ? draw(&picture->images, &drawn) : -1;

    if (status == 0)
        status = df_png_write_rgb(path, &drawn);
    df_image_free(&drawn);
    free(path);
    return status;
}

static void close_picture(void *context)
{
    struct picture *picture = context;

    sample_images_free(&picture->images);
    free(picture);
}

int df_training_picture_open(struct df_training_observer *observer, const struct df_run_files *files,
                             const struct df_dataset *val_set)
{
    struct picture *picture = calloc(1, sizeof *picture);

    if (!picture)
        return df_error_memory("a picture of the validation", sizeof *picture);
    picture->files = files;
    picture->images.set = val_set;
    *observer = (struct df_training_observer){
        .name = "the validation's picture",
        .context = picture,
        .sample = sample,
        .validation = validation,
        .close = close_picture,
    };
    return 0;
}
