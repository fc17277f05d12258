/* Every pair of a data set is read once: what is counted, every kind of fault, images that are there again,
 * and which samples are shown. */
#include "dinoft/data_survey.h"
#include "dinoft/worker_pool.h"
#include "data/scratch_images.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WIDTH   6
#define HEIGHT  4
#define CLASSES 3

struct surveyed {
    struct df_dataset *sets[DF_SURVEY_SETS];
    struct df_data_survey survey;
};

static void add_pair(const char *root, const char *split, const char *name, int shade, int label)
{
    char path[160];

    snprintf(path, sizeof path, "%s/images/%s/%s.png", root, split, name);
    scratch_image(path, WIDTH, HEIGHT, shade);
    snprintf(path, sizeof path, "%s/masks/%s/%s.png", root, split, name);
    scratch_mask(path, WIDTH, HEIGHT, label);
}

static struct df_dataset *open_set(const char *root, enum df_split split)
{
    const struct df_dataset_options options = {.kind = DF_DATASET_FOLDER,
                                               .root = scratch_path(root),
                                               .split = split,
                                               .n_classes = CLASSES,
                                               .takes_missing = true};
    struct df_dataset *set = df_dataset_open(&options);
    assert_works(set);
    return set;
}

/* In so many threads. */
static void look(struct surveyed *surveyed, const char *root, int threads)
{
    struct df_job_set jobs;

    surveyed->sets[0] = open_set(root, DF_SPLIT_TRAIN);
    surveyed->sets[1] = open_set(root, DF_SPLIT_VAL);
    const struct df_dataset *const sets[] = {surveyed->sets[0], surveyed->sets[1]};
    assert_int_equal(df_data_survey_init(&surveyed->survey, sets, 2), 0);
    struct df_worker_pool *pool = df_worker_pool_open(threads, 1);
    assert_non_null(pool);
    df_worker_pool_submit(pool, &jobs, df_data_survey_read, &surveyed->survey,
                          df_data_survey_pairs(&surveyed->survey));
    assert_works(df_worker_pool_wait(pool, &jobs) == 0);
    df_worker_pool_close(pool);
    df_data_survey_end(&surveyed->survey);
}

static void close_survey(struct surveyed *surveyed)
{
    df_data_survey_free(&surveyed->survey);
    df_dataset_free(surveyed->sets[0]);
    df_dataset_free(surveyed->sets[1]);
}

static void counts_what_is_there(void **state)
{
    struct surveyed surveyed;
    struct df_label_counts counts;

    (void)state;
    add_pair("good", "train", "a", 10, 0);
    add_pair("good", "train", "b", 30, 2);
    add_pair("good", "val", "c", 50, 1);
    look(&surveyed, "good", 2);
    const struct df_surveyed_set *train = &surveyed.survey.sets[0];
    assert_int_equal(surveyed.survey.n_faults, 0);
    assert_int_equal(train->sums.pixels, 2 * WIDTH * HEIGHT);
    for (int c = 0; c < 3; c++) {
        assert_int_equal(train->sums.sums[c], (10 + 30) * WIDTH * HEIGHT);
        assert_int_equal(train->sums.squares[c], (100 + 900) * WIDTH * HEIGHT);
    }
    assert_int_equal(train->pairs[1].width, WIDTH);
    assert_int_equal(train->pairs[1].height, HEIGHT);
    assert_string_equal(train->pairs[1].format, "PNG");
    assert_true(train->pairs[1].has_labels);
    df_label_census_read(surveyed.sets[0]->census, &counts);
    assert_int_equal(counts.masks, 2);
    assert_int_equal(counts.pixels[2], WIDTH * HEIGHT);
    close_survey(&surveyed);
}

/* One of each kind, and pairs without a fault between them. */
static void make_faults(const char *root)
{
    char path[160];

    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        add_pair(root, "train", name, 10 * i, 1);
    }
    snprintf(path, sizeof path, "%s/images/train/1.png", root);
    scratch_write_text(path, "no picture");
    snprintf(path, sizeof path, "%s/images/train/2.png", root);
    scratch_write(path, "", 0);
    snprintf(path, sizeof path, "%s/masks/train/2.png", root);
    scratch_write_text(path, "no mask");
    snprintf(path, sizeof path, "%s/masks/train/3.png", root);
    scratch_mask(path, WIDTH, HEIGHT, CLASSES);
    snprintf(path, sizeof path, "%s/masks/train/4.png", root);
    scratch_mask(path, WIDTH + 1, HEIGHT, 1);
    snprintf(path, sizeof path, "%s/masks/train/6.png", root);
    assert_int_equal(unlink(scratch_path(path)), 0);
    add_pair(root, "val", "0", 200, 1);
    snprintf(path, sizeof path, "%s/masks/val/0.png", root);
    scratch_mask(path, WIDTH, HEIGHT, 77);
}

static void every_fault_is_noted(void **state)
{
    static const struct {
        int set;
        int64_t pair;
        const char *words;
    } expected[] = {{0, 1, "images/train/1.png"},
                    {0, 2, "images/train/2.png"},
                    {0, 2, "masks/train/2.png"},
                    {0, 3, "masks/train/3.png"},
                    {0, 4, "6 x 4"},
                    {0, 6, "masks/train/6.png"},
                    {1, 0, "label 77"}};
    struct surveyed surveyed;

    (void)state;
    make_faults("faults");
    for (int threads = 1; threads < 5; threads++) {
        look(&surveyed, "faults", threads);
        const struct df_data_survey *survey = &surveyed.survey;
        assert_int_equal(survey->n_faults, sizeof expected / sizeof expected[0]);
        for (size_t i = 0; i < survey->n_faults; i++) {
            assert_int_equal(survey->faults[i].set, expected[i].set);
            assert_int_equal(survey->faults[i].pair, expected[i].pair);
            assert_non_null(strstr(survey->faults[i].text, expected[i].words));
            assert_true(survey->sets[expected[i].set].pairs[expected[i].pair].is_faulty);
        }
        assert_false(survey->sets[0].pairs[5].is_faulty);
        assert_int_equal(survey->sets[0].sums.pixels, 6 * WIDTH * HEIGHT); /* all that can be read */
        close_survey(&surveyed);
    }
}

static void equal_images_are_found(void **state)
{
    struct surveyed surveyed;
    struct df_duplicates duplicates;

    (void)state;
    add_pair("again", "train", "a", 10, 0);
    add_pair("again", "train", "b", 20, 0);
    add_pair("again", "train", "c", 10, 0);
    add_pair("again", "train", "d", 30, 1);
    scratch_image("again/images/train/e.png", HEIGHT, WIDTH, 10); /* as many pixels, another shape */
    scratch_mask("again/masks/train/e.png", HEIGHT, WIDTH, 0);
    add_pair("again", "val", "x", 30, 2);
    add_pair("again", "val", "y", 40, 2);
    look(&surveyed, "again", 2);
    assert_int_equal(df_duplicates_find(&surveyed.survey, &duplicates), 0);
    assert_int_equal(duplicates.count, 2);
    const struct df_duplicate_group *in_one = &duplicates.groups[0], *in_both = &duplicates.groups[1];
    assert_int_equal(in_one->count, 2);
    assert_int_equal(in_one->places[0].pair, 0);
    assert_int_equal(in_one->places[1].pair, 2);
    assert_false(in_one->crosses);
    assert_false(in_one->masks_differ);
    assert_int_equal(in_both->places[0].pair, 3);
    assert_int_equal(in_both->places[1].set, 1);
    assert_true(in_both->crosses);
    assert_true(in_both->masks_differ);
    df_duplicates_free(&duplicates);
    close_survey(&surveyed);
}

static void samples_show_every_class(void **state)
{
    struct surveyed surveyed;
    int64_t chosen[4], other[4];
    bool seen[CLASSES] = {false};

    (void)state;
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "%02d", i);
        add_pair("many", "train", name, i, i == 17 ? 1 : i == 31 ? 2 : 0);
    }
    add_pair("many", "val", "0", 1, 0);
    scratch_write_text("many/masks/train/05.png", "no mask");
    look(&surveyed, "many", 2);
    const struct df_surveyed_set *set = &surveyed.survey.sets[0];
    for (uint64_t seed = 0; seed < 20; seed++) {
        assert_int_equal(df_data_survey_choose(set, 4, seed, chosen), 4);
        for (int i = 0; i < 4; i++) {
            seen[chosen[i] == 17 ? 1 : chosen[i] == 31 ? 2 : 0] = true;
            assert_int_not_equal(chosen[i], 5);
            assert_true(i == 0 || chosen[i] > chosen[i - 1]);
        }
        for (int label = 0; label < CLASSES; label++)
            assert_true(seen[label]);
        memset(seen, 0, sizeof seen);
    }
    assert_int_equal(df_data_survey_choose(set, 4, 1, chosen), 4);
    assert_int_equal(df_data_survey_choose(set, 4, 1, other), 4);
    assert_memory_equal(chosen, other, sizeof chosen);
    assert_int_equal(df_data_survey_choose(&surveyed.survey.sets[1], 4, 1, chosen), 1);
    close_survey(&surveyed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_is_there),
        cmocka_unit_test(every_fault_is_noted),
        cmocka_unit_test(equal_images_are_found),
        cmocka_unit_test(samples_show_every_class),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
