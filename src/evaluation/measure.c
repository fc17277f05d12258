#include "dinoft/measure.h"

#include "dinoft/feed.h"
#include "dinoft/label_checks.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

int df_measure_check_labels(const struct df_measure *measure)
{
    const struct df_dataset *const sets[] = {measure->dataset};
    return df_labels_check(sets, 1);
}

int df_measure_start(struct df_measure *measure)
{
    const struct df_inference_options *how = &measure->how;

    const bool batches = df_inference_is_plain(how) || how->crop > 0;
    measure->segmenter = df_setup_segmenter(
        &measure->setup, df_inference_is_plain(how) ? DF_MODEL_EVALUATES_FEED : DF_MODEL_EVALUATES,
        measure->dataset->n_classes, batches ? measure->options.batch_size : 1, 0);
    if (!measure->segmenter)
        return -1;
    if (!df_inference_is_plain(how) && !(measure->inference = df_inference_open(measure->segmenter, how)))
        return -1;
    return 0;
}

void df_measure_close(struct df_measure *measure)
{
    df_inference_close(measure->inference);
    df_segmenter_free(measure->segmenter);
    df_dataset_free(measure->dataset);
    df_setup_close(&measure->setup);
}

struct df_loader *df_measure_loader(const struct df_measure *measure, bool originals, df_sample_reader *read,
                                    void *context)
{
    const struct df_loader_options options = {
        .batch_size = measure->options.batch_size,
        .height = measure->inference ? 0 : measure->setup.model.height,
        .width = measure->inference ? 0 : measure->setup.model.width,
        .workers = measure->options.workers,
        .originals = originals || measure->options.original || measure->inference,
        .read = read,
        .read_context = context,
    };
    return df_feed_open_loader(measure->dataset, &options, measure->segmenter);
}

void df_measure_describe(const struct df_measure *measure, char *text, size_t size)
{
    const char *scales = measure->options.scales;
    char window[64] = "";

    if (measure->how.crop > 0)
        snprintf(window, sizeof window, ", sliding window %" PRId64 " / %" PRId64, measure->how.crop,
                 measure->how.stride);
    snprintf(text, size, "%s%s%s%s%s",
             measure->how.own_size     ? ", not resized"
             : measure->how.keep_ratio ? ", ratio kept"
                                       : "",
             window, scales ? ", scales " : "", scales ? scales : "", scales ? ", mirrored too" : "");
}

void df_measure_add_fact(struct df_measure_facts *facts, const char *name, const char *format, ...)
{
    va_list arguments;
    char *text = facts->texts[facts->count];

    assert(facts->count < DF_MEASURE_FACTS);

    va_start(arguments, format);
    vsnprintf(text, sizeof facts->texts[0], format, arguments);
    va_end(arguments);
    facts->items[facts->count++] = (struct df_fact){name, text};
}

static void add_decoder(const struct df_measure *measure, struct df_measure_facts *facts)
{
    const struct df_prototype_source *prototypes = &measure->prototypes;
    char chosen[64] = "";

    if (!prototypes->set) {
        df_measure_add_fact(facts, "decoder", "%s", measure->setup.checkpoint->decoder->title);
        return;
    }
    if (prototypes->shots > 0)
        snprintf(chosen, sizeof chosen, " (--shots %" PRId64 ", --seed %" PRId64 ")", prototypes->shots,
                 prototypes->seed);
    df_measure_add_fact(facts, "decoder", "prototypes: cosine similarity to the classes' mean features");
    df_measure_add_fact(facts, "prototypes of", "%" PRId64 " training images%s", prototypes->set->count,
                        chosen);
}

void df_measure_facts(const struct df_measure *measure, struct df_measure_facts *facts)
{
    const struct df_setup *setup = &measure->setup;
    const bool validates = df_split_named(measure->options.split, DF_SPLIT_VAL);
    char how[200];

    df_measure_describe(measure, how, sizeof how);
    facts->count = 0;
    if (measure->options.checkpoint)
        df_measure_add_fact(facts, "checkpoint", "%s", measure->options.checkpoint);
    df_measure_add_fact(facts, "backbone", "%s", setup->weights_path);
    df_measure_add_fact(facts, "LoRA rank", "%" PRId64, setup->model.rank);
    add_decoder(measure, facts);
    df_measure_add_fact(facts, "data set", "%s, %" PRId64 " images%s%s",
                        df_dataset_kind_name(measure->dataset->kind), measure->dataset->count,
                        validates ? "" : " of the split ", validates ? "" : measure->options.split);
    df_measure_add_fact(facts, "model input", "%" PRId64 " x %" PRId64 "%s", setup->model.height,
                        setup->model.width, how);
    df_measure_add_fact(facts, "normalisation", "%s", setup->normalize);
    if (setup->vit.pos_interpolation != DF_POS_OFFICIAL && setup->vit.pos_grid > 0)
        df_measure_add_fact(facts, "positions", "placed as by %s",
                            df_pos_interpolation_name(setup->vit.pos_interpolation));
    df_measure_add_fact(facts, "measured at", "%s",
                        measure->options.original ? "the labels' original size" : "the network's input size");
    /* The reference project's numbers are means over batches. */
    df_measure_add_fact(facts, "batch size", "%" PRId64, measure->options.batch_size);
    df_measure_add_fact(facts, "precision", "%s", df_dtype_name(setup->backend->compute));
}
