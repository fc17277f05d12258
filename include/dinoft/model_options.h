/* What the flags, and a checkpoint where there is one, say of a model. Here flags end: whoever makes a model,
 * to train, to measure, to plan its memory or to test a device, takes its options from here, and the modules
 * that this one uses, but for config/, know no flag. */
#ifndef DINOFT_MODEL_OPTIONS_H
#define DINOFT_MODEL_OPTIONS_H

#include "dinoft/config.h"
#include "dinoft/model_parts.h"

/* The hub name of the backbone that the flags mean; a checkpoint's record (NULL: no checkpoint) counts more
 * than defaults that nobody typed. NULL with the error set. */
const char *df_backbone_name(const struct df_config *config, const struct df_checkpoint *checkpoint);

/* That backbone's dimensions. -1 with the error set. */
int df_backbone_dimensions(const struct df_config *config, const struct df_checkpoint *checkpoint,
                           struct df_vit_config *vit);

/* The name of the decoder that the flags ask for (dinoft/decoder_kind.h), and what is free in it. */
const char *df_typed_decoder(const struct df_config *config);
struct df_head df_typed_head(const struct df_config *config);

/* Fills in what does not depend on a data set or on what the model is for: decoder and LoRA (the
 * checkpoint's, else the flags'), the image size (the flags' or, where none is typed, the checkpoint's,
 * lowered to multiples of the patch, which is logged), normalisation, batch size (with --accumulate that of a
 * part), the optimiser, the loss but for classes' weights, recomputing, rescaling of RoPE. Classes are the
 * checkpoint's or --n_classes or, where nothing says how many, VOC's 21. checkpoint may be NULL, and so may
 * weights, the backbone's file. -1 with the error set. */
int df_model_options(struct df_segmenter_options *options, const struct df_config *config,
                     const struct df_checkpoint *checkpoint, const struct df_vit_config *vit,
                     const char *weights);

#endif
