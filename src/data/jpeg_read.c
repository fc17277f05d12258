#include "codec.h"

#include "dinoft/error.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* A progressive file of a few bytes a scan could otherwise keep the decoder busy for hours. */
#define MAX_SCANS 200

static const char exif_start[] = "Exif\0"; /* with the literal's own end: six bytes */

struct reader {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    bool has_no_end; /* the file ends before the image says that it does */
};

static _Noreturn void fail(j_common_ptr info)
{
    struct reader *reader = (struct reader *)info;
    char text[JMSG_LENGTH_MAX];

    info->err->format_message(info, text);
    if (info->err->msg_code == JERR_OUT_OF_MEMORY)
        df_error_memory("reading a JPEG", 0);
    else
        df_error_set("%s", text);
    longjmp(reader->escape, 1);
}

/* libjpeg paints over missing data and warns; what has lost pixels is an error here. Harmless oddities pass,
 * such as a file that ends behind its last pixel: it asks for more data then, gets a marker that says that
 * this is the end, and hits it only where bits of a pixel are missing. */
static void on_message(j_common_ptr info, int level)
{
    struct reader *reader = (struct reader *)info;

    if (level >= 0)
        return;
    switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
        reader->has_no_end = true;
        break;
    case JWRN_HIT_MARKER:
        if (reader->has_no_end)
            info->err->msg_code = JWRN_JPEG_EOF; /* says what the user should know */
        fail(info);
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        fail(info);
    default:
        break;
    }
}

static void on_progress(j_common_ptr info)
{
    struct reader *reader = (struct reader *)info;

    if (reader->info.input_scan_number > MAX_SCANS) {
        df_error_set("a progressive JPEG of more than %d scans", MAX_SCANS);
        longjmp(reader->escape, 1);
    }
}

static void read_header(struct reader *reader, const unsigned char *bytes, size_t size)
{
    struct jpeg_decompress_struct *info = &reader->info;

    jpeg_create_decompress(info);
    reader->progress.progress_monitor = on_progress;
    info->progress = &reader->progress;
    jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
    jpeg_mem_src(info, bytes, (unsigned long)size);
    jpeg_read_header(info, TRUE);
}

static int orientation_of(const struct jpeg_decompress_struct *info)
{
    for (jpeg_saved_marker_ptr marker = info->marker_list; marker; marker = marker->next) {
        size_t length = marker->data_length;
        if (marker->marker == JPEG_APP0 + 1 && length >= sizeof exif_start &&
            memcmp(marker->data, exif_start, sizeof exif_start) == 0)
            return df_exif_orientation(marker->data + sizeof exif_start, length - sizeof exif_start);
    }
    return 1;
}

/* The values are stored inverted, as Adobe's programs write them and as OpenCV takes every such file. */
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, int64_t count)
{
    for (int64_t i = 0; i < count; i++, cmyk += 4, rgb += 3) {
        int k = cmyk[3];
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(k - ((255 - cmyk[c]) * k >> 8));
    }
}

/* Each block takes a bit at least, and an MCU has one at least. Arithmetic coding knows no such limit. */
static int check_size(const struct jpeg_decompress_struct *info, size_t size)
{
    const int64_t mcu = (int64_t)info->max_h_samp_factor * DCTSIZE * info->max_v_samp_factor * DCTSIZE;

    return df_image_check_file(info->image_width, info->image_height, size,
                               info->arith_code ? INT64_MAX : 8 * mcu);
}

/* Whether all pixels are there although nothing says that this is the end: more scans may be missing that
 * would have made them finer, and arithmetic decoding goes on with zeros without a word. */
static bool is_whole(struct jpeg_decompress_struct *info)
{
    if (info->arith_code)
        return false;
    if (!info->progressive_mode)
        return info->comps_in_scan == info->num_components;
    for (int c = 0; c < info->num_components; c++) {
        for (int i = 0; i < DCTSIZE2; i++) {
            if (info->coef_bits[c][i] != 0)
                return false;
        }
    }
    return true;
}

static int read_pixels(struct reader *reader, bool cmyk, struct df_image *image)
{
    struct jpeg_decompress_struct *info = &reader->info;
    JSAMPARRAY row = NULL;

    jpeg_start_decompress(info);
    if (cmyk)
        row = info->mem->alloc_sarray((j_common_ptr)info, JPOOL_IMAGE, info->output_width * 4, 1);
    while (info->output_scanline < info->output_height) {
        uint8_t *out = image->pixels + (int64_t)info->output_scanline * image->width * 3;
        if (cmyk) {
            jpeg_read_scanlines(info, row, 1);
            cmyk_to_rgb(row[0], out, image->width);
        } else {
            jpeg_read_scanlines(info, &out, 1);
        }
    }
    const bool whole = is_whole(info);
    jpeg_finish_decompress(info);
    if (!reader->has_no_end)
        return 0;
    image->warning = "it ends without the two bytes that mark a JPEG's end, though all its pixels are there";
    return whole ? 0 : df_error_set("premature end of JPEG file");
}

static int decode(struct reader *reader, size_t size, struct df_image *image)
{
    struct jpeg_decompress_struct *info = &reader->info;
    const bool cmyk = info->num_components == 4;
    const int orientation = orientation_of(info); /* now: finishing drops the markers */

    DF_TRY(check_size(info, size));
    DF_TRY(df_image_alloc(image, info->image_width, info->image_height, 3));
    info->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    info->dct_method = JDCT_ISLOW;
    info->do_fancy_upsampling = TRUE;
    DF_TRY(read_pixels(reader, cmyk, image));
    return df_image_orient(image, orientation);
}

static void prepare(struct reader *reader)
{
    memset(reader, 0, sizeof *reader);
    reader->info.err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = fail;
    reader->errors.emit_message = on_message;
}

int df_jpeg_decode(const unsigned char *bytes, size_t size, struct df_image *image)
{
    struct reader reader;

    memset(image, 0, sizeof *image);
    prepare(&reader);
    if (setjmp(reader.escape)) {
        jpeg_destroy_decompress(&reader.info);
        df_image_free(image);
        return -1;
    }
    read_header(&reader, bytes, size);
    int status = decode(&reader, size, image);
    jpeg_destroy_decompress(&reader.info);
    if (status != 0)
        df_image_free(image);
    return status;
}

int df_jpeg_orientation(const unsigned char *bytes, size_t size)
{
    struct reader reader;
    volatile int orientation = 1;

    prepare(&reader);
    if (setjmp(reader.escape) == 0) {
        read_header(&reader, bytes, size);
        orientation = orientation_of(&reader.info);
    }
    jpeg_destroy_decompress(&reader.info);
    return orientation;
}
