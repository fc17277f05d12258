/* What the reader and the writer of .safetensors share. The format: 8 bytes with the length of a JSON header,
 * the header {"NAME": {"dtype": "F32", "shape": [3, 384], "data_offsets": [begin, end]}, …, "__metadata__":
 * {…}}, the data. */
#ifndef FILES_SAFETENSORS_H
#define FILES_SAFETENSORS_H

#include "dinoft/dtype.h"

#define DF_SAFETENSORS_HEADER_MAX ((size_t)100000000) /* the official reader's limit */
#define DF_SAFETENSORS_METADATA   "__metadata__"

/* Metadata that is not a text of the state: what other programs expect, and a JSON list of the entries that
 * are nn.Parameters, so that a .pt comes back from .safetensors as it was. */
#define DF_SAFETENSORS_FORMAT     "format"
#define DF_SAFETENSORS_FORMAT_PT  "pt"
#define DF_SAFETENSORS_PARAMETERS "dinoft.parameters"

/* The format's name for an element type ("F32"). */
const char *df_safetensors_dtype_name(enum df_dtype dtype);

#endif
