/* The program's side of scripts/compare_corruptions.py: for each name of a corruption on standard input it
 * corrupts the image once, on one thread, and answers with the seconds that took; reading the image and
 * copying it are not in them. */
#include "dinoft/clock.h"
#include "dinoft/corruption.h"
#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct timing {
    struct df_image image;
    struct df_frost *frost; /* NULL: no photographs */
    int severity;
};

/* The seconds of one call; -1 with the error set. */
static double corrupt_once(const struct timing *timing, const char *name, uint64_t seed)
{
    const struct df_corruption *corruption = df_corruption_named(name);
    struct df_image copy;

    if (!corruption || df_image_alloc(&copy, timing->image.width, timing->image.height, 3) != 0)
        return -1;
    memcpy(copy.pixels, timing->image.pixels, (size_t)(copy.width * copy.height * 3));
    const double start = df_seconds();
    const int status = df_corrupt(corruption, timing->severity, seed, "timing", timing->frost, &copy, NULL);
    const double seconds = df_seconds() - start;
    df_image_free(&copy);
    return status == 0 ? seconds : -1;
}

static int answer(const struct timing *timing)
{
    char name[64];

    for (uint64_t seed = 0; scanf("%63s", name) == 1; seed++) {
        const double seconds = corrupt_once(timing, name, seed);
        if (seconds < 0) {
            fprintf(stderr, "%s\n", df_error_text());
            return 1;
        }
        printf("%.9f\n", seconds);
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct timing timing = {.severity = argc >= 3 ? atoi(argv[2]) : 0};

    if (argc < 3 || argc > 4 || timing.severity < 1 || timing.severity > DF_SEVERITIES) {
        fprintf(stderr, "usage: corruption_timing IMAGE SEVERITY [FROST_FOLDER]\n");
        return 2;
    }
    if (df_image_read(argv[1], NULL, &timing.image) != 0 ||
        (argc == 4 && !(timing.frost = df_frost_open(argv[3], "")))) {
        fprintf(stderr, "%s\n", df_error_text());
        return 1;
    }
    const int status = answer(&timing);
    df_frost_free(timing.frost);
    df_image_free(&timing.image);
    return status;
}
