#include "dinoft/image.h"

#include "codec.h"
#include "dinoft/atomic_write.h"
#include "dinoft/error.h"

#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#define FIRST_BYTES 4096

struct writer {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf escape;
    unsigned char *bytes; /* [capacity]; ours all the time, where libjpeg's own memory destination loses track
                             of its first buffer when an error comes after that has grown */
    size_t capacity, size;
};

static _Noreturn void fail(j_common_ptr info)
{
    struct writer *writer = (struct writer *)info;
    char text[JMSG_LENGTH_MAX];

    info->err->format_message(info, text);
    if (info->err->msg_code == JERR_OUT_OF_MEMORY)
        df_error_memory("writing a JPEG", 0);
    else
        df_error_set("%s", text);
    longjmp(writer->escape, 1);
}

static void grow(struct writer *writer, size_t capacity)
{
    unsigned char *bytes = realloc(writer->bytes, capacity);
    if (!bytes) {
        df_error_memory("a JPEG file", capacity);
        longjmp(writer->escape, 1);
    }
    writer->destination.next_output_byte = bytes + writer->capacity;
    writer->destination.free_in_buffer = capacity - writer->capacity;
    writer->bytes = bytes;
    writer->capacity = capacity;
}

static void begin_output(j_compress_ptr info)
{
    grow((struct writer *)info, FIRST_BYTES);
}

/* libjpeg calls this when all of the buffer is used. */
static boolean extend_output(j_compress_ptr info)
{
    struct writer *writer = (struct writer *)info;

    grow(writer, 2 * writer->capacity);
    return TRUE;
}

static void end_output(j_compress_ptr info)
{
    struct writer *writer = (struct writer *)info;

    writer->size = writer->capacity - writer->destination.free_in_buffer;
}

static void compress(struct writer *writer, const struct df_image *image, int quality)
{
    struct jpeg_compress_struct *info = &writer->info;

    jpeg_create_compress(info);
    writer->destination = (struct jpeg_destination_mgr){.init_destination = begin_output,
                                                        .empty_output_buffer = extend_output,
                                                        .term_destination = end_output};
    info->dest = &writer->destination;
    info->image_width = (JDIMENSION)image->width;
    info->image_height = (JDIMENSION)image->height;
    info->input_components = 3;
    info->in_color_space = JCS_RGB;
    jpeg_set_defaults(info); /* YCbCr, 4:2:0 */
    jpeg_set_quality(info, quality, TRUE);
    info->dct_method = JDCT_ISLOW;
    jpeg_start_compress(info, TRUE);
    while (info->next_scanline < info->image_height) {
        uint8_t *row = image->pixels + (int64_t)info->next_scanline * image->width * 3;
        jpeg_write_scanlines(info, &row, 1);
    }
    jpeg_finish_compress(info);
}

/* The file in memory, in writer->bytes; -1 with the error set. The caller frees the bytes in either case. */
static int encode(struct writer *writer, const struct df_image *image, int quality)
{
    assert(image->channels == 3);
    memset(writer, 0, sizeof *writer);
    writer->info.err = jpeg_std_error(&writer->errors);
    writer->errors.error_exit = fail;
    if (setjmp(writer->escape)) {
        jpeg_destroy_compress(&writer->info);
        return -1;
    }
    compress(writer, image, quality);
    jpeg_destroy_compress(&writer->info);
    return 0;
}

void *df_jpeg_encode(const struct df_image *image, int quality, size_t *size)
{
    struct writer writer;

    if (encode(&writer, image, quality) != 0) {
        free(writer.bytes);
        return NULL;
    }
    *size = writer.size;
    return writer.bytes;
}

int df_jpeg_write(const char *path, const struct df_image *image, int quality)
{
    struct writer writer;
    int status = encode(&writer, image, quality);

    if (status == 0)
        status = df_atomic_write(path, writer.bytes, writer.size);
    else
        df_error_context("cannot write the image %s", path);
    free(writer.bytes);
    return status;
}

int df_jpeg_round_trip(struct df_image *image, int quality)
{
    struct writer writer;
    struct df_image decoded = {0};
    int status = encode(&writer, image, quality);

    if (status == 0)
        status = df_jpeg_decode(writer.bytes, writer.size, &decoded);
    free(writer.bytes);
    if (status == 0) {
        df_image_free(image);
        *image = decoded;
    }
    return status;
}
