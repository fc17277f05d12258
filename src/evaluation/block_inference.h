/* From an image of any size to its classes, block by block, in bounded memory: a sliding window over the
 * image's own pixels.
 *
 * The classes are those of df_inference_predict() with own_size, to the last bit: windows, batches and the
 * order of sums are the same. What is kept of windows are their logits as the decoder makes them, of those
 * rows of windows that a row of blocks meets; they are enlarged for each block anew. */
#ifndef DINOFT_EVALUATION_BLOCK_INFERENCE_H
#define DINOFT_EVALUATION_BLOCK_INFERENCE_H

#include "dinoft/image.h"
#include "dinoft/segmenter.h"

struct df_pixel_source {
    void *context;
    int64_t width, height;
    /* Reads a part of the image to pixels uint8 [part's height, part's width, 3]. -1 with the error set. */
    int (*read)(void *context, const struct df_image_part *part, uint8_t *pixels);
};

struct df_block_options {
    int64_t crop, stride; /* of the window; crop a multiple of the patch, 1 <= stride <= crop */
    bool mirror;          /* average over the image as it is and mirrored */
    int64_t side;         /* of a block, but for those at the right and lower end */
    bool probabilities;   /* are wanted */
};

/* Of the part of the image; borrowed for a call. */
struct df_block {
    struct df_image_part part;
    const uint8_t *classes;     /* [height, width] */
    const float *probabilities; /* [height, width, C], where they are wanted */
};

/* Takes the next block, from left to right, then down. 0, or another status that ends the work. */
typedef int df_block_taker(void *context, const struct df_block *block);

/* Whether sides of these lengths can be done so: one is longer than the window, and none is shorter but for
 * whole patches. */
bool df_block_inference_fits(const struct df_segmenter *segmenter, int64_t height, int64_t width,
                             int64_t crop);

/* All blocks. The segmenter, which does not train, changes its size. 0; what the taker returned, if not 0; -1
 * with the error set. */
int df_block_inference(struct df_segmenter *segmenter, const struct df_block_options *options,
                       const struct df_pixel_source *source, df_block_taker *take, void *context);

#endif
