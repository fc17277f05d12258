/* Where the features of a frozen backbone are kept, if anywhere: --cache_features. */
#ifndef DINOFT_FEATURE_CHOICE_H
#define DINOFT_FEATURE_CHOICE_H

#include "dinoft/feature_cache.h"

#include <stdbool.h>
#include <stddef.h>

struct df_feature_facts {
    enum df_feature_place wanted;
    bool lora;           /* is trained */
    bool rope_rescaled;  /* by a factor that is drawn for each batch */
    bool augmented;      /* images are changed in each epoch, */
    bool has_views;      /* or there are so many views of each */
    bool used_again;     /* the run goes through some image more than once */
    size_t bytes;        /* of all features */
    size_t memory, disk; /* what can be had of either */
};

/* Whether they are the same at each step, so that they can be kept. */
bool df_features_stay(const struct df_feature_facts *facts);

/* place: never "auto". -1 with the error set where what is wanted cannot be. "auto" takes at most half of
 * what is left of the memory, or else of the disk, and logs where neither has enough, or where nothing but
 * augmentation stands against it. */
int df_feature_choose(const struct df_feature_facts *facts, enum df_feature_place *place);

#endif
