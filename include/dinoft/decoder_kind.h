/* Which decoders there are. */
#ifndef DINOFT_DECODER_KIND_H
#define DINOFT_DECODER_KIND_H

#include <stdint.h>

struct df_decoder_kind {
    const char *name;   /* what models, records and flags call it: "linear", "fpn" */
    const char *title;  /* for people: "linear (1x1 convolution)" */
    int64_t least_grid; /* patches of the smallest image's sides */
    int n_features;     /* how many of the backbone's last blocks it reads */
};

/* The one of that name, NULL with the error set, naming those that exist. */
const struct df_decoder_kind *df_decoder_kind_named(const char *name);

#endif
