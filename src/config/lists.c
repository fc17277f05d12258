/* Options that hold a list, "1,3,5". */
#include "options.h"

#include "dinoft/error.h"
#include "dinoft/normalize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SCALE 0.1
#define MAX_SCALE 10.0

/* Reads the number that `text` begins with, up to a comma or the end, and moves behind it; false: it is none.
 */
static bool next_number(const char **text, double *number)
{
    const size_t length = strcspn(*text, ",");
    char *end;

    if (length == 0 || strspn(*text, "0123456789.") < length)
        return false;
    *number = strtod(*text, &end);
    if (end != *text + length)
        return false;
    *text = end;
    return true;
}

/* Behind a number: true if another follows, having passed the comma. */
static bool next_follows(const char **text)
{
    if (**text != ',')
        return false;
    (*text)++;
    return true;
}

static int read_severities(struct df_config *config)
{
    bool chosen[DF_MAX_SEVERITIES + 1] = {false};
    const char *text = config->severity;
    double number;

    if (strcmp(text, "all") == 0)
        text = "1,2,3,4,5";
    do {
        if (!next_number(&text, &number) || number != floor(number) || number < 1 ||
            number > DF_MAX_SEVERITIES)
            return df_error_set(
                "--severity: expected numbers from 1 to %d with commas between them, or all; found '%s'",
                DF_MAX_SEVERITIES, config->severity);
        chosen[(int)number] = true;
    } while (next_follows(&text));
    config->n_severities = 0;
    for (int i = 1; i <= DF_MAX_SEVERITIES; i++) {
        if (chosen[i])
            config->severity_list[config->n_severities++] = i;
    }
    return 0;
}

static int read_scales(struct df_config *config)
{
    const char *text = config->scales;
    double number;

    config->n_scales = 0;
    do {
        if (!next_number(&text, &number) || number < MIN_SCALE || number > MAX_SCALE)
            return df_error_set(
                "--scales: expected numbers from %g to %g with commas between them, found '%s'", MIN_SCALE,
                MAX_SCALE, config->scales);
        if (config->n_scales == DF_MAX_SCALES)
            return df_error_set("--scales: more than %d numbers: '%s'", DF_MAX_SCALES, config->scales);
        config->scale_list[config->n_scales++] = number;
    } while (next_follows(&text));
    return 0;
}

int df_config_read_lists(struct df_config *config)
{
    struct df_normalize normalize;

    DF_TRY(read_severities(config));
    DF_TRY(read_scales(config));
    if (strcmp(config->normalize, DF_NORMALIZE_AUTO) != 0 &&
        df_normalize_parse(config->normalize, &normalize) != 0)
        return df_error_context("--normalize");
    return df_image_reading_parse(config->image_range, config->bands, &config->reading);
}
