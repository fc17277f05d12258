/* Which pixels of masks are which class: a list that is typed, or recorded by a checkpoint. */
#ifndef DINOFT_MASK_VALUES_H
#define DINOFT_MASK_VALUES_H

#include "dinoft/labels.h"

#include <stdbool.h>
#include <stdint.h>

#define DF_MASK_VALUE_MOST 65535

/* What the list names: the pixels' numbers, their colours, or the folders whose binary masks are the classes.
 */
enum df_mask_source { DF_SOURCE_VALUES, DF_SOURCE_COLORS, DF_SOURCE_FOLDERS };

struct df_mask_value {
    uint32_t value; /* 0 to DF_MASK_VALUE_MOST, or 0xrrggbb */
    char *folder;   /* of DF_SOURCE_FOLDERS: its name */
    int label;      /* a class, or DF_IGNORE_LABEL */
};

struct df_mask_values {
    enum df_mask_source source;
    int count; /* of classes */
    struct df_mask_value *items;
    size_t n_items;
};

/* Reads a list of classes with commas between them. A class is a number, a colour #RRGGBB, or a folder NAME/;
 * 5..8 are four classes; with + between them, several are one class: "0,255", "1..19", "0+3..5,1,2",
 * "#000000,#800000", "road/,car/+bus/". "cityscapes": the 19 classes that labelIds hold. -1 with the error
 * set: something else, something twice, of several kinds, or more than DF_MAX_CLASSES classes. Free it in
 * either case. */
int df_mask_values_parse(const char *text, struct df_mask_values *values);
void df_mask_values_free(struct df_mask_values *values);

/* Adds what is ignored, a list of the same kind; "none" adds nothing. */
int df_mask_values_ignore(struct df_mask_values *values, const char *text);

/* What is ignored with the list of that name where nobody says otherwise, such as "cityscapes"; NULL: it is
 * none with a name. */
const char *df_mask_values_ignored_with(const char *text);

/* One more; folder is copied, NULL where it is none. */
int df_mask_values_add(struct df_mask_values *values, uint32_t value, const char *folder, int label);

/* Whether a number or colour is in it. */
bool df_mask_values_has(const struct df_mask_values *values, uint32_t value);

/* The list that df_mask_values_parse() reads, or that of what is ignored, "none" if nothing is; in the order
 * of the classes, to be freed. NULL with the error set. */
char *df_mask_values_text(const struct df_mask_values *values, bool ignored);

#endif
