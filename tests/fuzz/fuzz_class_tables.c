/* What masks and classes are said to be: colour tables, lists of names, values, and classes that are merged.
 */
#include "fuzz.h"

#include "src/data/class_table.h"

#include <stdlib.h>
#include <string.h>

static void use(struct df_class_table *table)
{
    fuzz_check(table->count > 0 && table->count <= DF_MAX_CLASSES, "a number of classes");
    for (int i = 0; i < table->count; i++)
        fuzz_touch(table->classes[i].name, strlen(table->classes[i].name));
    for (size_t i = 0; i < table->values.n_items; i++)
        fuzz_check(table->values.items[i].label == DF_IGNORE_LABEL ||
                       table->values.items[i].label < table->count,
                   "labels are classes");
}

static void read_file(int (*read)(const char *path, struct df_class_table *table), const char *path)
{
    struct df_class_table table = {0};

    fuzz_forget_error();
    if (read(path, &table) == 0)
        use(&table);
    else
        fuzz_check_error();
    df_class_table_free(&table);
}

/* A list that is read is written as one that reads as the same. */
static void read_values(const char *text)
{
    struct df_mask_values values, again;

    fuzz_forget_error();
    if (df_mask_values_parse(text, &values) != 0) {
        fuzz_check_error();
        df_mask_values_free(&values);
        return;
    }
    char *written = df_mask_values_text(&values, false);
    fuzz_check(written && df_mask_values_parse(written, &again) == 0, "a list that is written can be read");
    fuzz_check(again.count == values.count && again.n_items == values.n_items, "and is the same");
    for (size_t i = 0; i < values.n_items; i++)
        fuzz_check(values.items[i].value == again.items[i].value &&
                       values.items[i].label == again.items[i].label,
                   "and has the same items");
    free(written);
    df_mask_values_free(&again);
    df_mask_values_free(&values);
}

static void merge(const char *merged, const char *ignored)
{
    struct df_class_table table = {0};

    fuzz_forget_error();
    fuzz_check(df_color_table("voc", true, &table) == 0, "a built-in table");
    if (df_class_table_merge(&table, merged, ignored) == 0)
        use(&table);
    else
        fuzz_check_error();
    df_class_table_free(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char file[FUZZ_PATH_MAX];
    char *text = malloc(size + 1);

    if (!*file)
        fuzz_path("classes.txt", file);
    fuzz_write(file, data, size);
    read_file(df_palette_read, file);
    read_file(df_class_names_read, file);
    fuzz_check(text != NULL, "memory");
    memcpy(text, data, size);
    text[size] = '\0';
    read_values(text);
    merge(text, NULL);
    merge(NULL, text);
    free(text);
    return 0;
}
