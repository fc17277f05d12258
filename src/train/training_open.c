/* From a model's parts and two data sets to a run that is ready to begin. */
#include "cut_epoch.h"
#include "run_state.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/rng.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Images that the model sees at a time. */
static int64_t part_size(const struct df_training *training)
{
    return training->options.batch_size / training->options.accumulate;
}

/* As they are, in the list's order. */
static struct df_loader_options plain_images(const struct df_training *training)
{
    return (struct df_loader_options){
        .batch_size = part_size(training),
        .height = training->setup->model.height,
        .width = training->setup->model.width,
        .workers = training->options.workers,
    };
}

struct df_loader_options training_images(const struct df_training *training)
{
    struct df_loader_options options = plain_images(training);

    options.shuffle = training->options.shuffle;
    options.shuffle_buffer = training->options.shuffle_buffer;
    options.seed = training->options.seed;
    options.augment = training->options.augment;
    return options;
}

int training_fill_record(struct df_training *training)
{
    const struct df_setup *setup = training->setup;
    const struct df_dataset *set = training->train_set;
    struct df_record *record = &training->record;

    snprintf(record->dataset, sizeof record->dataset, "%s", df_dataset_kind_name(set->kind));
    snprintf(record->normalize, sizeof record->normalize, "%s", setup->normalize);
    record->img_dim[0] = setup->model.height;
    record->img_dim[1] = setup->model.width;
    record->keeps_ratio = training->options.augment.keeps_ratio;
    record->mask_values = set->mask_values;
    record->ignored_values = set->ignored_values;
    if (set->reading.range_text)
        snprintf(record->image_range, sizeof record->image_range, "%s", set->reading.range_text);
    if (set->reading.bands_text)
        snprintf(record->bands, sizeof record->bands, "%s", set->reading.bands_text);
    record->split = set->split_made;
    if (df_augment_changes(&training->options.augment))
        df_augment_text(&training->options.augment, record->augmentation);
    record->class_names = set->class_names;
    record->n_class_names = set->n_classes;
    record->class_colors = set->class_colors;
    return df_record_set_backbone(record, setup->backbone, &setup->vit, setup->weights_path);
}

/* Of this run, and those that it goes on from. */
static int record_images(struct df_training *training)
{
    const struct df_checkpoint *checkpoint = training->setup->checkpoint;
    struct df_seen_images *seen = &training->record.seen;

    DF_TRY(df_seen_images_add(seen, training->train_set));
    return checkpoint ? df_seen_images_join(seen, &checkpoint->record.seen) : 0;
}

/* The reference project's program would read the rest, and compute something else. */
static void warn_of_lora(const struct df_segmenter_options *options)
{
    const bool dora = options->lora.dora;

    if (options->rank > 0 && (dora || (df_lora_targets(&options->lora) & ~DF_LORA_Q_AND_V)))
        df_log(
            "warning: main.py of the reference project cannot use this run's checkpoints: it knows LoRA of q "
            "and v alone%s",
            dora ? ", without DoRA" : "");
}

static void log_model(const struct df_training *training)
{
    const struct df_segmenter_options *options = df_segmenter_made_with(training->segmenter);
    const char *name = df_vit_hub_name_of(&training->setup->vit, training->setup->weights_path);
    const struct df_decoder_kind *kind = df_decoder_kind_named(options->decoder);
    const struct df_vit_config *vit = &training->setup->vit;
    char lora[DF_LORA_TEXT + 32] = "no LoRA", parts[DF_LORA_TEXT];
    char head[DF_HEAD_TEXT], augmentation[DF_AUGMENT_TEXT_MAX];
    const int64_t val_images = training->val_set ? training->val_set->count : 0;

    if (options->rank > 0)
        snprintf(lora, sizeof lora, "%sLoRA of %s", options->merged ? "merged " : "",
                 df_lora_text(options->rank, &options->lora, vit->ffn, vit->depth, parts));
    df_log("%s from %s, %s, decoder %s, %" PRId64 " classes, %" PRId64 " x %" PRId64 ", normalize %s",
           name ? name : df_family_name(training->setup->vit.family), training->setup->weights_path, lora,
           df_head_text(kind, &options->head, head), options->classes, options->height, options->width,
           training->setup->normalize);
    if (!df_head_is_of_reference(kind, &options->head))
        df_log("warning: the reference project's main.py does not know this decoder and cannot load the "
               "checkpoints of this run%s",
               kind->of_reference ? " (--head_norm none makes one that it knows)" : "");
    warn_of_lora(options);
    df_log("%" PRId64
           " trained parameters; device %s, %s, %d threads, %.0f MiB for activations and parameters",
           df_segmenter_trained_parameters(training->segmenter), training->setup->backend->name,
           df_dtype_name(training->setup->backend->compute), training->setup->backend->threads,
           (double)df_segmenter_planned_bytes(training->segmenter) / 1048576.0);
    df_augment_text(&training->options.augment, augmentation);
    df_log("%" PRId64 " training and %" PRId64 " validation images of %s, augmentation %s",
           training->train_set->count, val_images, df_dataset_kind_name(training->train_set->kind),
           augmentation);
}

static int open_features(struct df_training *training)
{
    const struct df_dataset *const sets[2] = {training->train_set, training->val_set};
    const struct df_training_options *options = &training->options;
    const int64_t views = df_max_i64(1, options->augment.views);
    const struct df_feature_request request = {
        .place = options->features,
        .augment = options->augment,
        .seed = options->seed,
        /* Training images that are gone through twice make it worth while; so do validation images, but there
         * are few of them. */
        .used_again = options->epochs > views &&
                      (options->max_steps == 0 || (options->max_steps - 1) / views >= training->epoch_steps),
        .path = options->features_path ? df_text_copy(options->features_path)
                                       : df_run_file(training->files, "_features.cache"),
        .keeper = options->features_keeper,
    };
    int status =
        request.path ? df_cached_features_open(&training->features, &request, training->setup, sets) : -1;

    free(request.path);
    return status;
}

static int64_t max_batch(const struct df_training *training)
{
    const int64_t others = training->val_set ? training->val_set->count : 0;

    return df_min_i64(part_size(training), df_max_i64(training->train_set->count, others));
}

static int open_loaders(struct df_training *training)
{
    const struct df_feature_cache *cache = training->features.cache;
    const bool filled = cache && df_feature_cache_is_finished(cache);
    struct df_loader_options images = training_images(training), others = plain_images(training);

    images.shuffle &= !cache; /* as the cache is filled */
    if (training->inference) {
        others.originals = true;
        others.height = others.width = 0;
    }
    if (!filled &&
        !(training->train_loader = df_feed_open_loader(training->train_set, &images, training->segmenter)))
        return -1;
    if (training->val_set && (!filled || training->inference) &&
        !(training->val_loader = df_feed_open_loader(training->val_set, &others, training->segmenter)))
        return -1;
    const struct df_loader *loader = training->val_loader ? training->val_loader : training->train_loader;
    training->workers = loader ? df_loader_workers(loader) : 0;
    return 0;
}

static void close_loader(struct df_loader **loader)
{
    df_loader_close(*loader);
    *loader = NULL;
}

/* Whether validation images have sizes of their own. Features that are kept are training images' alone then.
 */
static bool sees_whole_images(const struct df_training *training)
{
    return training->val_set && training->options.augment.keeps_ratio;
}

static enum df_model_use use_of_model(const struct df_training *training)
{
    if (!training->features.cache)
        return DF_MODEL_TRAINS;
    return sees_whole_images(training) ? DF_MODEL_TRAINS_AND_SEES : DF_MODEL_TRAINS_DECODER;
}

/* How eval --resize short looks at images, where training keeps their ratio. */
static int open_inference(struct df_training *training)
{
    const struct df_segmenter_options *model = &training->setup->model;
    const struct df_inference_options options = {
        .keep_ratio = true, .height = model->height, .width = model->width, .n_scales = 1, .scales = {1.0}};

    if (!sees_whole_images(training))
        return 0;
    training->inference = df_inference_open(training->segmenter, &options);
    return training->inference ? 0 : -1;
}

int training_name_files(struct df_training *training)
{
    training->checkpoint_path = df_run_file(training->files, ".pt");
    training->best_path = df_run_file(training->files, "_best.pt");
    if (!training->checkpoint_path || !training->best_path)
        return -1;
    return run_log_init(&training->log, training->files->folder, training->files->name,
                        training->train_set->class_names, training->train_set->n_classes);
}

/* Everything that can fail for a reason that the user should hear at once. */
static int prepare(struct df_training *training)
{
    DF_TRY(training_fill_record(training));
    DF_TRY(record_images(training));
    DF_TRY(open_features(training));
    training->segmenter =
        df_setup_segmenter(training->setup, use_of_model(training), training->train_set->n_classes,
                           max_batch(training), training->options.seed);
    if (!training->segmenter)
        return -1;
    DF_TRY(open_inference(training));
    DF_TRY(open_loaders(training));
    log_model(training);
    df_rng_seed(&training->rng, training->options.seed, df_hash_text("rope_rescale"));
    DF_TRY(training_name_files(training));
    DF_TRY(training_check_kept(training));
    return training->options.resume ? run_state_read(training) : 0;
}

struct df_training *training_new(const struct df_training_options *options, struct df_setup *setup,
                                 struct df_dataset *train_set, struct df_dataset *val_set)
{
    struct df_training *training = calloc(1, sizeof *training);

    if (!training) {
        df_error_memory("a training run", sizeof *training);
        return NULL;
    }
    training->options = *options;
    training->observers = (struct observers){.items = options->observers, .count = options->n_observers};
    training->setup = setup;
    training->train_set = train_set;
    training->val_set = val_set;
    training->best = df_best_none();
    training->epoch_steps = (train_set->count - 1) / options->batch_size + 1;
    return training;
}

struct df_training *df_training_open(const struct df_training_options *options, struct df_setup *setup,
                                     const struct df_run_files *files, struct df_dataset *train_set,
                                     struct df_dataset *val_set, const volatile sig_atomic_t *stop)
{
    struct df_training *training = training_new(options, setup, train_set, val_set);

    if (!training)
        return NULL;
    training->files = files;
    training->stop = stop;
    if (prepare(training) == 0)
        return training;
    df_training_close(training);
    return NULL;
}

void df_training_close(struct df_training *training)
{
    if (!training)
        return;
    run_log_free(&training->log);
    free(training->checkpoint_path);
    free(training->best_path);
    free(training->kept.numbers);
    df_state_free(training->state);
    free(training->older_kept.numbers);
    cut_epoch_free(&training->cut);
    df_feed_free(training->train_feed);
    df_feed_free(training->val_feed);
    close_loader(&training->train_loader);
    close_loader(&training->val_loader);
    df_cached_features_close(&training->features);
    df_inference_close(training->inference);
    df_segmenter_free(training->segmenter);
    df_seen_images_free(&training->record.seen);
    free(training);
}

enum df_feature_place df_training_features(const struct df_training *training)
{
    return training->features.place;
}

int df_training_workers(const struct df_training *training)
{
    return training->workers;
}

static struct df_shuffle shuffle_of(const struct df_training *training, const struct df_dataset *set, bool on)
{
    return (struct df_shuffle){
        .on = on, .seed = training->options.seed, .shards = set, .buffer = training->options.shuffle_buffer};
}

int df_training_image(const struct df_training *training, int64_t epoch, int64_t at, int64_t *sample,
                      struct df_image *image, struct df_image *label)
{
    const struct df_loader_options options = training_images(training);
    const struct df_dataset *set = training->train_set;
    const struct df_shuffle shuffle = shuffle_of(training, set, options.shuffle);
    int64_t *order = malloc((size_t)set->count * sizeof *order);

    if (!order)
        return df_error_memory("the order of the samples", (size_t)set->count * sizeof *order);
    const int status = df_sample_order(order, set->count, &shuffle, epoch);
    if (status == 0)
        *sample = order[at];
    free(order);
    DF_TRY(status);
    return df_loader_sample(set, &options, epoch, *sample, image, label);
}

static struct df_feed *feed_features(const struct df_training *training, const struct df_dataset *set,
                                     int64_t first, int64_t views, bool shuffle)
{
    const bool is_cut = views > 0 || training->options.augment.keeps_ratio;
    const struct df_feed_options options = {.first = first,
                                            .count = set->count,
                                            .views = views,
                                            /* A part of a mask is not what the mask holds. */
                                            .census = is_cut ? NULL : set->census,
                                            .batch_size = part_size(training),
                                            .shuffle = shuffle_of(training, set, shuffle)};
    return df_feed_features(training->features.cache, training->features.shape.label_bytes, &options);
}

static int open_val_feed(struct df_training *training)
{
    const int64_t first = training->features.views * training->train_set->count;

    if (!training->val_set)
        return 0;
    if (training->features.cache && !training->inference)
        training->val_feed = feed_features(training, training->val_set, first, 0, false);
    else
        training->val_feed = df_feed_images(training->val_loader);
    return training->val_feed ? 0 : -1;
}

static int prepare_features(struct df_training *training)
{
    const bool whole = training->inference != NULL;
    struct df_loader *const loaders[2] = {training->train_loader, whole ? NULL : training->val_loader};

    if (!df_feature_cache_is_finished(training->features.cache))
        DF_TRY(df_cached_features_fill(&training->features, training->setup,
                                       whole ? training->segmenter : NULL, loaders, max_batch(training),
                                       training->stop));
    close_loader(&training->train_loader);
    if (!whole)
        close_loader(&training->val_loader);
    df_setup_release_backbone(training->setup);
    if (!df_feature_cache_is_finished(training->features.cache))
        return 0; /* interrupted */
    training->train_feed = feed_features(training, training->train_set, 0, training->options.augment.views,
                                         training->options.shuffle);
    return training->train_feed ? open_val_feed(training) : -1;
}

int training_open_feeds(struct df_training *training)
{
    if (training->features.cache)
        return prepare_features(training);
    training->train_feed = df_feed_images(training->train_loader);
    return training->train_feed ? open_val_feed(training) : -1;
}
