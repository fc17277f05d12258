/* Tensors of a PyTorch archive: from the call in its pickle to an entry of a state. */
#ifndef FILES_TORCH_TENSOR_H
#define FILES_TORCH_TENSOR_H
#include "pickle.h"
#include "zip.h"

#include "dinoft/state.h"

/* Bytes that reading one file may allocate for tensors that cannot stay in the mapping: deflated ones and
 * those whose elements are not in row-major order. */
#define DF_TORCH_ALLOCATE_MAX ((uint64_t)8 << 30)

struct df_torch_storage {
    const void *bytes; /* NULL until it is read */
    void *owned;
};

struct df_torch_archive {
    struct df_zip *zip;
    char *root;                        /* the folder in the archive that everything lies in */
    struct df_torch_storage *storages; /* one for each entry of the archive */
    uint64_t budget;                   /* what is left of DF_TORCH_ALLOCATE_MAX */
};

/* Adds the tensor or parameter that the call builds. */
int df_torch_add_tensor(struct df_torch_archive *archive, struct df_state *state, const char *name,
                        const struct df_pickle_value *call);

#endif
