/* Which images of those that nothing divides train, and which validate. */
#include "layout.h"

#include "../sample_list.h"

#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/rng.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Samples in the order of their names: what is drawn does not depend on the order they were found in. */
struct names {
    const char *name;
    int64_t sample;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct names *)a)->name, ((const struct names *)b)->name);
}

static struct names *sort_names(const struct df_dataset *dataset)
{
    struct names *names = calloc((size_t)dataset->count, sizeof *names);

    if (!names) {
        df_error_memory("names of samples", (unsigned long long)dataset->count * sizeof *names);
        return NULL;
    }
    for (int64_t i = 0; i < dataset->count; i++)
        names[i] = (struct names){dataset->samples[i].name, i};
    qsort(names, (size_t)dataset->count, sizeof *names, compare);
    return names;
}

static uint64_t digest_names(const struct names *names, int64_t count)
{
    struct df_digest digest;

    df_digest_start(&digest);
    for (int64_t i = 0; i < count; i++)
        df_digest_add_text(&digest, names[i].name);
    return df_digest_value(&digest);
}

/* One at least; and all only where that is asked for. */
static int64_t validation_images(double fraction, int64_t count)
{
    const int64_t wanted = (int64_t)(fraction * (double)count + 0.5);
    const int64_t most = fraction < 1.0 ? count - 1 : count;

    return wanted > most ? most : wanted < 1 ? 1 : wanted;
}

/* What is drawn with, [count] each. */
struct drawing {
    struct names *names;
    uint64_t digest; /* of them */
    int64_t *order;
    bool *validates;
};

static int drawing_open(struct drawing *drawing, const struct df_dataset *dataset)
{
    const size_t count = (size_t)dataset->count;

    *drawing = (struct drawing){sort_names(dataset), 0, calloc(count, sizeof *drawing->order),
                                calloc(count, sizeof *drawing->validates)};
    if (!drawing->names || !drawing->order || !drawing->validates)
        return df_error_memory("a split", (unsigned long long)count * sizeof *drawing->order);
    drawing->digest = digest_names(drawing->names, dataset->count);
    return 0;
}

static void drawing_close(struct drawing *drawing)
{
    free(drawing->names);
    free(drawing->order);
    free(drawing->validates);
}

/* Marks the samples that validate. */
static void draw(struct drawing *drawing, const struct df_split_record *split)
{
    const int64_t drawn = validation_images(split->val_fraction, split->images);
    struct df_rng rng;

    df_rng_seed(&rng, (uint64_t)split->split_seed, df_hash_text("validation images"));
    df_rng_permutation(&rng, drawing->order, split->images);
    memset(drawing->validates, 0, (size_t)split->images * sizeof *drawing->validates);
    for (int64_t i = 0; i < drawn; i++)
        drawing->validates[drawing->names[drawing->order[i]].sample] = true;
}

static int check_same_set(const struct df_layout_options *layout, const struct df_split_record *now,
                          const struct df_listing *listing)
{
    const struct df_split_record *trained = &layout->trained;

    if (trained->images == now->images && trained->names == now->names)
        return 0;
    return df_error_set("%s was trained on a part of %" PRId64
                        " images (--val_fraction %g --split_seed %" PRId64
                        "), and these are not the same %" PRId64
                        " (%s): what is drawn of them may be what it was trained on; "
                        "--val_list names images, --val_fraction draws anew, and --val_fraction 1 takes all",
                        layout->trained_file, trained->images, trained->val_fraction, trained->split_seed,
                        now->images, listing->what);
}

static void tell(const struct df_split_record *made, const struct df_layout_options *layout,
                 const struct df_listing *listing)
{
    const int64_t validation = validation_images(made->val_fraction, made->images);
    const bool recorded = layout->val_fraction <= 0.0;

    if (layout->tells)
        df_log("layout: %s, %" PRId64 " images: %" PRId64 " for training and %" PRId64
               " for validation, by --val_fraction %g --split_seed %" PRId64 "%s%s%s",
               listing->what, made->images, made->images - validation, validation, made->val_fraction,
               made->split_seed, recorded ? ", as " : "", recorded ? layout->trained_file : "",
               recorded ? " records" : "");
}

static int split_by_chance(struct df_dataset *dataset, const struct df_dataset_options *options,
                           const struct df_listing *listing, struct drawing *drawing,
                           struct df_chosen *chosen)
{
    const struct df_layout_options *layout = &options->layout;
    struct df_split_record *made = &dataset->split_made;

    *made = layout->val_fraction > 0.0 ? (struct df_split_record){.val_fraction = layout->val_fraction,
                                                                  .split_seed = layout->split_seed}
                                       : layout->trained;
    made->images = dataset->count;
    made->names = drawing->digest;
    if (layout->val_fraction <= 0.0)
        DF_TRY(check_same_set(layout, made, listing));
    draw(drawing, made);
    for (int64_t i = 0; i < dataset->count; i++) {
        if (drawing->validates[i] == (options->split == DF_SPLIT_VAL))
            chosen->samples[chosen->count++] = i;
    }
    if (chosen->count == 0)
        return df_error_set("--val_fraction %g of %" PRId64 " image%s leaves none to train on",
                            made->val_fraction, made->images, made->images == 1 ? "" : "s");
    tell(made, layout, listing);
    return 0;
}

/* A model that validates on images of its training is measured by what it remembers. Checkpoints of earlier
 * versions tell of these by their split alone. */
static void warn_of_seen(const struct df_dataset *dataset, const struct df_layout_options *layout,
                         struct drawing *drawing, const struct df_chosen *chosen)
{
    const struct df_split_record *trained = &layout->trained;
    int64_t seen = 0;

    if (trained->val_fraction <= 0.0 || trained->images != dataset->count ||
        trained->names != drawing->digest)
        return;
    draw(drawing, trained);
    for (int64_t i = 0; i < chosen->count; i++)
        seen += !drawing->validates[chosen->samples[i]];
    if (seen > 0)
        df_log(
            "warning: %" PRId64 " of the %" PRId64
            " validation images are among those that %s was trained on (it was validated on the others, by "
            "--val_fraction %g --split_seed %" PRId64 ")",
            seen, chosen->count, layout->trained_file, trained->val_fraction, trained->split_seed);
}

static int choose(struct df_dataset *dataset, const struct df_dataset_options *options,
                  const struct df_listing *listing, struct df_chosen *chosen)
{
    const struct df_layout_options *layout = &options->layout;
    struct drawing drawing;
    int status = drawing_open(&drawing, dataset);

    if (status == 0 && (layout->train_list || layout->val_list))
        status = df_split_by_lists(dataset, options, listing, chosen);
    else if (status == 0)
        status = split_by_chance(dataset, options, listing, &drawing, chosen);
    if (status == 0 && options->split == DF_SPLIT_VAL && !layout->images_are_known)
        warn_of_seen(dataset, layout, &drawing, chosen);
    drawing_close(&drawing);
    return status;
}

bool df_layout_draws(const struct df_layout_options *layout)
{
    return layout->train_list || layout->val_list || layout->val_fraction > 0.0 ||
           (layout->trained.images > 0 && layout->trained.val_fraction > 0.0);
}

int df_split_choose(struct df_dataset *dataset, const struct df_dataset_options *options,
                    const struct df_listing *listing)
{
    if (!df_layout_draws(&options->layout))
        return df_error_set("%s: nothing says which images validate: --val_fraction F draws a part of them, "
                            "--train_list and --val_list name them",
                            listing->what);
    struct df_chosen chosen = {.samples = calloc((size_t)dataset->count, sizeof *chosen.samples)};
    int status = chosen.samples ? choose(dataset, options, listing, &chosen)
                                : df_error_memory("a split", (unsigned long long)dataset->count * 8);

    if (status == 0)
        status = df_sample_select(dataset, chosen.samples, chosen.count);
    free(chosen.samples);
    return status;
}
