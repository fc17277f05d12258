#include "dinoft/image_reading.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BANDS_MOST 65535 /* of a TIFF */

/* The number that *text begins with, and *text moved behind it; false: it is none. */
static bool next_number(const char **text, double *number)
{
    char *end;

    if (strchr(" \t\n\r\f\v", **text)) /* and the end, which strtod() would not move over either */
        return false;
    *number = strtod(*text, &end);
    if (end == *text)
        return false;
    *text = end;
    return isfinite(*number);
}

static int parse_range(const char *text, struct df_image_reading *reading)
{
    const char *rest = text;

    reading->range = DF_RANGE_OF_FILE;
    if (strcmp(text, "auto") == 0)
        return 0;
    reading->range = DF_RANGE_GIVEN;
    if (strlen(text) < DF_IMAGE_RANGE_TEXT_MAX && next_number(&rest, &reading->black) && *rest++ == ',' &&
        next_number(&rest, &reading->white) && *rest == '\0' && reading->black < reading->white)
        return 0;
    return df_error_set("--image_range: expected MIN,MAX, the smaller number first, or auto; found '%.100s'",
                        text);
}

static int parse_bands(const char *text, struct df_image_reading *reading)
{
    const char *rest = text;
    double number;

    while (strlen(text) < DF_BANDS_TEXT_MAX && reading->n_bands < 3 && next_number(&rest, &number) &&
           number >= 1 && number <= BANDS_MOST && number == floor(number)) {
        reading->bands[reading->n_bands++] = (int)number;
        if (*rest == '\0' && reading->n_bands != 2)
            return 0;
        if (*rest++ != ',')
            break;
    }
    return df_error_set("--bands: expected three numbers from 1 on, those of red, green and blue, or one for "
                        "grey; found '%.100s'",
                        text);
}

int df_image_reading_parse(const char *range, const char *bands, struct df_image_reading *reading)
{
    *reading = (struct df_image_reading){.range_text = range, .bands_text = bands};
    if (range)
        DF_TRY(parse_range(range, reading));
    return bands ? parse_bands(bands, reading) : 0;
}

void df_image_reading_add(struct df_digest *digest, const struct df_image_reading *reading)
{
    if (reading->range_text) {
        df_digest_add_text(digest, "--image_range");
        df_digest_add_text(digest, reading->range_text);
    }
    if (reading->bands_text) {
        df_digest_add_text(digest, "--bands");
        df_digest_add_text(digest, reading->bands_text);
    }
}
