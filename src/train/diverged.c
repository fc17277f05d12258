/* A step whose loss or gradients are not finite: what is told of it. */
#include "training.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PATH_SHOWN 200 /* bytes: three fit into an error's text */

/* Appends to a text of an error's size. */
static void append_image(char *text, const char *before, const char *path)
{
    const size_t used = strlen(text);

    snprintf(text + used, DF_ERROR_TEXT_MAX - used, "%s%.*s", before, PATH_SHOWN, path);
}

/* "A, B, C and 9 more" */
static void list_images(const struct df_training *training, const struct step_images *images, char *text)
{
    const int64_t more = images->count - STEP_IMAGES_SHOWN;

    text[0] = '\0';
    for (int64_t i = 0; i < images->count && i < STEP_IMAGES_SHOWN; i++)
        append_image(text, i > 0 ? ", " : "", training->train_set->samples[images->first[i]].image_path);
    if (more > 0) {
        const size_t used = strlen(text);
        snprintf(text + used, DF_ERROR_TEXT_MAX - used, " and %" PRId64 " more", more);
    }
}

/* Of tensors there are those of the step that was begun last. */
static int find_tensor(struct df_training *training, int64_t step, char *text, size_t size)
{
    char found[DF_NOT_FINITE_TEXT], begun[64] = "";

    DF_TRY(df_segmenter_find_not_finite(training->segmenter, training->last_count, found));
    if (training->step > step)
        snprintf(begun, sizeof begun, " (of step %" PRId64 ", which had begun)", training->step);
    if (found[0] == '\0')
        snprintf(text, size, "all tensors%s are finite", begun);
    else
        snprintf(text, size, "the first tensor that is not finite%s: %s", begun, found);
    return 0;
}

int training_diverged(struct df_training *training, const struct df_step_seen *step,
                      const struct step_images *images)
{
    const double loss = fabs(step->loss), norm = fabs(step->gradient_norm); /* never "-nan" */
    char tensor[256], paths[DF_ERROR_TEXT_MAX];

    training->diverged = true;
    DF_TRY(find_tensor(training, step->step, tensor, sizeof tensor));
    list_images(training, images, paths);
    return df_error_set("step %" PRId64
                        ": training diverged (a smaller learning rate may help): the loss is %g, the "
                        "gradients' norm %g; %s; images: %s",
                        step->step, loss, norm, tensor, paths);
}

static int load_image(struct df_training *training)
{
    const struct df_loader_options options = training_images(training);
    struct df_image image, label;

    DF_TRY(df_loader_sample(training->val_set, &options, 0, 0, &image, &label));
    const int status = df_segmenter_load_pixels(training->segmenter, 1, image.pixels, label.pixels);
    df_image_free(&image);
    df_image_free(&label);
    training->last_count = 1;
    return status;
}

int training_load_others(struct df_training *training)
{
    const struct df_place *place = &training->place;
    struct df_feed *feed = training->val_set ? training->val_feed : training->train_feed;
    struct df_batch batch;

    if (training->inference) /* whose feed has no batches for the model */
        return load_image(training);
    if (training->val_set)
        DF_TRY(df_feed_start(feed, 0, 0));
    else
        DF_TRY(df_feed_start(feed, place->epoch,
                             (place->done + 1) % training->epoch_steps * training->options.accumulate));
    if (df_feed_next(feed, training->segmenter, &batch) != 1)
        return -1;
    training->last_count = batch.count;
    return 0;
}
