#include "training.h"

#include "dinoft/overlay.h"

#include <stdlib.h>

int training_write_picture(struct df_training *training, int64_t epoch, int64_t sample)
{
    struct df_segmenter *segmenter = training->segmenter;
    const struct df_loader_options options = training_images(training);
    uint8_t palette[256][3];
    struct df_image image = {0}, label = {0}, classes = {0}, overlay = {0};
    char *path = df_run_epoch_file(training->files, "_viz_", training_file_epoch(training, epoch), ".png");
    int status = -1;

    df_tab20_palette(training->train_set->n_classes, palette);
    if (path && df_loader_sample(training->train_set, &options, epoch, sample, &image, &label) == 0 &&
        df_image_alloc(&classes, image.width, image.height, 1) == 0 &&
        df_segmenter_loss(segmenter, 1, false, true, NULL, NULL) == 0 &&
        df_segmenter_download_prediction(segmenter, 1, classes.pixels) == 0 &&
        df_overlay(&image, &classes, palette, &overlay) == 0)
        status = df_png_write_rgb(path, &overlay);
    df_image_free(&image);
    df_image_free(&label);
    df_image_free(&classes);
    df_image_free(&overlay);
    free(path);
    return status;
}
