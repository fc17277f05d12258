#include "motion.h"

#include "row_filter.h"
#include "weights.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdlib.h>

#define PI 3.14159265358979323846

struct shifts {
    struct tap *taps;
    int count;
    int farthest; /* in x or y */
};

/* The package moves the image by its shifts; here a tap looks the other way. */
static int make_shifts(struct shifts *shifts, int64_t width, int64_t height, int radius, double sigma,
                       double angle)
{
    const int most = 2 * radius + 1;
    const double along_y = most * sin(angle * (PI / 180.0)), along_x = most * cos(angle * (PI / 180.0));
    /* hypot() rounds differently on different processors, and glibc 2.35 gave it a symbol that older ones
     * lack. */
    const double length = (double)sqrtl((long double)along_y * along_y + (long double)along_x * along_x);
    double *weights = malloc((size_t)most * sizeof *weights);

    *shifts = (struct shifts){.taps = malloc((size_t)most * sizeof(struct tap))};
    if (!shifts->taps || !weights) {
        free(weights);
        return df_error_memory("a motion blur", (unsigned long long)most * sizeof(struct tap));
    }
    for (int i = 0; i < most; i++)
        weights[i] = exp(-((double)i * i) / (2.0 * (sigma * sigma))) / (sqrt(2.0 * PI) * sigma);
    normalise_weights(weights, most);
    for (int i = 0; i < most; i++) {
        const int dx = -(int)ceil(i * along_x / length - 0.5);
        const int dy = -(int)ceil(i * along_y / length - 0.5);
        const int farther = abs(dx) > abs(dy) ? abs(dx) : abs(dy);
        if (abs(dx) >= width || abs(dy) >= height)
            break;
        shifts->taps[shifts->count++] = (struct tap){-dx, -dy, weights[i]};
        shifts->farthest = farther > shifts->farthest ? farther : shifts->farthest;
    }
    free(weights);
    return 0;
}

int motion_blur(struct float_image *image, int radius, double sigma, double angle)
{
    struct padded_image source = {0};
    struct shifts shifts;
    int status = -1;

    if (make_shifts(&shifts, image->width, image->height, radius, sigma, angle) == 0 &&
        padded_image_of_floats(&source, image, shifts.farthest, shifts.farthest, BORDER_NEAREST) == 0)
        status = filter_taps(&source, shifts.taps, shifts.count, take_floats, image);
    padded_image_free(&source);
    free(shifts.taps);
    return status;
}

int motion_blur_bytes(struct df_image *image, int radius, double sigma, double angle)
{
    struct padded_image source = {0};
    struct shifts shifts;
    int status = -1;

    if (make_shifts(&shifts, image->width, image->height, radius, sigma, angle) == 0 &&
        padded_image_of_bytes(&source, image, 1.0, shifts.farthest, shifts.farthest, BORDER_NEAREST) == 0)
        status = filter_taps(&source, shifts.taps, shifts.count, take_bytes, image);
    padded_image_free(&source);
    free(shifts.taps);
    return status;
}
