/* The names of a backbone's tensors: the official ones (see dinoft/backbone_file.h), and Hugging Face's. */
#ifndef BACKBONE_NAMES_H
#define BACKBONE_NAMES_H

#include <stdbool.h>

/* Who named the tensors. Hugging Face has one naming for each family, and in DINOv3's up_proj and down_proj
 * stand for other tensors where there is a gate_proj. Bits, so that a rule can hold for several. */
enum df_scheme {
    DF_SCHEME_OFFICIAL = 1,
    DF_SCHEME_HF_DINOV2 = 2,
    DF_SCHEME_HF_DINOV3 = 4,
    DF_SCHEME_HF_DINOV3_GATED = 8
};

#define DF_DIM_OF_7B         4096 /* the one model with heads of 128, which Hugging Face's files do not say */
#define DF_DIM_OF_SO400M     1152 /* TIPS's size with heads of 72 */
#define DF_OFFICIAL_NAME_MAX 64
#define DF_MAX_BLOCKS        1000
#define DF_QKV_PARTS         3
#define DF_QKV_K             1 /* the part between q and v */

struct df_official_name {
    char text[DF_OFFICIAL_NAME_MAX];
    int part; /* 0, 1, 2: the tensor is the q, k, v third of the one called text; -1: it is the whole */
};

enum df_name_kind {
    DF_NAME_KNOWN,
    DF_NAME_FOREIGN,    /* not a backbone's: a head, an optimiser's state, … */
    DF_NAME_UNSUPPORTED /* inside a block, so that the block computes something else than it does here */
};

/* The official name of a tensor. In DINOv2's training checkpoints blocks are grouped, blocks.GROUP.N: the
 * group goes. */
enum df_name_kind df_name_from_official(const char *name, struct df_official_name *official);
enum df_name_kind df_name_from_huggingface(const char *name, enum df_scheme scheme,
                                           struct df_official_name *official);

/* The inverse, for part -1 or 0 to 2. false if the scheme has no name for it. */
bool df_name_to_huggingface(const char *official, int part, enum df_scheme scheme,
                            char name[2 * DF_OFFICIAL_NAME_MAX]);

/* Reads the number at *text and the dot behind it and moves *text behind both; -1 if there is none below
 * DF_MAX_BLOCKS. */
int df_block_number(const char **text);

#endif
