#include "dinoft/mask_values.h"

#include "dinoft/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 3

/* The number that *text begins with, up to a comma or the end, and *text moved there; -1: it is none. */
static int next_value(const char **text)
{
    const size_t length = strcspn(*text, ",");

    if (length == 0 || length > DIGITS_MAX || strspn(*text, "0123456789") != length)
        return -1;
    const long value = strtol(*text, NULL, 10);
    *text += length;
    return value <= UINT8_MAX ? (int)value : -1;
}

int df_mask_values_parse(const char *text, struct df_mask_values *values)
{
    bool listed[UINT8_MAX + 1] = {false};
    const char *rest = text;

    values->count = 0;
    for (;;) {
        const int value = next_value(&rest);
        if (value < 0)
            return df_error_set("expected numbers from 0 to 255 with commas between them, found '%.100s'",
                                text);
        if (listed[value])
            return df_error_set("%d is listed twice: '%.100s'", value, text);
        if (values->count == DF_MAX_CLASSES)
            return df_error_set("more than %d numbers", DF_MAX_CLASSES);
        listed[value] = true;
        values->values[values->count++] = (uint8_t)value;
        if (*rest == '\0')
            return 0;
        rest++;
    }
}
