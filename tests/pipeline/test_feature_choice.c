/* Where features are kept: --cache_features. */
#include "support/errors.h"

#include "dinoft/feature_choice.h"

#include <string.h>

/* A run with every reason to keep its features, and space for them. */
static struct df_feature_facts good_facts(enum df_feature_place wanted)
{
    return (struct df_feature_facts){
        .wanted = wanted, .used_again = true, .bytes = 1000, .memory = 100000, .disk = 100000};
}

static void check(struct df_feature_facts facts, enum df_feature_place expected)
{
    enum df_feature_place place;
    assert_works(df_feature_choose(&facts, &place) == 0);
    assert_int_equal(place, expected);
}

static void check_refused(struct df_feature_facts facts, const char *words)
{
    enum df_feature_place place;
    assert_int_equal(df_feature_choose(&facts, &place), -1);
    assert_error_has(words);
}

static void what_is_asked_for_is_done(void **state)
{
    check(good_facts(DF_FEATURES_IN_MEMORY), DF_FEATURES_IN_MEMORY);
    check(good_facts(DF_FEATURES_IN_FILE), DF_FEATURES_IN_FILE);
    check(good_facts(DF_FEATURES_OFF), DF_FEATURES_OFF);
    struct df_feature_facts once = good_facts(DF_FEATURES_IN_FILE);
    once.used_again = false;
    check(once, DF_FEATURES_IN_FILE);
}

static void automatic_takes_half_of_what_is_left(void **state)
{
    struct df_feature_facts facts = good_facts(DF_FEATURES_AUTO);
    facts.memory = 2000;
    check(facts, DF_FEATURES_IN_MEMORY);
    facts.memory = 1999;
    check(facts, DF_FEATURES_IN_FILE);
    facts.disk = 2000;
    check(facts, DF_FEATURES_IN_FILE);
    facts.disk = 1999;
    check(facts, DF_FEATURES_OFF);
}

static void automatic_keeps_only_what_does_not_change(void **state)
{
    struct df_feature_facts lora = good_facts(DF_FEATURES_AUTO), rope = lora, once = lora, augmented = lora;
    lora.lora = true;
    rope.rope_rescaled = true;
    once.used_again = false;
    augmented.augmented = true;
    check(augmented, DF_FEATURES_OFF);
    augmented.has_views = true;
    check(augmented, DF_FEATURES_IN_MEMORY);
    check(lora, DF_FEATURES_OFF);
    check(rope, DF_FEATURES_OFF);
    check(once, DF_FEATURES_OFF);
}

static void what_changes_cannot_be_kept(void **state)
{
    struct df_feature_facts lora = good_facts(DF_FEATURES_IN_MEMORY), rope = good_facts(DF_FEATURES_IN_FILE);
    lora.lora = true;
    rope.rope_rescaled = true;
    check_refused(lora, "--cache_features memory: features cannot be kept, since LoRA");
    check_refused(rope, "--cache_features file: features cannot be kept, since --rope_rescale");
    struct df_feature_facts augmented = good_facts(DF_FEATURES_IN_MEMORY);
    augmented.augmented = true;
    check_refused(augmented, "--cache_features memory: features cannot be kept, since --augment");
    augmented.has_views = true;
    check(augmented, DF_FEATURES_IN_MEMORY);
    augmented.lora = true;
    augmented.wanted = DF_FEATURES_AUTO;
    check_refused(augmented, "--cache_views: features cannot be kept, since LoRA");
    lora.wanted = DF_FEATURES_OFF;
    check(lora, DF_FEATURES_OFF);
}

static void there_must_be_space(void **state)
{
    struct df_feature_facts memory = good_facts(DF_FEATURES_IN_MEMORY),
                            file = good_facts(DF_FEATURES_IN_FILE);
    memory.memory = 1000;
    check(memory, DF_FEATURES_IN_MEMORY);
    memory.memory = 999;
    check_refused(memory, "of memory left (--cache_features file)");
    file.disk = 999;
    check_refused(file, "of disk left (--cache_features off)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_is_done),
        cmocka_unit_test(automatic_takes_half_of_what_is_left),
        cmocka_unit_test(automatic_keeps_only_what_does_not_change),
        cmocka_unit_test(what_changes_cannot_be_kept),
        cmocka_unit_test(there_must_be_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
