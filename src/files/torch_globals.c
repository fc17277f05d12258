#include "torch_globals.h"

#include <stddef.h>

#define STORAGE(name, dtype)                                                                                 \
    {                                                                                                        \
        "torch", name, DF_CALL_REFUSED, dtype                                                                \
    }
#define DTYPE(name)                                                                                          \
    {                                                                                                        \
        "torch", name, DF_CALL_REFUSED, DF_TORCH_DTYPE                                                       \
    }

const struct df_pickle_global df_torch_globals[] = {
    {"collections", "OrderedDict", DF_CALL_DICT, DF_TORCH_ORDERED_DICT},
    {"torch._utils", "_rebuild_tensor_v2", DF_CALL_KEPT, DF_TORCH_REBUILD_TENSOR},
    {"torch._utils", "_rebuild_tensor", DF_CALL_KEPT, DF_TORCH_REBUILD_TENSOR},
    {"torch._utils", "_rebuild_parameter", DF_CALL_KEPT, DF_TORCH_REBUILD_PARAMETER},
    {"torch", "Size", DF_CALL_TUPLE, DF_TORCH_SIZE},

    STORAGE("FloatStorage", DF_F32),
    STORAGE("HalfStorage", DF_F16),
    STORAGE("BFloat16Storage", DF_BF16),
    STORAGE("DoubleStorage", DF_F64),
    STORAGE("LongStorage", DF_I64),
    STORAGE("IntStorage", DF_I32),
    STORAGE("ShortStorage", DF_I16),
    STORAGE("CharStorage", DF_I8),
    STORAGE("ByteStorage", DF_U8),
    STORAGE("BoolStorage", DF_BOOL),
    {"torch.storage", "UntypedStorage", DF_CALL_REFUSED, DF_U8},

    DTYPE("float32"),
    DTYPE("float16"),
    DTYPE("bfloat16"),
    DTYPE("float64"),
    DTYPE("int64"),
    DTYPE("int32"),
    DTYPE("int16"),
    DTYPE("int8"),
    DTYPE("uint8"),
    DTYPE("bool"),

    {NULL, NULL, DF_CALL_REFUSED, 0},
};

const struct df_pickle_global *df_torch_global(int id)
{
    const struct df_pickle_global *global = df_torch_globals;
    while (global->module && global->id != id)
        global++;
    return global;
}
