/* The names that a checkpoint of tensors may mention. */
#ifndef FILES_TORCH_GLOBALS_H
#define FILES_TORCH_GLOBALS_H
#include "pickle.h"

#include "dinoft/dtype.h"

/* Ids below DF_DTYPE_COUNT are storage classes: the element type itself. */
enum df_torch_id {
    DF_TORCH_ORDERED_DICT = DF_DTYPE_COUNT,
    DF_TORCH_REBUILD_TENSOR, /* both versions: their first four arguments are the same */
    DF_TORCH_REBUILD_PARAMETER,
    DF_TORCH_SIZE,
    DF_TORCH_DTYPE
};

/* Ends with a NULL module. Where an id has several names, the first is the one to write. */
extern const struct df_pickle_global df_torch_globals[];

/* The first name of that id. */
const struct df_pickle_global *df_torch_global(int id);

#endif
