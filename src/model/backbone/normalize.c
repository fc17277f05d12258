#include "dinoft/normalize.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The deviations of satellite images are those of the DINOv3 models that Meta trained on SAT-493M. */
static const struct named {
    const char *name;
    struct df_normalize normalize;
} named[] = {
    {"imagenet", {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}}},
    {"sat493m", {{0.430f, 0.411f, 0.296f}, {0.213f, 0.156f, 0.143f}}},
    {"none", {{0.0f, 0.0f, 0.0f}, {1.0f, 1.0f, 1.0f}}},
};

#define NAMED (sizeof named / sizeof named[0])

static const struct df_normalize *find(const char *name)
{
    for (size_t i = 0; i < NAMED; i++) {
        if (strcmp(named[i].name, name) == 0)
            return &named[i].normalize;
    }
    return NULL;
}

int df_normalize_set(struct df_normalize *normalize, const double mean[3], const double std[3])
{
    for (int c = 0; c < 3; c++) {
        normalize->mean[c] = (float)mean[c];
        normalize->std[c] = (float)std[c];
        if (!(mean[c] >= 0.0 && mean[c] <= 1.0))
            return df_error_set("the mean %g is not from 0 to 1 (those of bytes are divided by 255)",
                                mean[c]);
        if (!(normalize->std[c] >= 1e-6f && std[c] <= 1.0))
            return df_error_set(
                "the deviation %g is not above 0 and at most 1 (those of bytes are divided by 255)", std[c]);
    }
    return 0;
}

/* Three numbers with commas between them and `end` behind them, behind which *text is left. */
static bool read_three(const char **text, char end, double numbers[3])
{
    for (int c = 0; c < 3; c++) {
        const size_t length = strspn(*text, "0123456789.eE+-");
        char *behind;

        numbers[c] = strtod(*text, &behind);
        if (length == 0 || behind != *text + length || *behind != (c < 2 ? ',' : end))
            return false;
        *text = behind + (*behind != '\0');
    }
    return true;
}

int df_normalize_parse(const char *text, struct df_normalize *normalize)
{
    const struct df_normalize *known = find(text);
    const char *rest = text;
    double mean[3], std[3];

    if (known) {
        *normalize = *known;
        return 0;
    }
    if (!read_three(&rest, ':', mean) || !read_three(&rest, '\0', std))
        return df_error_set("'%.100s' is none of imagenet, sat493m, none, and not three means and three "
                            "deviations such as 0.43,0.411,0.296:0.213,0.156,0.143",
                            text);
    return df_normalize_set(normalize, mean, std) == 0 ? 0 : df_error_context("'%.100s'", text);
}

const char *df_normalize_text(const struct df_normalize *normalize, char text[DF_NORMALIZE_TEXT])
{
    const float *m = normalize->mean, *s = normalize->std;

    snprintf(text, DF_NORMALIZE_TEXT, "%.9g,%.9g,%.9g:%.9g,%.9g,%.9g", (double)m[0], (double)m[1],
             (double)m[2], (double)s[0], (double)s[1], (double)s[2]);
    for (size_t i = 0; i < NAMED; i++) {
        if (memcmp(&named[i].normalize, normalize, sizeof *normalize) == 0)
            snprintf(text, DF_NORMALIZE_TEXT, "%s", named[i].name);
    }
    return text;
}
