/* TIFFs that are too large to be held in memory: their classes are found and written block by block. */
#ifndef DINOFT_PREDICT_LARGE_H
#define DINOFT_PREDICT_LARGE_H

#include "predict_model.h"
#include "predict_write.h"

/* Writes all files of an image, of which predicted has the size, and fills in what is told of it. Pictures
 * are of every n-th pixel, their longer side at most 4096; what is neither a TIFF nor a picture is left out,
 * which is logged. 0; 1 where Ctrl-C came first; -1 with the error set, and *readable false if the image is
 * at fault. No file is there then but those that were before. */
int predict_large(struct predict_model *model, const struct predict_look *look,
                  const struct predict_writers *writers, struct predicted *predicted, bool *readable);

#endif
