/* LoRA + decoder checkpoints: the reference project's, and dinoft's own with a record of what the model
 * expects. */
#ifndef DINOFT_CHECKPOINT_H
#define DINOFT_CHECKPOINT_H

#include "dinoft/augment.h"
#include "dinoft/decoder_kind.h"
#include "dinoft/fingerprint.h"
#include "dinoft/image_reading.h"
#include "dinoft/layout.h"
#include "dinoft/lora_parts.h"
#include "dinoft/mask_values.h"
#include "dinoft/normalize.h"
#include "dinoft/seen_images.h"
#include "dinoft/segmenter.h"

#define DF_RECORD_KEY "dinoft" /* the text entry that train adds: a JSON object */

/* The backbone behind a model, for comparison with the one that is given. */
struct df_trained_on {
    char file[256];                    /* the weight file's name without folders */
    bool has_shape;                    /* in files of earlier versions: where the hub name says it */
    struct df_vit_config shape;        /* without pos_grid, has_cls_norm and layernorm_eps */
    struct df_fingerprint fingerprint; /* count 0 in files of earlier versions */
};

/* What a model was trained with. Strings are "" and numbers 0 where a checkpoint does not say. */
struct df_record {
    char backbone[64]; /* hub name, "" for a model of other dimensions */
    struct df_trained_on trained_on;
    char dataset[32];                            /* "voc", "ade20k", "folder" */
    char normalize[DF_NORMALIZE_TEXT];           /* "imagenet", "0.5,0.5,0.5:0.5,0.5,0.5", ... */
    enum df_pos_interpolation pos_interpolation; /* of a backbone with a table of positions */
    char *mask_values;    /* what the masks hold (dinoft/dataset.h); owned, as what follows */
    char *ignored_values; /* NULL: as is usual */
    char image_range[DF_IMAGE_RANGE_TEXT_MAX]; /* dinoft/image_reading.h */
    char bands[DF_BANDS_TEXT_MAX];
    char augmentation[DF_AUGMENT_TEXT_MAX]; /* of the training images; "": none */
    struct df_split_record split;           /* folder: dinoft/layout.h */
    struct df_seen_images seen; /* the training images, also of the checkpoints that it goes on from */
    int64_t img_dim[2];         /* height, width */
    bool keeps_ratio;           /* of images that are resized */
    bool has_layers;
    enum df_layers layers;                   /* the blocks that the decoder reads, where these are free */
    double dropout;                          /* in front of the decoder */
    char lora_targets[DF_LORA_TARGETS_TEXT]; /* "": q and v */
    char lora_blocks[DF_LORA_BLOCKS_TEXT];   /* "": all */
    double lora_scale;                       /* 0: 1 */
    bool dora;                               /* its LoRA is DoRA */
    double ema;         /* the parameters are a moving average of this decay; 0: as the last step left them */
    char **class_names; /* [n_class_names] */
    int n_class_names;
    uint8_t (*class_colors)[3]; /* [n_class_names]; NULL: the usual ones */
};

struct df_checkpoint {
    struct df_state *state;
    const struct df_decoder_kind *decoder;
    struct df_head head;  /* what is free in it */
    int64_t classes, dim; /* the decoder's */
    int64_t rank, depth;  /* LoRA's; 0 without */
    bool tells_depth;     /* of the backbone; else depth is that behind the last block with LoRA */
    struct df_lora_parts lora;
    enum df_ffn lora_ffn; /* whose names its targets have */
    bool has_record;
    struct df_record record;
};

/* Checks what was read from path (consumed, also on failure). NULL with the error naming the file. */
struct df_checkpoint *df_checkpoint_from_state(struct df_state *state, const char *path);
void df_checkpoint_free(struct df_checkpoint *checkpoint);

/* A digest of its LoRA, the same whatever type the numbers have in the file. -1 with the error set. */
int df_checkpoint_lora_digest(const struct df_checkpoint *checkpoint, uint64_t *digest);

/* -1 with the error set, both numbers named, when the checkpoint's tensors do not fit the backbone. */
int df_checkpoint_check_backbone(const struct df_checkpoint *checkpoint, const struct df_vit_config *config,
                                 const char *path);

/* -1 with the error set, which says what the checkpoint was trained on and what the weights are, when its
 * record tells of a backbone of another shape. weights: the file, or what else names the backbone. */
int df_checkpoint_check_shape(const struct df_checkpoint *checkpoint, const char *path,
                              const struct df_vit_config *config, const char *weights);

/* The same for a backbone of another shape or fingerprint. What the record does not hold is not
 * compared. backbone: the weights under official names; path, weights: the files. */
int df_checkpoint_check_trained_on(const struct df_checkpoint *checkpoint, const char *path,
                                   const struct df_state *backbone, const struct df_vit_config *config,
                                   const char *weights);

/* What is known of the backbone, in words. Returns the buffer. */
#define DF_TRAINED_ON_TEXT 512
const char *df_trained_on_text(const struct df_trained_on *trained_on, char text[DF_TRAINED_ON_TEXT]);

/* Records the backbone in `path`: hub name, file, shape and fingerprint. -1 with the error set when its
 * weights are not numbers. */
int df_record_set_backbone(struct df_record *record, const struct df_state *backbone,
                           const struct df_vit_config *config, const char *path);

/* The model's parameters and the record, as a checkpoint has them. NULL with the error set. */
struct df_state *df_checkpoint_state(const struct df_segmenter *segmenter, const struct df_record *record);

#endif
