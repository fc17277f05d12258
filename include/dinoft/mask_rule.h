/* From what masks hold to labels. */
#ifndef DINOFT_MASK_RULE_H
#define DINOFT_MASK_RULE_H

#include "dinoft/digest.h"
#include "dinoft/mask_values.h"

#define DF_NO_LABEL 256 /* of a value that no mask may hold */

struct df_mask_color {
    uint32_t rgb; /* 0xrrggbb */
    int label;
};

struct df_mask_rule {
    struct df_mask_values values; /* owned */
    uint16_t *labels; /* [DF_MASK_VALUE_MOST + 1], of DF_SOURCE_VALUES: a class, DF_IGNORE_LABEL or
                         DF_NO_LABEL */
    struct df_mask_color *colors; /* [values.n_items], of DF_SOURCE_COLORS: in ascending order */
};

/* Takes over the values, also on failure. -1 with the error set; free it in either case. */
int df_mask_rule_init(struct df_mask_rule *rule, struct df_mask_values *values);
void df_mask_rule_free(struct df_mask_rule *rule);

/* The label of a colour, or DF_NO_LABEL. */
int df_mask_rule_color(const struct df_mask_rule *rule, uint32_t rgb);

/* Tells rules apart. */
void df_mask_rule_digest(const struct df_mask_rule *rule, struct df_digest *digest);

#endif
