#include "dinoft/train.h"

#include "run_log.h"

#include "dinoft/cached_features.h"
#include "dinoft/atomic_write.h"
#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/evaluate.h"
#include "dinoft/label_checks.h"
#include "dinoft/log.h"
#include "dinoft/overlay.h"
#include "dinoft/progress.h"
#include "dinoft/run_lock.h"
#include "dinoft/setup.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct df_config *config; /* as typed, until the checkpoint has been read */
    const volatile sig_atomic_t *stop;
    struct df_run_lock *lock; /* on the files of the run's name */
    struct df_setup setup;
    struct df_dataset *train_set, *val_set;
    struct df_cached_features features;
    struct df_loader *train_loader, *val_loader; /* NULL where all features are there */
    struct df_feed *train_feed, *val_feed;
    struct df_segmenter *segmenter;
    struct df_record record; /* borrows the data set's class names */
    struct run_log log;
    char *checkpoint_path;
    struct df_rng rng;  /* RoPE rescaling */
    int64_t step;       /* done so far, over all epochs */
    int64_t last_count; /* images of the batch that the model saw last */
    bool worthless;     /* what was trained is not to be saved */
};

static struct df_dataset *open_split(const struct df_config *config, enum df_split split)
{
    struct df_dataset_options options = {
        .kind = config->dataset,
        .root = config->data_root,
        .split = split,
        .void_as_background = config->void_as_background,
        .n_classes = (int)config->n_classes,
        .class_names = config->class_names,
        .mask_values = config->mask_values,
    };
    return df_dataset_open(&options);
}

static struct df_loader *open_loader(const struct run *run, const struct df_dataset *dataset, bool shuffle)
{
    struct df_loader_options options = {
        .batch_size = run->config->batch_size,
        .height = run->setup.height,
        .width = run->setup.width,
        .workers = (int)run->config->num_workers,
        .shuffle = shuffle,
        .seed = (uint64_t)run->config->seed,
    };
    return df_feed_open_loader(dataset, &options, run->segmenter);
}

/* Before the model is made of the weights, which are freed then. */
static int fill_record(struct run *run)
{
    const struct df_setup *setup = &run->setup;
    struct df_record *record = &run->record;

    snprintf(record->dataset, sizeof record->dataset, "%s", run->config->dataset);
    snprintf(record->normalize, sizeof record->normalize, "%s", setup->normalize);
    record->img_dim[0] = setup->height;
    record->img_dim[1] = setup->width;
    if (run->config->mask_values)
        snprintf(record->mask_values, sizeof record->mask_values, "%s", run->config->mask_values);
    record->class_names = run->train_set->class_names;
    record->n_class_names = run->train_set->n_classes;
    return df_record_set_backbone(record, setup->backbone, &setup->vit, setup->weights_path);
}

static void log_model(const struct run *run)
{
    const struct df_segmenter_options *options = df_segmenter_made_with(run->segmenter);
    const char *name = df_vit_hub_name(&run->setup.vit);
    char lora[48] = "no LoRA";

    if (options->rank > 0)
        snprintf(lora, sizeof lora, "LoRA of rank %" PRId64, options->rank);
    df_log("%s from %s, %s, decoder %s, %" PRId64 " classes, %" PRId64 " x %" PRId64 ", normalize %s",
           name ? name : df_family_name(run->setup.vit.family), run->setup.weights_path, lora,
           options->decoder, options->classes, options->height, options->width, run->setup.normalize);
    df_log("%" PRId64
           " trained parameters; device %s, %s, %d threads, %.0f MiB for activations and parameters",
           df_segmenter_trained(run->segmenter), run->setup.backend->name,
           df_dtype_name(run->setup.backend->compute), run->setup.backend->threads,
           (double)df_segmenter_planned_bytes(run->segmenter) / 1048576.0);
    df_log("%" PRId64 " training and %" PRId64 " validation images of %s", run->train_set->count,
           run->val_set->count, run->config->dataset);
}

/* --exp_name may name a folder too ("dinov2/large_voc"), as it may in main.py where the folder is there. */
static char *output_file(const struct df_config *config, const char *ending)
{
    return df_text_format("%s/%s%s", config->output_dir, config->exp_name, ending);
}

static const char *const output_endings[] = {".pt", "_metrics.json", "_steps.csv", "_config.json"};

#define OUTPUTS (sizeof output_endings / sizeof output_endings[0])

static int check_outputs(const struct df_config *config)
{
    int status = 0;

    if (config->exp_name[strlen(config->exp_name) - 1] == '/')
        return df_error_set("--exp_name %s names a folder, not an experiment", config->exp_name);
    for (size_t i = 0; status == 0 && i < OUTPUTS; i++) {
        char *path = output_file(config, output_endings[i]);
        status = path ? df_check_writable_file(path) : -1;
        free(path);
    }
    return status;
}

/* Outputs must not take the place of what is read; only the checkpoint that a run goes on from may be
 * replaced. */
static int check_overwriting(const struct run *run)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < OUTPUTS; i++) {
        char *path = output_file(run->config, output_endings[i]);
        if (!path)
            return -1;
        if (i == 0)
            status = df_check_other_file(path, run->setup.weights_path);
        else
            status = df_setup_check_output(&run->setup, run->config, path);
        free(path);
    }
    return status;
}

/* NAME_config.json holds what counts in the end: flags that the patch size overruled are replaced. */
static int write_config(const struct run *run)
{
    struct df_config effective = *run->config;
    char *path = output_file(run->config, "_config.json");

    effective.img_dim[0] = run->setup.height;
    effective.img_dim[1] = run->setup.width;
    effective.normalize = run->setup.normalize;
    effective.weights = run->setup.weights_path;
    effective.cache_features = df_feature_place_name(run->features.place);
    int status = path ? df_config_write_json(path, &effective) : -1;
    free(path);
    return status;
}

static int open_features(struct run *run)
{
    const struct df_dataset *const sets[2] = {run->train_set, run->val_set};
    char *path = output_file(run->config, "_features.cache");
    int status = path ? df_cached_features_open(&run->features, run->config, &run->setup, sets, path) : -1;

    free(path);
    return status;
}

static int64_t max_batch(const struct run *run)
{
    return df_min_i64(run->config->batch_size, df_max_i64(run->train_set->count, run->val_set->count));
}

static int open_loaders(struct run *run)
{
    const bool in_order = run->config->no_shuffle || run->features.cache; /* as the cache is filled */

    if (run->features.cache && df_feature_cache_is_finished(run->features.cache))
        return 0;
    run->train_loader = open_loader(run, run->train_set, !in_order);
    run->val_loader = run->train_loader ? open_loader(run, run->val_set, false) : NULL;
    return run->val_loader ? 0 : -1;
}

static void close_loaders(struct run *run)
{
    df_loader_close(run->train_loader);
    df_loader_close(run->val_loader);
    run->train_loader = run->val_loader = NULL;
}

static int open_sets(struct run *run)
{
    run->train_set = open_split(run->config, DF_SPLIT_TRAIN);
    run->val_set = run->train_set ? open_split(run->config, DF_SPLIT_VAL) : NULL;
    if (!run->val_set)
        return -1;
    const struct df_dataset *const sets[] = {run->train_set, run->val_set};
    return df_labels_look(sets, 2);
}

/* Everything that can fail for a reason that the user should hear at once. */
static int prepare(struct run *run)
{
    const struct df_config *config = run->config;

    DF_TRY(check_outputs(config));
    if (!(run->lock = df_run_lock_open(config->output_dir, config->exp_name)))
        return -1;
    DF_TRY(df_setup_open(&run->setup, config));
    run->config = config = &run->setup.config;
    DF_TRY(open_sets(run));
    DF_TRY(check_overwriting(run));
    DF_TRY(fill_record(run));
    DF_TRY(open_features(run));
    run->segmenter = df_setup_segmenter(&run->setup, config,
                                        run->features.cache ? DF_MODEL_TRAINS_DECODER : DF_MODEL_TRAINS,
                                        run->train_set->n_classes, max_batch(run));
    if (!run->segmenter)
        return -1;
    DF_TRY(open_loaders(run));
    log_model(run);
    df_rng_seed(&run->rng, (uint64_t)config->seed, df_hash_text("rope_rescale"));
    run->checkpoint_path = output_file(config, ".pt");
    if (!run->checkpoint_path || write_config(run) != 0)
        return -1;
    return run_log_init(&run->log, config->output_dir, config->exp_name);
}

static void finish(struct run *run)
{
    run_log_free(&run->log);
    free(run->checkpoint_path);
    df_feed_free(run->train_feed);
    df_feed_free(run->val_feed);
    close_loaders(run);
    df_cached_features_close(&run->features);
    df_segmenter_free(run->segmenter);
    df_setup_close(&run->setup);
    df_dataset_free(run->train_set);
    df_dataset_free(run->val_set);
    df_run_lock_close(run->lock);
}

static struct df_feed *feed_features(const struct run *run, const struct df_dataset *set, int64_t first,
                                     bool shuffle)
{
    const struct df_feed_options options = {.first = first,
                                            .count = set->count,
                                            .census = set->census,
                                            .batch_size = run->config->batch_size,
                                            .shuffle = shuffle,
                                            .seed = (uint64_t)run->config->seed};
    return df_feed_features(run->features.cache, run->features.shape.label_bytes, &options);
}

/* Fills the cache, if there is one. Afterwards nothing of the backbone and no image is needed any more. */
static int prepare_features(struct run *run)
{
    struct df_loader *const loaders[2] = {run->train_loader, run->val_loader};

    if (!df_feature_cache_is_finished(run->features.cache))
        DF_TRY(df_cached_features_fill(&run->features, &run->setup, loaders, max_batch(run), run->stop));
    close_loaders(run);
    df_setup_release_backbone(&run->setup);
    if (!df_feature_cache_is_finished(run->features.cache))
        return 0; /* interrupted */
    run->train_feed = feed_features(run, run->train_set, 0, !run->config->no_shuffle);
    run->val_feed = feed_features(run, run->val_set, run->train_set->count, false);
    return run->train_feed && run->val_feed ? 0 : -1;
}

static int open_feeds(struct run *run)
{
    if (run->features.cache)
        return prepare_features(run);
    run->train_feed = df_feed_images(run->train_loader);
    run->val_feed = df_feed_images(run->val_loader);
    return run->train_feed && run->val_feed ? 0 : -1;
}

static bool out_of_steps(const struct run *run)
{
    return run->config->max_steps > 0 && run->step >= run->config->max_steps;
}

/* NAME_viz_EPOCH.png: the batch's first image under what the model says of it. */
static int write_debug_picture(struct run *run, int64_t epoch, const struct df_batch *batch)
{
    struct df_segmenter *segmenter = run->segmenter;
    int64_t height = run->setup.height, width = run->setup.width;
    uint8_t palette[256][3];
    struct df_image original = {0}, image = {0}, classes = {0}, overlay = {0};
    char *path =
        df_text_format("%s/%s_viz_%" PRId64 ".png", run->config->output_dir, run->config->exp_name, epoch);
    int status = -1;

    df_tab20_palette(run->train_set->n_classes, palette);
    if (path && df_dataset_read(run->train_set, batch->samples[0], &original, NULL) == 0 &&
        df_image_alloc(&image, width, height, 3) == 0 &&
        df_resize_linear(&original, image.pixels, width, height) == 0 &&
        df_image_alloc(&classes, width, height, 1) == 0 &&
        df_segmenter_loss(segmenter, 1, false, true, NULL, NULL) == 0 &&
        df_segmenter_download_prediction(segmenter, 1, classes.pixels) == 0 &&
        df_overlay(&image, &classes, palette, &overlay) == 0)
        status = df_png_write_rgb(path, &overlay);
    df_image_free(&original);
    df_image_free(&image);
    df_image_free(&classes);
    df_image_free(&overlay);
    free(path);
    return status;
}

static int diverged(struct run *run, double loss)
{
    run->worthless = true;
    return df_error_set("the loss is %g at step %" PRId64
                        ": training diverged and is not saved (a smaller --lr may help)",
                        loss, run->step);
}

/* One optimiser step on a batch, and its line in the CSV. */
static int train_batch(struct run *run, int64_t epoch, const struct df_batch *batch, double started,
                       double *loss)
{
    const struct df_config *config = run->config;
    int64_t counted;

    DF_TRY(df_segmenter_train_step(run->segmenter, batch->count, config->lr, &run->rng, loss, &counted));
    run->step++;
    run->last_count = batch->count;
    double rate = (double)batch->count / (df_seconds() - started);
    DF_TRY(run_log_step(&run->log, epoch, run->step, *loss, config->lr, rate));
    if (!isfinite(*loss) && counted > 0)
        return diverged(run, *loss);
    return 0;
}

/* What the labels of all masks that the first epoch has read tell. */
static int check_labels(struct run *run)
{
    const struct df_dataset *const sets[] = {run->train_set, run->val_set};

    if (df_labels_check(sets, 2) != 0) {
        run->worthless = true;
        return -1;
    }
    df_labels_report_absent(run->train_set, "training");
    df_labels_report_ignored(run->train_set, "training");
    return 0;
}

static bool validates(const struct run *run, int64_t epoch)
{
    return epoch % run->config->val_every == 0 || epoch + 1 == run->config->epochs || out_of_steps(run);
}

static int no_labels(struct run *run)
{
    run->worthless = true;
    return df_error_set("no pixel of the training masks has a label at %" PRId64 " x %" PRId64
                        ", the size that they are resized to: there is nothing to train",
                        run->setup.height, run->setup.width);
}

/* All batches of an epoch, or as many as --max_steps and Ctrl-C allow. */
static int train_epoch(struct run *run, int64_t epoch)
{
    char label[64];
    struct df_batch batch;
    double loss_sum = 0.0, loss = NAN, started = df_seconds();
    int64_t done = 0, counted = 0, images = 0, total = df_feed_batches(run->train_feed);
    int more = 0, status = -1;

    snprintf(label, sizeof label, "epoch %" PRId64 "/%" PRId64, epoch + 1, run->config->epochs);
    struct df_progress *progress = df_progress_open(stderr, label, total);
    if (df_feed_start(run->train_feed, epoch) != 0)
        goto done;
    while (!*run->stop && !out_of_steps(run) &&
           (more = df_feed_next(run->train_feed, run->segmenter, &batch)) == 1) {
        if (train_batch(run, epoch, &batch, started, &loss) != 0)
            goto done;
        started = df_seconds();
        if (!isnan(loss)) {
            loss_sum += loss;
            counted++;
        }
        images += batch.count;
        df_progress_update(progress, ++done, images, loss);
        bool last = done == total || out_of_steps(run);
        if (last && run->config->debug && validates(run, epoch) &&
            write_debug_picture(run, epoch, &batch) != 0)
            goto done;
    }
    if (more < 0)
        goto done;
    if (counted == 0 && done == total) {
        status = no_labels(run);
        goto done;
    }
    status = run_log_epoch(&run->log, counted > 0 ? loss_sum / (double)counted : NAN);
done:
    df_progress_close(progress);
    return status;
}

static int validate(struct run *run, int64_t epoch)
{
    struct df_metrics metrics;
    struct df_scores scores;
    const struct df_evaluation evaluation = {.label = "validation", .stop = run->stop};
    int status = -1;

    if (df_metrics_init(&metrics, run->val_set->n_classes, run->val_set->reference_void_is_background) != 0)
        return -1;
    if (df_evaluate(run->segmenter, run->val_feed, &evaluation, &metrics) != 0)
        goto done;
    if (*run->stop) { /* a part of the images would be a wrong number */
        status = 0;
        goto done;
    }
    df_metrics_scores(&metrics, &scores);
    printf("epoch %" PRId64 "/%" PRId64
           ": train loss %.4f, val loss %.4f, mIoU %.4f, pixel accuracy %.4f, reference IoU %.4f\n",
           epoch + 1, run->config->epochs, run->log.train_loss[run->log.n_epochs - 1], scores.loss,
           scores.miou, scores.pixel_accuracy, scores.reference_iou);
    fflush(stdout);
    struct run_validation validation = {epoch, scores.loss, scores.miou, scores.reference_iou};
    status = run_log_validation(&run->log, &validation);
done:
    df_metrics_free(&metrics);
    return status;
}

/* Weights that can be read again, and that the last batch still makes finite logits of: its loss was found
 * before they were changed. */
static int save(struct run *run, const char *path)
{
    struct df_segmenter *segmenter = run->segmenter;

    if (df_segmenter_check_parameters(segmenter) != 0 ||
        df_segmenter_forward(segmenter, run->last_count, false, NULL) != 0) {
        run->worthless = true;
        return df_error_context(
            "step %" PRId64 ": training diverged and is not saved (a smaller --lr may help)", run->step);
    }
    return df_checkpoint_save(path, segmenter, &run->record);
}

static int train_all(struct run *run)
{
    for (int64_t epoch = 0; epoch < run->config->epochs && !*run->stop && !out_of_steps(run); epoch++) {
        DF_TRY(train_epoch(run, epoch));
        if (epoch == 0 && !*run->stop)
            DF_TRY(check_labels(run));
        if (*run->stop || !validates(run, epoch))
            continue;
        /* Before the validation, which may be long: what was trained is safe. */
        DF_TRY(save(run, run->checkpoint_path));
        DF_TRY(validate(run, epoch));
    }
    if (!*run->stop)
        return 0;
    if (run->step == 0) {
        df_log("interrupted before the first step: nothing was trained or written");
        return 0;
    }
    DF_TRY(save(run, run->checkpoint_path));
    df_log("interrupted after step %" PRId64 "; the checkpoint is %s", run->step, run->checkpoint_path);
    return 0;
}

/* An error in the middle of a run costs neither what was trained until then nor what an earlier run saved: it
 * goes to NAME_stopped.pt. The error's text stays. */
static void rescue(struct run *run)
{
    char *reason = df_text_copy(df_error_text());
    char *path = output_file(run->config, "_stopped.pt");

    if (reason && path && run->step > 0 && !run->worthless && save(run, path) == 0)
        df_log("stopped after step %" PRId64 "; what was trained until then is %s", run->step, path);
    if (reason)
        df_error_set("%s", reason);
    free(reason);
    free(path);
}

int df_train(const struct df_config *config, const volatile sig_atomic_t *stop)
{
    struct run run = {.config = config, .stop = stop};
    int status = prepare(&run);

    if (status == 0) {
        status = open_feeds(&run);
        if (status == 0)
            status = train_all(&run);
        if (status != 0)
            rescue(&run);
    }
    if (status == 0 && !*stop)
        df_log("done: %s, %s, %s", run.checkpoint_path, run.log.metrics_path, run.log.steps_path);
    finish(&run);
    return status;
}
