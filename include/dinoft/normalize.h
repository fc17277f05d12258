/* What the colours of an image are brought to before a model sees them: (value - mean) / deviation, of values
 * from 0 to 1. */
#ifndef DINOFT_NORMALIZE_H
#define DINOFT_NORMALIZE_H

#include "dinoft/vit_config.h"

struct df_normalize {
    float mean[3], std[3];
};

#define DF_NORMALIZE_TEXT  112 /* bytes of the longest text, with its end */
#define DF_NORMALIZE_NAMES "imagenet", "sat493m", "none"

/* Means from 0 to 1, deviations above 0 and at most 1: others are those of bytes, or wrong. -1 with the error
 * set. */
int df_normalize_set(struct df_normalize *normalize, const double mean[3], const double std[3]);

/* Reads one of the names, or "0.43,0.411,0.296:0.213,0.156,0.143". -1 with the error set. */
int df_normalize_parse(const char *text, struct df_normalize *normalize);

/* Its name, or the numbers, which are read to the same bits. Returns the buffer. */
const char *df_normalize_text(const struct df_normalize *normalize, char text[DF_NORMALIZE_TEXT]);

/* What the weights in `path` were trained with, where Hugging Face's preprocessor_config.json beside them or
 * their family tells it, and in *why how it is known, for people ("by its name"); *why is NULL where it is
 * not. -1 with the error set for a damaged file beside them. */
int df_normalize_of_backbone(const char *path, const struct df_vit_config *vit,
                             struct df_normalize *normalize, const char **why);

#endif
