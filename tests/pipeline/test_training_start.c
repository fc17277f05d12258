/* What of a checkpoint a training goes on with. */
#include "support/errors.h"

#include "dinoft/training_start.h"

#include <stdio.h>

#define CLASSES 3

static char *const animals[CLASSES] = {"cat", "dog", "cow"};
static char *const others[CLASSES] = {"cat", "cow", "dog"};
static char *const unnamed[CLASSES] = {"class_0", "class_1", "class_2"};

/* A checkpoint, what is asked for, and the data set. */
struct trial {
    struct df_checkpoint checkpoint;
    struct df_config config;
    struct df_dataset set;
    struct df_segmenter_options model; /* what was chosen */
};

/* One that simply goes on, of so much LoRA. */
static struct trial going_on(int64_t rank)
{
    struct trial trial = {
        .checkpoint = {.decoder = df_decoder_kind_named("linear"),
                       .classes = CLASSES,
                       .rank = rank,
                       .record = {.dataset = "folder",
                                  .class_names = (char **)animals,
                                  .n_class_names = CLASSES}},
        .config = {.lora_weights = "start.pt",
                   .use_lora = rank > 0,
                   .r = rank,
                   .lora_targets = "q,v",
                   .lora_blocks = "all"},
        .set = {.kind = DF_DATASET_FOLDER, .n_classes = CLASSES, .class_names = (char **)animals},
    };
    return trial;
}

static int start(struct trial *trial)
{
    struct df_setup setup = {.checkpoint = &trial->checkpoint,
                             .model = {.decoder = trial->checkpoint.decoder->name, .rank = 99}};
    const int status = df_training_start(&setup, &trial->config, &trial->set);

    trial->model = setup.model;
    return status;
}

static void check(struct trial *trial, const char *decoder, int64_t rank, unsigned new_parts)
{
    assert_works(start(trial) == 0);
    assert_string_equal(trial->model.decoder, decoder);
    assert_int_equal(trial->model.rank, rank);
    assert_int_equal(trial->model.new_parts, new_parts);
    assert_int_equal(trial->model.merged, trial->config.merge_lora);
}

static void check_refused(struct trial *trial, const char *words)
{
    assert_int_equal(start(trial), -1);
    assert_error_has("start.pt");
    assert_error_has(words);
}

static void without_a_checkpoint_nothing_is_decided(void **state)
{
    struct trial trial = going_on(0);
    struct df_setup setup = {.model = {.decoder = "fpn", .rank = 7}};

    assert_works(df_training_start(&setup, &trial.config, &trial.set) == 0);
    assert_string_equal(setup.model.decoder, "fpn");
    assert_int_equal(setup.model.rank, 7);
}

static void all_of_it(void **state)
{
    struct trial with = going_on(4), without = going_on(0);

    check(&with, "linear", 4, 0);
    check(&without, "linear", 0, 0);
}

static void classes_tell_heads_apart(void **state)
{
    struct trial number = going_on(4), names = going_on(4), kind = going_on(4);

    number.checkpoint.classes = 5;
    check(&number, "linear", 4, DF_PART_DECODER);
    names.set.class_names = (char **)others;
    check(&names, "linear", 4, DF_PART_DECODER);
    kind.set.kind = DF_DATASET_VOC;
    check(&kind, "linear", 4, 0); /* what classes are called counts, not where they are */
    snprintf(kind.checkpoint.record.dataset, sizeof kind.checkpoint.record.dataset, "voc");
    kind.set.class_names = (char **)others;
    check(&kind, "linear", 4, 0); /* but the classes of a built-in set are its own */
}

static void classes_that_have_no_names(void **state)
{
    struct trial now = going_on(4), before = going_on(4), record = going_on(4), some = going_on(4);
    char *const half[CLASSES] = {"class_0", "class_1", "sheep"};

    now.set.class_names = (char **)unnamed;
    check(&now, "linear", 4, 0);
    before.checkpoint.record.class_names = (char **)unnamed;
    check(&before, "linear", 4, 0);
    record.checkpoint.record = (struct df_record){.dataset = ""};
    check(&record, "linear", 4, 0);
    some.set.class_names = (char **)half;
    check(&some, "linear", 4, DF_PART_DECODER);
}

static void another_kind_of_decoder(void **state)
{
    struct trial trial = going_on(4);

    trial.config.decoder = DF_DECODER_FPN;
    check(&trial, "fpn", 4, DF_PART_DECODER);
}

static void lora_that_was_not_there(void **state)
{
    struct trial trial = going_on(0);

    trial.config.use_lora = true;
    trial.config.r = 8;
    check(&trial, "linear", 8, DF_PART_LORA);
}

static void lora_that_is_merged(void **state)
{
    struct trial kept = going_on(4);

    kept.config.use_lora = false;
    kept.config.merge_lora = true;
    check(&kept, "linear", 4, 0);
    kept.set.n_classes = 2;
    check(&kept, "linear", 4, DF_PART_DECODER);
    kept.checkpoint.rank = 0;
    check_refused(&kept, "no LoRA");
}

static void what_contradicts(void **state)
{
    struct trial none = going_on(4), rank = going_on(4), factor = going_on(0);

    none.config.use_lora = false;
    check_refused(&none, "--no_use_lora");
    rank.config.r = 5;
    rank.config.typed[DF_OPTION_R] = true;
    check_refused(&rank, "--r says 5");
    factor.config.typed[DF_OPTION_LR_LORA] = true;
    check_refused(&factor, "--lr_lora");
}

static void nothing_that_goes_on(void **state)
{
    struct trial frozen = going_on(0), lora = going_on(0), decoder = going_on(0);

    frozen.checkpoint.classes = 5;
    check_refused(&frozen, "5 classes of folder");
    lora.config.use_lora = true;
    lora.config.r = 2;
    lora.set.class_names = (char **)others;
    check_refused(&lora, "class 1 was 'dog' and is 'cow'");
    decoder.config.decoder = DF_DECODER_FPN;
    check_refused(&decoder, "of type linear");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_checkpoint_nothing_is_decided),
        cmocka_unit_test(all_of_it),
        cmocka_unit_test(classes_tell_heads_apart),
        cmocka_unit_test(classes_that_have_no_names),
        cmocka_unit_test(another_kind_of_decoder),
        cmocka_unit_test(lora_that_was_not_there),
        cmocka_unit_test(lora_that_is_merged),
        cmocka_unit_test(what_contradicts),
        cmocka_unit_test(nothing_that_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
