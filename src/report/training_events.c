#include "dinoft/training_events.h"

#include "comparison_picture.h"
#include "sample_images.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/event_file.h"
#include "dinoft/file_bytes.h"
#include "dinoft/log.h"
#include "dinoft/peak_memory.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSH_SECONDS 2.0 /* between what those who watch get to see */
#define MEBIBYTE      1048576.0
#define IMAGES_SHOWN  4
#define PLACE_KEY     "tensorboard_events" /* in the run's state: how many of the last step */
#define NAME_KEY      "tensorboard_file"   /* and in which file */

struct events {
    struct df_training_events_options options;
    struct df_event_file *file; /* NULL before the first event */
    int64_t epoch_steps;
    char *name;                  /* of the file that an earlier process wrote last; NULL: there is none */
    struct df_event_place place; /* before the first event: where the run goes on; step 0: it begins */
    double flushed;              /* df_seconds() */
    struct sample_images images;
};

/* Of the step at which a run goes on: how many events are of the time before its state. */
static int64_t stored_events(const struct df_state *state)
{
    const struct df_entry *entry = df_state_find(state, PLACE_KEY);

    return entry && entry->text ? strtoll(entry->text, NULL, 10) : INT64_MAX;
}

static int start(void *context, const struct df_run_start *run)
{
    struct events *events = context;
    const struct df_entry *name = run->state ? df_state_find(run->state, NAME_KEY) : NULL;

    events->epoch_steps = run->epoch_steps;
    if (!run->state)
        return 0;
    events->place = (struct df_event_place){run->done, stored_events(run->state)};
    if (!name || !name->text)
        return 0;
    events->name = df_text_copy(name->text);
    return events->name ? 0 : -1;
}

/* The configuration as it is, in a block of Markdown. That it could not be written has been told. */
static int write_config(struct events *events)
{
    struct df_file_bytes file;

    if (access(events->options.config_path, F_OK) != 0)
        return 0;
    DF_TRY(df_file_bytes_read(events->options.config_path, &file));
    char *text = df_text_format("```json\n%.*s\n```\n", (int)file.size, (const char *)file.bytes);
    const int status = text ? df_event_file_text(events->file, events->place.step, "config", text) : -1;
    free(text);
    df_file_bytes_free(&file);
    return status;
}

/* Before the first event: an older run's are replaced with the first step of the new one, as its other files.
 */
static int open_file(struct events *events)
{
    const char *folder = events->options.folder;

    if (events->file)
        return 0;
    if (events->place.step == 0)
        DF_TRY(df_event_files_remove(folder));
    events->file = events->place.step > 0 ? df_event_file_continue(folder, &events->place, events->name)
                                          : df_event_file_open(folder);
    if (!events->file)
        return df_error_advise(" (--log_dir names the folder)");
    return write_config(events);
}

static int flush_where_due(struct events *events)
{
    const double now = df_seconds();

    if (now - events->flushed < FLUSH_SECONDS)
        return 0;
    events->flushed = now;
    return df_event_file_flush(events->file);
}

static int step(void *context, const struct df_step_seen *step)
{
    struct events *events = context;
    const struct df_event_scalar scalars[] = {
        {"train/loss", step->loss},
        {"train/learning_rate", step->lr},
        {"train/gradient_norm", step->gradient_norm},
        {"train/images_per_second", step->images_per_second},
    };

    DF_TRY(open_file(events));
    DF_TRY(df_event_file_scalars(events->file, step->step, scalars, sizeof scalars / sizeof scalars[0]));
    return flush_where_due(events);
}

static int leave_epoch(void *context, const struct df_epoch_seen *epoch)
{
    struct events *events = context;
    size_t bytes;
    bool on_device;

    /* Of one that is cut, a run with more steps would tell again. */
    if (!epoch->is_over || epoch->done < events->epoch_steps || !events->file)
        return 0;
    DF_TRY(df_peak_memory(events->options.backend, &bytes, &on_device));
    const struct df_event_scalar scalars[] = {
        {"epoch/train_loss", epoch->train_loss},
        {"epoch/epoch", (double)epoch->epoch},
        {on_device ? "memory/device_peak_mib" : "memory/process_peak_mib", (double)bytes / MEBIBYTE},
    };
    return df_event_file_scalars(events->file, epoch->step, scalars, sizeof scalars / sizeof scalars[0]);
}

static int write_scores(struct events *events, const struct df_validation_seen *seen)
{
    const struct df_scores *scores = seen->scores;
    const struct df_event_scalar scalars[] = {
        {"validation/loss", scores->loss},
        {"validation/miou", scores->miou},
        {"validation/pixel_accuracy", scores->pixel_accuracy},
        {"validation/mean_accuracy", scores->mean_accuracy},
        {"validation/dice", scores->dice},
        {"validation/reference_miou", scores->reference_miou},
    };

    return df_event_file_scalars(events->file, seen->step, scalars, sizeof scalars / sizeof scalars[0]);
}

/* A class that neither labels nor predictions have has no IoU, and no point. */
static int write_class(struct events *events, const struct df_validation_seen *seen, int class_index)
{
    struct df_class_scores scores;

    df_metrics_class(seen->metrics, class_index, &scores);
    if (isnan(scores.iou))
        return 0;
    char *tag = df_text_format("iou/%d %s", class_index, events->images.set->class_names[class_index]);
    const struct df_event_scalar scalar = {tag, scores.iou};
    const int status = tag ? df_event_file_scalars(events->file, seen->step, &scalar, 1) : -1;
    free(tag);
    return status;
}

static int sample(void *context, const struct df_prediction *prediction)
{
    struct events *events = context;

    return sample_images_add(&events->images, prediction);
}

/* Image, label and prediction as a PNG file in memory, to be freed. NULL with the error set. */
static void *encode_strip(const struct df_dataset *set, const struct sample_image *item,
                          struct df_event_image *image)
{
    const struct df_comparison_row row = {NULL, &item->image, &item->label, &item->prediction};
    const struct df_overlay_style style = df_overlay_style_of(set);
    struct df_image strip = {0};

    void *png = df_comparison_strip(&row, &style, &strip) == 0 ? df_png_encode(&strip, &image->bytes) : NULL;
    image->png = png;
    image->width = strip.width;
    image->height = strip.height;
    df_image_free(&strip);
    return png;
}

/* "validation/0 2007_000033" */
static int write_image(struct events *events, const struct df_validation_seen *seen, int number)
{
    const struct df_dataset *set = events->images.set;
    const struct sample_image *item = &events->images.items[number];
    struct df_event_image image = {.description = "image, label, prediction"};
    char *tag = df_text_format("validation/%d %s", number, set->samples[item->sample].name);
    void *png = tag ? encode_strip(set, item, &image) : NULL;
    int status = -1;

    image.tag = tag;
    if (png)
        status = df_event_file_image(events->file, seen->step, &image);
    free(png);
    free(tag);
    return status;
}

static int validation(void *context, const struct df_validation_seen *seen)
{
    struct events *events = context;

    DF_TRY(open_file(events));
    DF_TRY(write_scores(events, seen));
    for (int i = 0; i < seen->metrics->n_classes; i++)
        DF_TRY(write_class(events, seen, i));
    for (int i = 0; i < events->images.count && i < IMAGES_SHOWN; i++)
        DF_TRY(write_image(events, seen, i));
    return df_event_file_flush(events->file);
}

static int store(void *context, struct df_state *state)
{
    const struct events *events = context;
    char number[32];

    if (events->file)
        DF_TRY(df_event_file_sync(events->file));
    snprintf(number, sizeof number, "%" PRId64,
             events->file ? df_event_file_place(events->file).events : events->place.events);
    const char *name = events->file ? df_event_file_name(events->file) : events->name;
    if (name && !df_state_add_text(state, NAME_KEY, name))
        return -1;
    return df_state_add_text(state, PLACE_KEY, number) ? 0 : -1;
}

static void close_events(void *context)
{
    struct events *events = context;

    if (df_event_file_close(events->file) != 0)
        df_log("warning: %s", df_error_text());
    sample_images_free(&events->images);
    free(events->name);
    free(events);
}

int df_training_events_open(struct df_training_observer *observer,
                            const struct df_training_events_options *options)
{
    struct events *events = calloc(1, sizeof *events);

    if (!events)
        return df_error_memory("TensorBoard's log", sizeof *events);
    events->options = *options;
    events->images.set = options->val_set;
    *observer = (struct df_training_observer){
        .name = "the TensorBoard log",
        .context = events,
        .start = start,
        .leave_epoch = leave_epoch,
        .step = step,
        .sample = sample,
        .validation = validation,
        .store = store,
        .close = close_events,
    };
    return 0;
}
