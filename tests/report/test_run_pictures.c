/* The same images at a run's validations: which are kept, and what comes back of a state that may be damaged.
 */
#include "support/errors.h"
#include "support/markup.h"
#include "support/scratch.h"

#include "src/report/run/run_pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH   30
#define HEIGHT  20
#define SAMPLES 3
#define CLASSES 3

static char *class_names[] = {"background", "<sheep>", "sky"};

static struct df_dataset *open_set(void)
{
    const struct df_dataset_options options = {
        .kind = DF_DATASET_VOC, .root = scratch_path("demo"), .split = DF_SPLIT_VAL};

    assert_int_equal(df_demo_data_write(scratch_path("demo"), 1, SAMPLES, 7), 0);
    struct df_dataset *set = df_dataset_open(&options);
    assert_non_null(set);
    return set;
}

static uint8_t pixel_class(int64_t epoch, int sample, int i)
{
    return (uint8_t)((i / 7 + epoch + sample) % CLASSES);
}

static void add_epoch(struct run_pictures *pictures, int64_t epoch, int64_t best_epoch)
{
    uint8_t classes[WIDTH * HEIGHT], labels[WIDTH * HEIGHT];

    memset(labels, 1, sizeof labels);
    for (int s = 0; s < SAMPLES; s++) {
        for (int i = 0; i < WIDTH * HEIGHT; i++)
            classes[i] = pixel_class(epoch, s, i);
        const struct df_prediction prediction = {
            .sample = s, .height = HEIGHT, .width = WIDTH, .classes = classes, .labels = labels};
        assert_works(sample_images_add(&pictures->seen, &prediction) == 0);
    }
    assert_works(run_pictures_end(pictures, epoch, 0.01 * (double)epoch, best_epoch) == 0);
}

static void assert_maps(const struct run_pictures *pictures)
{
    uint8_t classes[WIDTH * HEIGHT];

    for (int i = 0; i < pictures->n_items; i++) {
        for (int s = 0; s < SAMPLES; s++) {
            run_map_unpack(&pictures->items[i].maps[s], classes);
            for (int p = 0; p < WIDTH * HEIGHT; p++)
                assert_int_equal(classes[p], pixel_class(pictures->items[i].epoch, s, p));
        }
    }
}

static void first_best_and_last_are_kept(void **state)
{
    struct df_dataset *set = open_set();
    struct run_pictures pictures;

    run_pictures_init(&pictures, set);
    for (int64_t epoch = 1; epoch <= 50; epoch++)
        add_epoch(&pictures, epoch, epoch < 12 ? epoch : 12);
    assert_int_equal(pictures.n_items, RUN_PICTURES_KEPT);
    assert_int_equal(pictures.items[0].epoch, 1);
    assert_int_equal(pictures.items[RUN_PICTURES_KEPT - 1].epoch, 50);
    bool has_best = false;
    for (int i = 1; i < RUN_PICTURES_KEPT; i++) {
        has_best |= pictures.items[i].epoch == 12;
        assert_true(pictures.items[i].epoch > pictures.items[i - 1].epoch);
        assert_true(pictures.items[i].epoch - pictures.items[i - 1].epoch <= 20);
    }
    assert_true(has_best);
    assert_true(pictures.items[2].miou == 0.01 * (double)pictures.items[2].epoch);
    assert_maps(&pictures);
    run_pictures_free(&pictures);
    df_dataset_free(set);
}

/* One that was interrupted leaves nothing, one that is done again takes the first one's place. */
static void validations_count_once(void **state)
{
    struct df_dataset *set = open_set();
    struct run_pictures pictures;
    uint8_t classes[WIDTH * HEIGHT] = {2};

    run_pictures_init(&pictures, set);
    add_epoch(&pictures, 1, 1);
    const struct df_prediction prediction = {
        .sample = 0, .height = HEIGHT, .width = WIDTH, .classes = classes, .labels = classes};
    assert_int_equal(sample_images_add(&pictures.seen, &prediction), 0);
    add_epoch(&pictures, 3, 1);
    add_epoch(&pictures, 3, 3);
    assert_int_equal(pictures.n_items, 2);
    assert_int_equal(pictures.items[1].epoch, 3);
    assert_maps(&pictures);
    run_pictures_free(&pictures);
    df_dataset_free(set);
}

static struct df_state *stored(struct df_dataset *set)
{
    struct run_pictures pictures;
    struct df_state *kept = df_state_new();

    run_pictures_init(&pictures, set);
    for (int64_t epoch = 2; epoch <= 8; epoch += 2)
        add_epoch(&pictures, epoch, epoch);
    assert_non_null(kept);
    assert_works(run_pictures_store(&pictures, kept) == 0);
    run_pictures_free(&pictures);
    return kept;
}

static void pictures_come_back(void **state)
{
    struct df_dataset *set = open_set();
    struct df_state *kept = stored(set);
    struct run_pictures pictures;

    run_pictures_init(&pictures, set);
    assert_works(run_pictures_restore(&pictures, kept) == 0);
    assert_int_equal(pictures.n_items, 4);
    add_epoch(&pictures, 10, 10);
    assert_int_equal(pictures.n_items, 5);
    assert_int_equal(pictures.items[0].epoch, 2);
    assert_maps(&pictures);
    run_pictures_free(&pictures);
    df_state_free(kept);
    df_dataset_free(set);
}

static void pictures_of_other_images_go(void **state)
{
    struct df_dataset *set = open_set();
    struct df_state *kept = stored(set);
    struct run_pictures pictures;
    uint8_t classes[WIDTH * HEIGHT] = {0};
    const struct df_prediction prediction = {
        .sample = 1, .height = HEIGHT, .width = WIDTH, .classes = classes, .labels = classes};

    run_pictures_init(&pictures, set);
    assert_works(run_pictures_restore(&pictures, kept) == 0);
    assert_int_equal(sample_images_add(&pictures.seen, &prediction), 0);
    assert_int_equal(run_pictures_end(&pictures, 10, 0.5, 10), 0);
    assert_int_equal(pictures.n_items, 1);
    assert_int_equal(pictures.n_samples, 1);
    run_pictures_free(&pictures);
    df_state_free(kept);
    df_dataset_free(set);
}

#define DAMAGES 5

static void do_damage(struct df_state *kept, const char *name, int damage)
{
    const struct df_entry *found = df_state_find(kept, name);

    assert_non_null(found);
    struct df_entry *entry = &kept->entries[found - kept->entries];
    if (damage == 0)
        entry->name[0] = 'x';
    else if (damage == 1)
        entry->tensor.count--;
    else if (damage == 2)
        entry->tensor.dtype = entry->tensor.dtype == DF_U8 ? DF_I8 : DF_F32;
    else
        memset(entry->owned, damage == 3 ? 0xff : 0, entry->tensor.count);
}

/* Whatever a state holds, nothing is read that is not there. */
static void damaged_pictures_are_left_out(void **state)
{
    static const char *const names[] = {"page.size", "page.samples", "page.epochs",
                                        "page.miou", "page.map.0.0", "page.map.3.2"};
    struct df_dataset *set = open_set();

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (int damage = 0; damage < DAMAGES; damage++) {
            struct df_state *kept = stored(set);
            struct run_pictures pictures;
            do_damage(kept, names[i], damage);
            run_pictures_init(&pictures, set);
            assert_int_equal(run_pictures_restore(&pictures, kept), 0);
            /* Other scores, and other or fewer images, are what a state may hold. */
            const bool is_scores = strcmp(names[i], "page.miou") == 0;
            const bool is_images = strcmp(names[i], "page.samples") == 0;
            if (!(is_scores && damage >= 3) && !(is_images && (damage >= 3 || damage == 1)))
                assert_int_equal(pictures.n_items, 0);
            add_epoch(&pictures, 100, 100);
            FILE *stream = tmpfile();
            assert_int_equal(run_pictures_write(stream, &pictures, 100), 0);
            fclose(stream);
            run_pictures_free(&pictures);
            df_state_free(kept);
        }
    }
    df_dataset_free(set);
}

static void the_section_shows_them_side_by_side(void **state)
{
    struct df_dataset *set = open_set();
    struct run_pictures pictures;
    char **names = set->class_names;

    set->class_names = class_names;
    set->n_classes = CLASSES;
    run_pictures_init(&pictures, set);
    FILE *stream = tmpfile();
    assert_int_equal(run_pictures_write(stream, &pictures, 0), 0);
    char *page = page_text(stream);
    assert_string_equal(page, "");
    free(page);
    add_epoch(&pictures, 1, 1);
    add_epoch(&pictures, 5, 5);
    add_epoch(&pictures, 9, 5);
    stream = tmpfile();
    assert_works(run_pictures_write(stream, &pictures, 5) == 0);
    page = page_text(stream);
    assert_well_formed(page);
    assert_int_equal(occurrences(page, "data:image/jpeg"), SAMPLES * 5);
    assert_int_equal(occurrences(page, "<figcaption>label</figcaption>"), SAMPLES);
    assert_int_equal(occurrences(page, "<figcaption>epoch 5 (best): mIoU 5.0 %</figcaption>"), SAMPLES);
    assert_int_equal(occurrences(page, "<figcaption>epoch 9 (last): mIoU 9.0 %</figcaption>"), SAMPLES);
    assert_int_equal(occurrences(page, "val_00002"), 1);
    assert_int_equal(occurrences(page, "&lt;sheep&gt;</li>"), 1);
    free(page);
    run_pictures_free(&pictures);
    set->class_names = names;
    set->n_classes = 21;
    df_dataset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_best_and_last_are_kept),
        cmocka_unit_test(validations_count_once),
        cmocka_unit_test(pictures_come_back),
        cmocka_unit_test(pictures_of_other_images_go),
        cmocka_unit_test(damaged_pictures_are_left_out),
        cmocka_unit_test(the_section_shows_them_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
