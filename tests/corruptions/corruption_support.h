/* What the tests of corruptions share. Each program takes the name of one corruption. */
#ifndef TESTS_CORRUPTIONS_SUPPORT_H
#define TESTS_CORRUPTIONS_SUPPORT_H

#include "dinoft/corruption.h"
#include "support/cmocka_all.h"

#define SKIPPED 77 /* the exit status that ctest shows as skipped */

/* The corruption under test, and frost's photographs where it needs them. */
struct subject {
    const struct df_corruption *corruption;
    struct df_frost *frost;
};

/* Takes the corruption's name from the command line. An exit status: 0, SKIPPED after a line that says why
 * (frost without its photographs in weights/frost), 1 after an error. */
int subject_open(struct subject *subject, int argc, char **argv);
void subject_close(struct subject *subject);

/* corruptions/NAME.png of the fixtures. */
struct df_image fixture_image(const char *name);

struct df_image copy_image(const struct df_image *image);
size_t image_bytes(const struct df_image *image);

/* A corrupted copy; the test fails where the corruption does. mask: changed in place, or NULL. */
struct df_image corrupted(const struct subject *subject, int severity, uint64_t seed, const char *name,
                          const struct df_image *image, struct df_image *mask);

/* The columns of fixtures/corruptions/statistics.json, over all pixels and channels of a result. */
enum {
    MAE, /* mean |result - clean| */
    PSNR_DB,
    MEAN_R,
    MEAN_G,
    MEAN_B,
    STD,
    MEAN_ABS_DX, /* between neighbours in a row */
    MEAN_ABS_DY,
    FRACTION_0,
    FRACTION_255,
    COLUMNS
};

void image_columns(const struct df_image *clean, const struct df_image *result, double columns[COLUMNS]);

#endif
