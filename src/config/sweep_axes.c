/* The lists of `dinoft sweep`: from what is typed to values, each of which the flag takes. */
#include "sweep_axes.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

char sweep_axes_separator(const struct df_option_info *option)
{
    const char *what = option->metavar ? option->metavar : "";

    return df_option_is_two(option) || strcmp(what, "LIST") == 0 || strcmp(what, "WEIGHTS") == 0 ||
                   strchr(what, ',')
               ? ';'
               : ',';
}

static void free_values(struct df_axis *axis)
{
    for (int i = 0; i < axis->count; i++)
        free(axis->values[i]);
    free(axis->values);
    axis->values = NULL;
    axis->count = 0;
}

void sweep_axes_free(struct df_axes *axes)
{
    if (!axes)
        return;
    for (int i = 0; i < axes->count; i++)
        free_values(&axes->items[i]);
    free(axes);
}

/* Its axis, without values. NULL with the error set. */
static struct df_axis *open_axis(struct df_config *config, const struct df_option_info *option)
{
    if (!config->axes)
        config->axes = calloc(1, sizeof *config->axes);
    struct df_axes *axes = config->axes;
    if (!axes) {
        df_error_memory("the runs of a sweep", sizeof *axes);
        return NULL;
    }
    for (int i = 0; i < axes->count; i++) {
        if (axes->items[i].option == (enum df_option)(option - df_options)) {
            free_values(&axes->items[i]);
            return &axes->items[i];
        }
    }
    axes->items[axes->count].option = (enum df_option)(option - df_options);
    return &axes->items[axes->count++];
}

/* As the flag would take it. */
static int check_value(const struct df_option_info *option, const char *text, struct df_config *taken)
{
    const char separator = sweep_axes_separator(option);

    if (option->kind == DF_KIND_SWITCH && strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
        return df_error_set("--%s: expected on, off or on,off, found '%s'", option->name, text);
    if (df_option_set(option, text, NULL, taken) == 0)
        return 0;
    return df_error_advise(" (the values of a list have a %s between them)",
                           separator == ';' ? "semicolon" : "comma");
}

/* Two runs of the same settings would be one. */
static int check_new(const struct df_option_info *option, const struct df_axis *axis, const char *text)
{
    struct df_config taken = {0}, other = {0};

    DF_TRY(check_value(option, text, &taken));
    for (int i = 0; i < axis->count; i++) {
        DF_TRY(check_value(option, axis->values[i], &other));
        if (df_option_is_equal(option, &taken, &other))
            return df_error_set("--%s: %s is there twice, as '%s'", option->name, axis->values[i], text);
    }
    return 0;
}

static int add_value(const struct df_option_info *option, struct df_axis *axis, const char *text,
                     size_t length)
{
    while (length > 0 && text[0] == ' ') {
        text++;
        length--;
    }
    while (length > 0 && text[length - 1] == ' ')
        length--;
    char *value = df_text_format("%.*s", (int)length, text);
    if (!value)
        return -1;
    char **values = realloc(axis->values, ((size_t)axis->count + 1) * sizeof *values);
    if (values)
        axis->values = values;
    else
        df_error_memory("the runs of a sweep", ((size_t)axis->count + 1) * sizeof *values);
    if (!values || check_new(option, axis, value) != 0) {
        free(value);
        return -1;
    }
    axis->values[axis->count++] = value;
    return 0;
}

int sweep_axes_take(struct df_config *config, const struct df_option_info *option, const char *text,
                    const char *second)
{
    struct df_axis *axis = open_axis(config, option);
    const char separator[] = {sweep_axes_separator(option), '\0'};
    char *two = second ? df_text_format("%s,%s", text, second) : NULL;
    int status = axis && (!second || two) ? 0 : -1;
    const char *rest = two ? two : text;

    while (status == 0) {
        const size_t length = strcspn(rest, separator);
        status = add_value(option, axis, rest, length);
        if (rest[length] == '\0')
            break;
        rest += length + 1;
    }
    free(two);
    return status;
}
