#include "class_table.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 200

void df_class_table_free(struct df_class_table *table)
{
    for (int i = 0; i < table->count; i++)
        free(table->classes[i].name);
    df_mask_values_free(&table->values);
    table->count = 0;
}

int df_class_table_add(struct df_class_table *table, const char *name, size_t length, const uint8_t *rgb)
{
    struct df_class *class = &table->classes[table->count];

    if (table->count == DF_MAX_CLASSES)
        return df_error_set("there are more than %d classes", DF_MAX_CLASSES);
    if (length > NAME_MAX_BYTES)
        return df_error_set("a name has %zu bytes, a class name at most %d", length, NAME_MAX_BYTES);
    if (!df_text_is_utf8(name, length) || memchr(name, '\0', length))
        return df_error_set("a name is not UTF-8");
    *class = (struct df_class){.name = df_text_format("%.*s", (int)length, name), .colored = rgb != NULL};
    if (!class->name)
        return -1;
    df_text_replace_controls(class->name);
    if (rgb)
        memcpy(class->rgb, rgb, 3);
    table->count++;
    return 0;
}

int df_class_table_add_color(struct df_class_table *table, const uint8_t rgb[3], int label)
{
    const uint32_t value = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];

    table->values.source = DF_SOURCE_COLORS;
    if (df_mask_values_has(&table->values, value))
        return df_error_set("the colour %u, %u, %u is there twice", rgb[0], rgb[1], rgb[2]);
    return df_mask_values_add(&table->values, value, NULL, label);
}

bool df_class_name_is_ignored(const char *name, size_t length)
{
    static const char *const names[] = {"ignore", "void", "unlabeled", "unlabelled"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == length && strncasecmp(name, names[i], length) == 0)
            return true;
    }
    return false;
}
