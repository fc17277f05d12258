#include "dinoft/data_survey.h"

#include "folder_files.h"

#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/rng.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_IMAGE, FILE_MASK, FILE_BOTH };

/* The pair that a thread is at. */
struct look {
    struct df_data_survey *survey;
    int set;
    int64_t pair;
    struct df_surveyed_pair *facts;
};

int df_data_survey_init(struct df_data_survey *survey, const struct df_dataset *const sets[], int n_sets)
{
    *survey = (struct df_data_survey){.n_sets = n_sets};
    pthread_mutex_init(&survey->lock, NULL);
    for (int i = 0; i < n_sets; i++) {
        const size_t count = (size_t)sets[i]->count;
        survey->sets[i].set = sets[i];
        survey->sets[i].pairs = calloc(count + 1, sizeof *survey->sets[i].pairs);
        if (!survey->sets[i].pairs)
            return df_error_memory("a survey of images", count * sizeof *survey->sets[i].pairs);
    }
    return 0;
}

void df_data_survey_free(struct df_data_survey *survey)
{
    for (int i = 0; i < survey->n_sets; i++)
        free(survey->sets[i].pairs);
    for (size_t i = 0; i < survey->n_faults; i++)
        free(survey->faults[i].text);
    free(survey->faults);
    pthread_mutex_destroy(&survey->lock);
}

int64_t df_data_survey_pairs(const struct df_data_survey *survey)
{
    int64_t sum = 0;
    for (int i = 0; i < survey->n_sets; i++)
        sum += survey->sets[i].set->count;
    return sum;
}

/* --- reading a pair --- */

static uint64_t digest_of(const struct df_image *image)
{
    return df_digest_of(image->pixels, (size_t)(image->width * image->height * image->channels));
}

/* A row's squares fit into 32 bits. */
static void add_row(const uint8_t *row, int64_t width, struct df_channel_sums *sums)
{
    uint32_t sum[3] = {0}, squares[3] = {0};

    _Static_assert((uint64_t)DF_IMAGE_MAX_SIDE * 255 * 255 <= UINT32_MAX, "the longest row fits");
    for (int64_t x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) {
            const uint32_t value = row[3 * x + c];
            sum[c] += value;
            squares[c] += value * value;
        }
    }
    for (int c = 0; c < 3; c++) {
        sums->sums[c] += sum[c];
        sums->squares[c] += squares[c];
    }
}

static void note_image(const struct look *look, const struct df_image *image)
{
    struct df_channel_sums sums = {0}, *all = &look->survey->sets[look->set].sums;

    look->facts->width = (int32_t)image->width;
    look->facts->height = (int32_t)image->height;
    look->facts->pixels = digest_of(image);
    look->facts->warning = image->warning;
    for (int64_t y = 0; y < image->height; y++)
        add_row(image->pixels + 3 * y * image->width, image->width, &sums);
    pthread_mutex_lock(&look->survey->lock);
    all->pixels += (uint64_t)(image->width * image->height);
    for (int c = 0; c < 3; c++) {
        all->sums[c] += sums.sums[c];
        all->squares[c] += sums.squares[c];
    }
    pthread_mutex_unlock(&look->survey->lock);
}

static void note_mask(const struct look *look, const struct df_image *mask)
{
    look->facts->labels = digest_of(mask);
    look->facts->has_labels = true;
}

/* Whether the masks may have been made of what the file holds, and not of what one sees. */
static bool turns_silently(const char *path, const struct df_image *image)
{
    const int orientation = df_image_orientation(path);

    return orientation != 1 && (orientation < 5 || image->width == image->height);
}

static int add_fault(const struct look *look, int file, const char *text)
{
    struct df_data_survey *survey = look->survey;
    char *copy = df_text_copy(text);
    int status = -1;

    if (!copy)
        return -1;
    look->facts->is_faulty = true;
    pthread_mutex_lock(&survey->lock);
    struct df_survey_fault *faults = df_grown(survey->faults, survey->n_faults, sizeof *faults);
    if (faults) {
        survey->faults = faults;
        faults[survey->n_faults++] = (struct df_survey_fault){look->set, look->pair, file, copy};
        status = 0;
    }
    pthread_mutex_unlock(&survey->lock);
    if (status != 0)
        free(copy);
    return status;
}

/* One of the two files, of a pair of which something is wrong. */
static int read_alone(const struct look *look, int file)
{
    const struct df_dataset *set = look->survey->sets[look->set].set;
    struct df_image read;
    const int status = file == FILE_IMAGE ? df_dataset_read(set, look->pair, &read, NULL)
                                          : df_dataset_read(set, look->pair, NULL, &read);

    if (status != 0)
        return df_error_is_memory() ? -1 : add_fault(look, file, df_error_text());
    if (file == FILE_IMAGE)
        note_image(look, &read);
    else
        note_mask(look, &read);
    df_image_free(&read);
    return 0;
}

/* Says of each file what is wrong with it, or where both can be read what the error says of the pair. Masks
 * of annotations may take their size from the image. */
static int read_apart(const struct look *look)
{
    struct df_error error;

    if (df_error_is_memory())
        return -1;
    df_error_keep(&error);
    DF_TRY(read_alone(look, FILE_IMAGE));
    if (look->facts->width > 0 || !look->survey->sets[look->set].set->annotations)
        DF_TRY(read_alone(look, FILE_MASK));
    return look->facts->is_faulty ? 0 : add_fault(look, FILE_BOTH, error.text);
}

static int read_pair(const struct look *look)
{
    const struct df_dataset *set = look->survey->sets[look->set].set;
    const char *path = set->samples[look->pair].image_path;
    struct df_image image, mask;

    look->facts->format = df_image_format(path);
    if (!look->facts->format && df_error_is_memory())
        return -1;
    if (df_dataset_read(set, look->pair, &image, &mask) != 0)
        return read_apart(look);
    note_image(look, &image);
    note_mask(look, &mask);
    look->facts->is_turned = turns_silently(path, &image);
    df_image_free(&image);
    df_image_free(&mask);
    return 0;
}

int df_data_survey_read(void *survey, int64_t number)
{
    struct look look = {.survey = survey, .pair = number};

    while (look.pair >= look.survey->sets[look.set].set->count)
        look.pair -= look.survey->sets[look.set++].set->count;
    look.facts = &look.survey->sets[look.set].pairs[look.pair];
    return read_pair(&look);
}

static int compare_faults(const void *a, const void *b)
{
    const struct df_survey_fault *x = a, *y = b;

    if (x->set != y->set)
        return x->set - y->set;
    if (x->pair != y->pair)
        return x->pair < y->pair ? -1 : 1;
    return x->file - y->file;
}

void df_data_survey_end(struct df_data_survey *survey)
{
    if (survey->n_faults > 0)
        qsort(survey->faults, survey->n_faults, sizeof *survey->faults, compare_faults);
}

/* --- a few to look at --- */

#define WORDS (DF_LABEL_VALUES / 64)

static int count_new(const uint64_t *labels, const uint64_t *seen)
{
    int count = 0;
    for (int i = 0; i < WORDS; i++)
        count += __builtin_popcountll(labels[i] & ~seen[i]);
    return count;
}

/* Moves the best of those from `from` on there: the one with the most classes that nobody before it shows, of
 * equal ones the first. False where none can be shown. */
static bool move_best(const struct df_surveyed_set *set, int64_t *order, int64_t from, uint64_t *seen)
{
    int64_t best = -1;
    int most = -1;

    for (int64_t i = from; i < set->set->count; i++) {
        uint64_t labels[WORDS];
        if (set->pairs[order[i]].is_faulty)
            continue;
        df_label_census_labels(set->set->census, order[i], labels);
        const int found = count_new(labels, seen);
        if (found > most) {
            most = found;
            best = i;
        }
    }
    if (best < 0)
        return false;
    uint64_t labels[WORDS];
    const int64_t pair = order[best];
    order[best] = order[from];
    order[from] = pair;
    df_label_census_labels(set->set->census, pair, labels);
    for (int i = 0; i < WORDS; i++)
        seen[i] |= labels[i];
    return true;
}

static int compare_numbers(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int df_data_survey_choose(const struct df_surveyed_set *set, int most, uint64_t seed, int64_t *chosen)
{
    const int64_t count = set->set->count;
    uint64_t seen[WORDS] = {0};
    struct df_rng rng;
    int found = 0;

    int64_t *order = malloc((size_t)(count + 1) * sizeof *order);
    if (!order)
        return df_error_memory("a choice of images", (size_t)(count + 1) * sizeof *order);
    df_rng_seed(&rng, seed, df_hash_text("samples to look at"));
    df_rng_permutation(&rng, order, count);
    seen[DF_IGNORE_LABEL / 64] |= (uint64_t)1 << DF_IGNORE_LABEL % 64; /* is no class */
    while (found < most && move_best(set, order, found, seen))
        found++;
    if (found > 0) {
        memcpy(chosen, order, (size_t)found * sizeof *order);
        qsort(chosen, (size_t)found, sizeof *chosen, compare_numbers);
    }
    free(order);
    return found;
}
