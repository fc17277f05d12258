#include "imagenet_c.h"

#include "../pixels/cubic.h"

#include "dinoft/error.h"
#include "dinoft/text.h"
#include "dinoft/weight_search.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

struct df_frost {
    struct df_image photographs[DF_CORRUPTION_FROSTS];
};

/* Those of the package. Others would give scores that compare with nobody's. */
static const struct original {
    const char *name;
    int64_t width, height;
} originals[DF_CORRUPTION_FROSTS] = {{"frost1.png", 900, 600},
                                     {"frost2.png", 560, 315},
                                     {"frost3.png", 560, 315},
                                     {"frost4.jpg", 527, 350},
                                     {"frost5.jpg", 660, 495}};

static int read_original(const char *path, const struct original *original, struct df_image *photograph)
{
    DF_TRY(df_image_read(path, NULL, photograph));
    if (photograph->width != original->width || photograph->height != original->height)
        return df_error_set("%s has %" PRId64 " x %" PRId64 " pixels, the original has %" PRId64
                            " x %" PRId64,
                            path, photograph->width, photograph->height, original->width, original->height);
    return 0;
}

static int read_photograph(const char *folder, const struct original *original, struct df_image *photograph)
{
    char *path = df_text_format("%s/%s", folder, original->name);
    if (!path)
        return -1;
    const int status = read_original(path, original, photograph);
    free(path);
    return status;
}

static int read_photographs(const char *folder, struct df_frost *frost)
{
    for (int i = 0; i < DF_CORRUPTION_FROSTS; i++)
        DF_TRY(read_photograph(folder, &originals[i], &frost->photographs[i]));
    return 0;
}

struct df_frost *df_frost_open(const char *folder, const char *advice)
{
    struct df_frost *frost = calloc(1, sizeof *frost);

    if (!frost) {
        df_error_memory("frost", sizeof *frost);
        return NULL;
    }
    char *found = folder ? df_text_copy(folder) : df_find_weight_subfolder("frost");
    if (!found || read_photographs(found, frost) != 0) {
        df_error_context("frost's photographs (" DF_FROST_HELP "%s)", advice);
        df_frost_free(frost);
        frost = NULL;
    }
    free(found);
    return frost;
}

void df_frost_free(struct df_frost *frost)
{
    if (!frost)
        return;
    for (int i = 0; i < DF_CORRUPTION_FROSTS; i++)
        df_image_free(&frost->photographs[i]);
    free(frost);
}

/* The photograph is enlarged by a tenth at least, and so far that it covers the image with a tenth to spare.
 */
static double enlargement(const struct df_image *photograph, const struct df_image *image)
{
    const double wide = (double)image->width / (double)photograph->width;
    const double high = (double)image->height / (double)photograph->height;
    const double larger = wide > high ? wide : high;

    return (larger > 1.0 ? larger : 1.0) * 1.1;
}

/* A piece of the size of the image out of the enlarged photograph, at a random place. */
static int cut_piece(struct df_corruption_job *job, const struct df_image *photograph, struct df_image *piece)
{
    const struct df_image *image = job->image;
    const double scale = enlargement(photograph, image);
    const int64_t width = (int64_t)ceil((double)photograph->width * scale);
    const int64_t height = (int64_t)ceil((double)photograph->height * scale);
    const int64_t top = (int64_t)df_rng_below(&job->rng, (uint64_t)(height - image->height));
    const int64_t left = (int64_t)df_rng_below(&job->rng, (uint64_t)(width - image->width));

    return cubic_cut(photograph, width, height, left, top, image->width, image->height, piece);
}

/* In double, as the package: sums are truncated, and many lie at a whole number. */
static void blend(struct df_image *image, const struct df_image *frost, double kept, double added)
{
    double image_share[256], frost_share[256];

    for (int i = 0; i < 256; i++) {
        image_share[i] = kept * i;
        frost_share[i] = added * i;
    }
    for (int64_t i = 0; i < image->width * image->height * 3; i++) {
        const double sum = image_share[image->pixels[i]] + frost_share[frost->pixels[i]];
        image->pixels[i] = (uint8_t)(sum > 255.0 ? 255.0 : sum);
    }
}

int imagenet_c_frost(struct df_corruption_job *job)
{
    static const double shares[DF_SEVERITIES][2] = {
        {1, 0.4}, {0.8, 0.6}, {0.7, 0.7}, {0.65, 0.7}, {0.6, 0.75}};
    const double *share = shares[job->severity - 1];
    const uint64_t drawn = df_rng_below(&job->rng, DF_CORRUPTION_FROSTS);
    struct df_image piece;

    DF_TRY(cut_piece(job, &job->frost->photographs[drawn], &piece));
    blend(job->image, &piece, share[0], share[1]);
    df_image_free(&piece);
    return 0;
}
