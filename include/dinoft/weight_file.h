/* Reading and writing state dicts in every format that dinoft knows. */
#ifndef DINOFT_WEIGHT_FILE_H
#define DINOFT_WEIGHT_FILE_H

#include "dinoft/state.h"

enum df_weight_format { DF_FORMAT_TORCH, DF_FORMAT_SAFETENSORS, DF_FORMAT_ONNX };

/* Reads a file, its format told from its content, whatever its name. Names are the file's own (nested dicts
 * joined with dots); the file is mapped once, and stays so with the state. NULL with the error set, naming
 * the file. format may be NULL. */
struct df_state *df_weight_file_read(const char *path, enum df_weight_format *format);

/* Writes atomically, in the format that the extension names: .pt / .pth or .safetensors; another is an error.
 */
int df_weight_file_write(const char *path, const struct df_state *state);

/* Whether df_weight_file_write could write there: the extension is known, and the folder takes files. */
int df_weight_file_check_output(const char *path);

/* The readers and writers behind these, each in the file of its name. Readers fill a new state from its
 * mapping, whose first bytes are those of the format. */
int df_torch_read(struct df_state *state);
int df_safetensors_read(struct df_state *state);
int df_onnx_read(struct df_state *state);
int df_torch_write(const char *path, const struct df_state *state);
int df_safetensors_write(const char *path, const struct df_state *state);

#endif
