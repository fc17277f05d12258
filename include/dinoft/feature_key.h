/* A digest of all that features and labels depend on. */
#ifndef DINOFT_FEATURE_KEY_H
#define DINOFT_FEATURE_KEY_H

#include "dinoft/dataset.h"
#include "dinoft/model_parts.h"

/* Covers the backbone's tensors, the LoRA that is merged into it, the bytes of every image and mask in their
 * order, what the labels mean, the size, the normalisation, how positions are placed, the blocks, the device,
 * its type and the program's version; neither paths nor times, so that files may be moved. Reads them all. -1
 * with the error set. */
int df_feature_key(const struct df_setup *setup, const struct df_dataset *const sets[], int n_sets,
                   int64_t n_features, uint64_t *key);

#endif
