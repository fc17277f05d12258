/* The classes of a data set while it is opened: what they are called, drawn as, and in the masks' files. */
#ifndef DINOFT_DATA_CLASS_TABLE_H
#define DINOFT_DATA_CLASS_TABLE_H

#include "dinoft/dataset.h"
#include "dinoft/mask_values.h"

struct df_class {
    char *name; /* NULL: nobody has said */
    bool colored;
    uint8_t rgb[3];
};

struct df_class_table {
    int count;
    struct df_class classes[DF_MAX_CLASSES];
    struct df_mask_values values; /* labels are classes of the table, or DF_IGNORE_LABEL */
};

void df_class_table_free(struct df_class_table *table);

/* One more class; rgb may be NULL. The name, of so many bytes, is checked: UTF-8 and not too long. -1 with
 * the error set, which does not say where. */
int df_class_table_add(struct df_class_table *table, const char *name, size_t length, const uint8_t *rgb);

/* Adds a colour that masks may have. */
int df_class_table_add_color(struct df_class_table *table, const uint8_t rgb[3], int label);

/* Whether a class of that name is one whose pixels do not count: ignore, void, unlabeled or unlabelled, in
 * upper or lower case. */
bool df_class_name_is_ignored(const char *name, size_t length);

/* A file of names: one a line; or JSON: a list of names or of {"name": …, "color": "#RRGGBB" or [R, G, B]},
 * or {"0": NAME, …}. Or a built-in table's name. -1 with the error set, which names the file. */
int df_class_names_read(const char *path, struct df_class_table *table);

/* A file of colours and names, or a built-in table's name (palette_file.c): names, colours and values. */
int df_palette_read(const char *path, struct df_class_table *table);

/* A line of such a file; false: it is none. The name lies in the line and may be empty. */
bool df_palette_line(const char *line, size_t length, uint8_t rgb[3], const char **name, size_t *name_length);

/* Fills in the built-in names and colours of that name; with_values: and that masks have these colours, those
 * that do not count too. 0; 1: there is no such table; -1 with the error set. */
int df_color_table(const char *name, bool with_values, struct df_class_table *table);

/* Puts classes together ("car+truck=vehicle,…") and leaves others out ("sky,…"); either may be NULL. Classes
 * are called by name or number, and are numbered anew in the order of their first members. */
int df_class_table_merge(struct df_class_table *table, const char *merged, const char *ignored);

/* Fills the data set's classes and mask rule by its options. (dataset_classes.c) */
int df_dataset_set_classes(struct df_dataset *dataset, const struct df_dataset_options *options);

#endif
