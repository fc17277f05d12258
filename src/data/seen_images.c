#include "dinoft/seen_images.h"

#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/log.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define MIDDLE 4096 /* bytes, in which pictures of one size differ */

static void add_middle_of_archived(struct df_digest *digest, const struct df_sample *sample)
{
    struct df_file_bytes file;

    if (df_file_bytes_read(sample->image_path, &file) != 0)
        return;
    const size_t middle = file.size / 2;
    df_digest_add(digest, file.bytes + middle, file.size - middle < MIDDLE ? file.size - middle : MIDDLE);
    df_file_bytes_free(&file);
}

/* Of what cannot be read nothing: whoever needs the image reports it. */
static void add_middle(struct df_digest *digest, const struct df_sample *sample)
{
    unsigned char bytes[MIDDLE];
    FILE *file = fopen(sample->image_path, "rb");

    if (!file) {
        add_middle_of_archived(digest, sample);
        return;
    }
    if (fseeko(file, (off_t)(sample->image_bytes / 2), SEEK_SET) == 0)
        df_digest_add(digest, bytes, fread(bytes, 1, sizeof bytes, file));
    fclose(file);
}

static uint64_t digest_of(const struct df_sample *sample)
{
    struct df_digest digest;

    df_digest_start(&digest);
    df_digest_add_text(&digest, df_path_name(sample->image_path));
    df_digest_add_number(&digest, (uint64_t)sample->image_bytes);
    add_middle(&digest, sample);
    return df_digest_value(&digest) >> (64 - DF_SEEN_DIGEST_BITS);
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Takes the digests over, which stand for so many images. */
static void settle(struct df_seen_images *seen, uint64_t *digests, int64_t count, int64_t images)
{
    int64_t kept = 0;

    qsort(digests, (size_t)count, sizeof *digests, compare);
    for (int64_t i = 0; i < count; i++) {
        if (kept == 0 || digests[kept - 1] != digests[i])
            digests[kept++] = digests[i];
    }
    free(seen->digests);
    seen->digests = digests;
    seen->images = images == count ? kept : images;
    seen->count = df_min_i64(kept, DF_SEEN_IMAGES_MOST);
}

/* Those that are there, with room for more behind them. NULL when out of memory. */
static uint64_t *copy_with_room(const struct df_seen_images *seen, int64_t more)
{
    const size_t count = (size_t)(seen->count + more);
    uint64_t *digests = calloc(count + 1, sizeof *digests);

    if (!digests)
        df_error_memory("digests of images", (unsigned long long)count * sizeof *digests);
    else if (seen->count > 0)
        memcpy(digests, seen->digests, (size_t)seen->count * sizeof *digests);
    return digests;
}

int df_seen_images_add(struct df_seen_images *seen, const struct df_dataset *dataset)
{
    uint64_t *digests = copy_with_room(seen, dataset->count);

    if (!digests)
        return -1;
    for (int64_t i = 0; i < dataset->count; i++)
        digests[seen->count + i] = digest_of(&dataset->samples[i]);
    settle(seen, digests, seen->count + dataset->count, seen->images + dataset->count);
    return 0;
}

int df_seen_images_join(struct df_seen_images *seen, const struct df_seen_images *other)
{
    uint64_t *digests = copy_with_room(seen, other->count);

    if (!digests)
        return -1;
    if (other->count > 0)
        memcpy(digests + seen->count, other->digests, (size_t)other->count * sizeof *digests);
    settle(seen, digests, seen->count + other->count, seen->images + other->images);
    return 0;
}

void df_seen_images_report(const struct df_seen_images *seen, const struct df_dataset *dataset,
                           const char *path)
{
    const bool all_are_known = seen->count == seen->images;
    int64_t found = 0;

    for (int64_t i = 0; i < dataset->count && seen->count > 0; i++) {
        const uint64_t digest = digest_of(&dataset->samples[i]);
        found += bsearch(&digest, seen->digests, (size_t)seen->count, sizeof digest, compare) != NULL;
    }
    if (found > 0)
        df_log("warning: %s%" PRId64 " of the %" PRId64
               " validation images are among those that %s was trained on, so that scores look better than "
               "they are",
               all_are_known ? "" : "at least ", found, dataset->count, path);
}

void df_seen_images_free(struct df_seen_images *seen)
{
    free(seen->digests);
    *seen = (struct df_seen_images){0};
}
