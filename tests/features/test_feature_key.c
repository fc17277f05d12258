/* The key of a feature file: another one for everything that changes features or labels. */
#include "data/scratch_images.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/feature_key.h"

#include <stdio.h>
#include <string.h>

struct subject {
    struct df_backend backend;
    struct df_setup setup;
    struct df_dataset *training, *validation;
    float weights[6];
};

static struct df_dataset *open_split(const char *root, enum df_split split, int n_classes)
{
    struct df_dataset_options options = {
        .kind = DF_DATASET_FOLDER, .root = scratch_path(root), .split = split, .n_classes = n_classes};
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    return dataset;
}

static void draw(const char *root, int shade, int label)
{
    static const char *const splits[] = {"train", "val"};
    char name[96];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s/images/%s/%d.png", root, splits[i % 2], i / 2);
        scratch_image(name, 6, 5, shade + i);
        snprintf(name, sizeof name, "%s/masks/%s/%d.png", root, splits[i % 2], i / 2);
        scratch_mask(name, 6, 5, label);
    }
}

static void open_sets(struct subject *subject, const char *root, int n_classes)
{
    df_dataset_free(subject->training);
    df_dataset_free(subject->validation);
    subject->training = open_split(root, DF_SPLIT_TRAIN, n_classes);
    subject->validation = open_split(root, DF_SPLIT_VAL, n_classes);
}

static void open_subject(struct subject *subject)
{
    *subject = (struct subject){
        .backend = {.name = "cpu", .compute = DF_F32},
        .setup = {.model.height = 28, .model.width = 42, .model.std = {1, 1, 1}},
        .weights = {1, 2, 3, 4, 5, 6},
    };
    subject->setup.backend = &subject->backend;
    subject->setup.backbone = df_state_new();
    assert_non_null(df_state_borrow(subject->setup.backbone, "norm.weight", DF_F32, 2, (int64_t[]){2, 3},
                                    subject->weights));
    draw("set", 10, 1);
    open_sets(subject, "set", 3);
}

static void close_subject(struct subject *subject)
{
    df_state_free(subject->setup.backbone);
    df_dataset_free(subject->training);
    df_dataset_free(subject->validation);
}

static uint64_t key_with(const struct subject *subject, int64_t n_features)
{
    const struct df_dataset *const sets[2] = {subject->training, subject->validation};
    uint64_t key;
    assert_works(df_feature_key(&subject->setup, sets, 2, n_features, &key) == 0);
    return key;
}

static uint64_t key_of(const struct subject *subject)
{
    return key_with(subject, 1);
}

static void the_same_has_the_same_key(void **state)
{
    struct subject a, b;
    open_subject(&a);
    open_subject(&b);
    assert_true(key_of(&a) == key_of(&b));
    draw("moved", 10, 1);
    open_sets(&b, "moved", 3);
    assert_true(key_of(&a) == key_of(&b)); /* paths do not count, what is in the files does */
    close_subject(&a);
    close_subject(&b);
}

static void settings_count(void **state)
{
    struct subject subject;
    open_subject(&subject);
    const uint64_t key = key_of(&subject);
    assert_true(key_with(&subject, 4) != key);
    subject.setup.model.height = 42;
    subject.setup.model.width = 28;
    assert_true(key_of(&subject) != key);
    subject.setup.model.height = 28;
    subject.setup.model.width = 42;
    subject.setup.model.mean[2] = 0.5f;
    assert_true(key_of(&subject) != key);
    subject.setup.model.mean[2] = 0.0f;
    subject.setup.model.std[0] = 0.5f;
    assert_true(key_of(&subject) != key);
    subject.setup.model.std[0] = 1.0f;
    subject.backend.compute = DF_BF16;
    assert_true(key_of(&subject) != key);
    subject.backend.compute = DF_F32;
    subject.backend.name = "another";
    assert_true(key_of(&subject) != key);
    subject.backend.name = "cpu";
    assert_true(key_of(&subject) == key);
    close_subject(&subject);
}

static void the_backbone_counts(void **state)
{
    struct subject subject;
    open_subject(&subject);
    const uint64_t key = key_of(&subject);
    subject.weights[4] += 1e-6f;
    assert_true(key_of(&subject) != key);
    subject.weights[4] = 5;
    subject.setup.backbone->entries[0].tensor.shape[0] = 3;
    subject.setup.backbone->entries[0].tensor.shape[1] = 2;
    assert_true(key_of(&subject) != key);
    close_subject(&subject);
}

static void merged_lora_counts(void **state)
{
    static float a[2][2] = {{1, 2}, {3, 4}}, b[2][2] = {{5, 6}, {7, 8}};
    static const char *const names[] = {"w_a_000", "w_a_001", "w_b_000", "w_b_001"};
    struct df_checkpoint checkpoint = {.state = df_state_new(), .rank = 1, .depth = 1};
    struct subject subject;
    open_subject(&subject);
    const uint64_t key = key_of(&subject);
    for (int i = 0; i < 4; i++)
        assert_non_null(df_state_borrow(checkpoint.state, names[i], DF_F32, 2,
                                        i < 2 ? (int64_t[]){1, 2} : (int64_t[]){2, 1},
                                        (i < 2 ? a : b)[i % 2]));
    subject.setup.checkpoint = &checkpoint;
    const uint64_t merged = key_of(&subject);
    assert_true(merged != key);
    b[1][1] = 9;
    assert_true(key_of(&subject) != merged);
    b[1][1] = 8;
    assert_true(key_of(&subject) == merged);
    checkpoint.rank = 0; /* a decoder alone changes no feature */
    assert_true(key_of(&subject) == key);
    df_state_free(checkpoint.state);
    close_subject(&subject);
}

static void images_and_masks_count(void **state)
{
    struct subject subject;
    open_subject(&subject);
    const uint64_t key = key_of(&subject);
    scratch_image("set/images/val/1.png", 6, 5, 99);
    assert_true(key_of(&subject) != key);
    draw("set", 10, 2);
    assert_true(key_of(&subject) != key);
    draw("set", 10, 1);
    assert_true(key_of(&subject) == key);
    open_sets(&subject, "set", 2);
    assert_true(key_of(&subject) != key); /* other labels are allowed: a mask may be refused now */
    close_subject(&subject);
}

static void draw_segments(int shade)
{
    scratch_image("segments/annotations/panoptic_train/0.png", 6, 5, shade);
    assert_int_equal(rename(scratch_path("segments/annotations/panoptic_train/0.png"),
                            scratch_path("segments/annotations/panoptic_train/0.PNG")),
                     0);
}

/* Whatever the picture's file is called. */
static void pictures_of_segments_count(void **state)
{
    struct subject subject;
    open_subject(&subject);
    scratch_image("segments/images/train/0.png", 6, 5, 3);
    draw_segments(1);
    scratch_write_text("segments/annotations/panoptic_train.json",
                       "{\"images\": [{\"id\": 1, \"file_name\": \"0.png\", \"width\": 6, \"height\": 5}],"
                       "\"annotations\": [{\"image_id\": 1, \"file_name\": \"0.PNG\", \"segments_info\": ["
                       "{\"id\": 65793, \"category_id\": 7}]}], \"categories\": [{\"id\": 7, \"name\": "
                       "\"a\"}, {\"id\": 8, \"name\": \"b\"}]}");
    df_dataset_free(subject.training);
    subject.training = open_split("segments", DF_SPLIT_TRAIN, 0);
    const uint64_t key = key_of(&subject);
    assert_true(key_of(&subject) == key);
    draw_segments(2);
    assert_true(key_of(&subject) != key);
    close_subject(&subject);
}

static void a_file_that_is_gone_is_an_error(void **state)
{
    struct subject subject;
    uint64_t key;
    open_subject(&subject);
    const struct df_dataset *const sets[2] = {subject.training, subject.validation};
    remove(subject.training->samples[1].mask_path);
    assert_int_equal(df_feature_key(&subject.setup, sets, 2, 1, &key), -1);
    assert_error_has("masks/train/1.png");
    close_subject(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_has_the_same_key),
        cmocka_unit_test(settings_count),
        cmocka_unit_test(the_backbone_counts),
        cmocka_unit_test(merged_lora_counts),
        cmocka_unit_test(images_and_masks_count),
        cmocka_unit_test(pictures_of_segments_count),
        cmocka_unit_test(a_file_that_is_gone_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}
