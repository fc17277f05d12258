#include "dinoft/feature_choice.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#define MIB 1048576.0

static const char *const place_names[] = {DF_FEATURE_PLACES(DF_CHOICE_TEXT)};

/* What keeps features from being the same at each step; NULL: nothing. */
static const char *what_changes_them(const struct df_feature_facts *facts)
{
    if (facts->lora)
        return "LoRA changes them at every step";
    if (facts->rope_rescaled)
        return "--rope_rescale draws new positions for every batch";
    if (facts->augmented && !facts->has_views)
        return "--augment changes the images in each epoch (--cache_views N: into N views of each)";
    return NULL;
}

bool df_features_stay(const struct df_feature_facts *facts)
{
    return !what_changes_them(facts);
}

/* It is the one that a frozen backbone's run may go without, to be ten times as fast. */
static void log_why_not(const struct df_feature_facts *facts)
{
    if (facts->augmented && facts->used_again && !facts->lora && !facts->rope_rescaled)
        df_log("features are computed anew in each epoch, since %s", what_changes_them(facts));
}

static int check_space(const struct df_feature_facts *facts, enum df_feature_place place)
{
    const bool in_file = place == DF_FEATURES_IN_FILE;
    const size_t left = in_file ? facts->disk : facts->memory;

    if (facts->bytes <= left)
        return 0;
    return df_error_set(
        "--cache_features %s: the features of all images take %.1f MiB, there are %.1f MiB of %s"
        " left (--cache_features %s)",
        place_names[facts->wanted], (double)facts->bytes / MIB, (double)left / MIB,
        in_file ? "disk" : "memory", in_file ? "off" : "file");
}

static enum df_feature_place automatic(const struct df_feature_facts *facts)
{
    log_why_not(facts);
    if (what_changes_them(facts) || !facts->used_again)
        return DF_FEATURES_OFF;
    if (facts->bytes <= facts->memory / 2)
        return DF_FEATURES_IN_MEMORY;
    if (facts->bytes <= facts->disk / 2)
        return DF_FEATURES_IN_FILE;
    df_log("features are computed anew in each epoch: all of them take %.1f MiB, which is more than half of "
           "what is left of memory (%.1f MiB) and disk (%.1f MiB)",
           (double)facts->bytes / MIB, (double)facts->memory / MIB, (double)facts->disk / MIB);
    return DF_FEATURES_OFF;
}

int df_feature_choose(const struct df_feature_facts *facts, enum df_feature_place *place)
{
    *place = DF_FEATURES_OFF;
    if (facts->has_views && what_changes_them(facts))
        return df_error_set("--cache_views: features cannot be kept, since %s", what_changes_them(facts));
    if (facts->wanted == DF_FEATURES_OFF)
        return 0;
    if (facts->wanted == DF_FEATURES_AUTO) {
        *place = automatic(facts);
        return 0;
    }
    if (what_changes_them(facts))
        return df_error_set("--cache_features %s: features cannot be kept, since %s",
                            place_names[facts->wanted], what_changes_them(facts));
    *place = facts->wanted;
    return check_space(facts, *place);
}
