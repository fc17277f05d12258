/* Image corruptions: the nineteen of ImageNet-C, as the package imagecorruptions 1.1.2 computes them, and the
 * ten Albumentations transforms (1.3.1) that the reference project draws from.
 *
 * What is drawn at random depends on the seed, the image's name, the corruption and the severity only: every
 * run, order and number of threads gives the same pixels. */
#ifndef DINOFT_CORRUPTION_H
#define DINOFT_CORRUPTION_H

#include "dinoft/choice.h"
#include "dinoft/image.h"
#include "dinoft/rng.h"

#include <stdbool.h>

#define DF_SEVERITIES        5  /* 1 .. 5 */
#define DF_CORRUPTIONS       29 /* in both suites */
#define DF_CORRUPTION_LEAST  32 /* width and height of the smallest image that is corrupted */
#define DF_CORRUPTION_FROSTS 5  /* photographs that frost draws from: the package never draws its sixth */

/* The frost photographs; read-only once opened, so that threads may share them. */
struct df_frost;

/* How they are had. */
#define DF_FROST_HELP "scripts/get_frost.py, installed as dinoft-get-frost, fetches them"

/* Reads frost1.png … frost5.jpg of the folder; NULL: of the first folder "frost" where weights are looked for
 * (dinoft/weight_search.h). NULL with the error set, which says what helps, and where they were looked for or
 * which file is missing, damaged or of another size than the package's. advice: how the caller lets one name
 * the folder, for the error ("; --frost_dir …"); "" for none. */
struct df_frost *df_frost_open(const char *folder, const char *advice);
void df_frost_free(struct df_frost *frost); /* NULL is allowed */

/* One image on its way through a corruption. */
struct df_corruption_job {
    struct df_image *image; /* RGB, changed in place (its size stays) */
    struct df_image
        *mask;         /* classes, same size, changed in place where labels move with pixels; NULL: none */
    int severity;      /* 1 .. DF_SEVERITIES */
    struct df_rng rng; /* a stream of its own for (seed, image, corruption, severity) */
    const struct df_frost *frost; /* read by frost alone */
};

struct df_corruption {
    const char *name;   /* as its package spells it: "gaussian_noise", "GaussNoise" */
    const char *family; /* "noise", "blur", "weather", "digital", "extra" */
    bool common;        /* one of ImageNet-C's standard fifteen */
    bool random;        /* draws anything at all */
    bool needs_frost;
    int (*apply)(struct df_corruption_job *job); /* 0, or -1 with the error set (out of memory) */
};

#define DF_SUITES(X) X(DF_SUITE_IMAGENET_C, "imagenet-c") X(DF_SUITE_REFERENCE, "reference")
enum df_suite { DF_SUITES(DF_CHOICE_ID) DF_SUITE_COUNT };

struct df_corruption_suite {
    const char *name; /* "imagenet-c", "reference" */
    const struct df_corruption *corruptions;
    int count;
};

const struct df_corruption_suite *df_corruption_suite(enum df_suite suite);

/* Of any suite; NULL with the error set, with the nearest name where there is one. */
const struct df_corruption *df_corruption_named(const char *name);

/* Corruptions chosen from both suites: none twice, in the order of the choice. */
struct df_corruption_choice {
    const struct df_corruption *items[DF_CORRUPTIONS];
    bool named[DF_CORRUPTIONS]; /* by itself, not as one of a group */
    int count;
};

/* Reads names of either suite with commas between them; "common" stands for ImageNet-C's standard fifteen,
 * "all" for the whole suite. -1 with the error set: it says what is wrong with the name and what there is. */
int df_corruption_list(const char *text, const struct df_corruption_suite *suite,
                       struct df_corruption_choice *choice);

/* Opens frost's photographs (df_frost_open) if the choice needs them; *frost is NULL otherwise. Where they
 * cannot be opened, frost is taken out of the choice, a line of the log says why, and so does
 * df_error_text(); if it was chosen by its name, or only memory is lacking, that is an error (-1). */
int df_corruption_choice_frost(struct df_corruption_choice *choice, const char *folder, const char *advice,
                               struct df_frost **frost);

/* Corrupts an image, and its mask if not NULL, in place. image_name (its file's name without folders and
 * extension) is part of what the draw depends on. -1 with the error set, for the caller to put the file's
 * name in front: an image smaller than DF_CORRUPTION_LEAST, no memory, frost without photographs. */
int df_corrupt(const struct df_corruption *corruption, int severity, uint64_t seed, const char *image_name,
               const struct df_frost *frost, struct df_image *image, struct df_image *mask);

/* The corruption that the reference project's pipeline would draw for an image: one of the suite's, each as
 * likely. */
const struct df_corruption *df_corruption_draw(const struct df_corruption_suite *suite, int severity,
                                               uint64_t seed, const char *image_name);

#endif
