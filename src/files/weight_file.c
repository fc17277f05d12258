#include "dinoft/weight_file.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/mapped_file.h"
#include "dinoft/text.h"
#include "little_endian.h"

#include <string.h>

static bool begins_with(const struct df_mapping *file, const char *bytes, size_t count)
{
    return file->size >= count && memcmp(file->bytes, bytes, count) == 0;
}

/* A header length below 4 GiB, then the brace of the JSON: true for a safetensors file that was cut short,
 * too. */
static bool is_safetensors(const struct df_mapping *file)
{
    return file->size > 8 && df_le_get(file->bytes, 8) <= UINT32_MAX && file->bytes[8] == '{';
}

/* A zip archive, or the bare pickle of an old PyTorch, of which the reader says what to do about it. */
static bool is_torch(const struct df_mapping *file)
{
    return begins_with(file, "PK\3\4", 4) || begins_with(file, "PK\5\6", 4) ||
           begins_with(file, "\x80\x02", 2);
}

/* A ModelProto: its first field is ir_version, a small number. */
static bool is_onnx(const struct df_mapping *file)
{
    return file->size > 2 && file->bytes[0] == 0x08 && file->bytes[1] > 0 && file->bytes[1] < 0x80;
}

/* What people often have instead of the weights. */
static int refuse(const struct df_mapping *file)
{
    if (file->size == 0)
        return df_error_set("the file is empty");
    if (begins_with(file, "version https://git-lfs", 23))
        return df_error_set("this is a Git LFS pointer, not the weights: fetch them with `git lfs pull`");
    if (file->bytes[0] == '<')
        return df_error_set("this is a web page, not weights: the download went wrong");
    return df_error_set("neither a PyTorch (.pt, .pth) nor a safetensors nor an ONNX file");
}

static int read_entries(struct df_state *state, enum df_weight_format *format)
{
    if (is_safetensors(state->mapping)) {
        *format = DF_FORMAT_SAFETENSORS;
        return df_safetensors_read(state);
    }
    if (is_torch(state->mapping)) {
        *format = DF_FORMAT_TORCH;
        return df_torch_read(state);
    }
    if (is_onnx(state->mapping)) {
        *format = DF_FORMAT_ONNX;
        return df_onnx_read(state);
    }
    return refuse(state->mapping);
}

struct df_state *df_weight_file_read(const char *path, enum df_weight_format *format)
{
    enum df_weight_format unasked;
    struct df_state *state = df_state_new();

    if (!state)
        return NULL;
    state->mapping = df_mapping_open(path);
    if (!state->mapping)
        goto fail;
    if (read_entries(state, format ? format : &unasked) != 0) {
        df_error_context("%s", path);
        goto fail;
    }
    return state;
fail:
    df_state_free(state);
    return NULL;
}

typedef int state_writer(const char *path, const struct df_state *state);

static state_writer *writer_for(const char *path)
{
    if (df_text_ends_with(path, ".safetensors"))
        return df_safetensors_write;
    if (df_text_ends_with(path, ".pt") || df_text_ends_with(path, ".pth"))
        return df_torch_write;
    df_error_set("cannot write %s: weights are written as .pt, .pth or .safetensors", path);
    return NULL;
}

int df_weight_file_write(const char *path, const struct df_state *state)
{
    state_writer *write_state = writer_for(path);
    return write_state ? write_state(path, state) : -1;
}

int df_weight_file_check_output(const char *path)
{
    return writer_for(path) ? df_check_writable_file(path) : -1;
}
