/* Which decoders there are. */
#ifndef DINOFT_DECODER_KIND_H
#define DINOFT_DECODER_KIND_H

#include "dinoft/vit_config.h"

/* Each has a row in src/model/decoder.c. */
#define DF_DECODERS(X)                                                                                       \
    X(DF_DECODER_LINEAR, "linear")                                                                           \
    X(DF_DECODER_MULTI, "multi") X(DF_DECODER_MLP, "mlp") X(DF_DECODER_FPN, "fpn")
enum df_decoder_choice { DF_DECODERS(DF_CHOICE_ID) };

/* Whether it is free which blocks it reads; else these are the last ones. */
static inline bool df_decoder_takes_layers(enum df_decoder_choice decoder)
{
    return decoder == DF_DECODER_MULTI || decoder == DF_DECODER_MLP;
}

/* Whether it may have a norm and dropout in front. */
static inline bool df_decoder_takes_norm(enum df_decoder_choice decoder)
{
    return decoder == DF_DECODER_LINEAR || decoder == DF_DECODER_MULTI;
}

struct df_decoder_kind {
    enum df_decoder_choice choice;
    const char *name;   /* what models, records and flags call it: "linear", "fpn" */
    const char *title;  /* for people: "linear (1x1 convolution)" */
    int64_t least_grid; /* patches of the smallest image's sides */
    int n_features;     /* how many of the backbone's blocks it reads */
    bool of_reference;  /* the reference project has it, under the same keys, where it has no norm */
};

/* What stands before the convolution. */
#define DF_HEAD_NORMS(X) X(DF_HEAD_NORM_NONE, "none") X(DF_HEAD_NORM_BN, "bn")
enum df_head_norm {
    DF_HEAD_NORMS(DF_CHOICE_ID)
    /* Each patch's channels are divided by their norm: of prototypes (dinoft/prototypes.h), which no flag and
     * no checkpoint names. It is not trained. */
    DF_HEAD_NORM_L2
};

/* What is free in a decoder, beside its kind. */
struct df_head {
    enum df_layers layers;  /* the blocks that it reads */
    enum df_head_norm norm; /* of what it reads */
    double dropout;         /* of whole channels of an image, in front of that, while training; 0: none */
};

/* Whether the reference project can load its checkpoints. */
static inline bool df_head_is_of_reference(const struct df_decoder_kind *kind, const struct df_head *head)
{
    return kind->of_reference && head->norm == DF_HEAD_NORM_NONE;
}

/* The one of that name, NULL with the error set, naming those that exist. */
const struct df_decoder_kind *df_decoder_kind_named(const char *name);

/* "linear", "multi (even blocks, BatchNorm)": the name, and what is free in it. Returns the buffer. */
#define DF_HEAD_TEXT 96
const char *df_head_text(const struct df_decoder_kind *kind, const struct df_head *head,
                         char text[DF_HEAD_TEXT]);

#endif
