#include "files/file_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/error.h"
#include "dinoft/weight_file.h"

#include <stdlib.h>
#include <string.h>

struct df_mapping *open_or_fail(const char *path)
{
    struct df_mapping *mapping = df_mapping_open(path);
    assert_works(mapping);
    return mapping;
}

struct df_state *read_weights(const char *path)
{
    struct df_state *state = df_weight_file_read(path, NULL);
    assert_works(state);
    return state;
}

void assert_weights_refused(const char *path, const char *error)
{
    assert_null(df_weight_file_read(path, NULL));
    if (!strstr(df_error_text(), error) || !strstr(df_error_text(), path))
        fail_msg("expected \"%s\" and the file's name in \"%s\"", error, df_error_text());
}

void assert_states_equal(const struct df_state *a, const struct df_state *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct df_entry *x = &a->entries[i], *y = &b->entries[i];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->is_parameter, y->is_parameter);
        assert_int_equal(x->text == NULL, y->text == NULL);
        if (x->text) {
            assert_string_equal(x->text, y->text);
            continue;
        }
        assert_int_equal(x->tensor.dtype, y->tensor.dtype);
        assert_int_equal(x->tensor.ndim, y->tensor.ndim);
        assert_memory_equal(x->tensor.shape, y->tensor.shape, sizeof x->tensor.shape);
        size_t size = x->tensor.count * df_dtype_size(x->tensor.dtype);
        if (size)
            assert_memory_equal(x->tensor.data, y->tensor.data, size);
    }
}

bool read_throughout(const char *path)
{
    struct df_state *state = df_weight_file_read(path, NULL);
    if (state) {
        for (size_t i = 0; i < state->count; i++) { /* every byte that the state refers to can be read */
            const struct df_tensor *tensor = &state->entries[i].tensor;
            const volatile unsigned char *bytes_of = tensor->data;
            for (size_t j = 0; !state->entries[i].text && j < tensor->count * df_dtype_size(tensor->dtype);
                 j++)
                (void)bytes_of[j];
        }
    } else {
        assert_error_has(path);
        assert_null(strchr(df_error_text(), '\n'));
    }
    df_state_free(state);
    return state != NULL;
}

void read_damaged(const char *path, size_t step)
{
    static const unsigned char changes[] = {0x01, 0x10, 0x80, 0xff};
    struct df_mapping *mapping = open_or_fail(path);
    size_t size = mapping->size;
    unsigned char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, mapping->bytes, size);
    df_mapping_close(mapping);

    for (size_t cut = 0; cut < size; cut += step)
        assert_false(read_throughout(scratch_write("damaged", copy, cut)));
    for (size_t i = 0; i < size; i += step) {
        for (size_t k = 0; k < sizeof changes; k++) {
            copy[i] ^= changes[k];
            read_throughout(scratch_write("damaged", copy, size));
            copy[i] ^= changes[k];
        }
    }
    free(copy);
}
