#include "dinoft/label_census.h"

#include "dinoft/error.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TABLES 4 /* neighbours are mostly equal: one table would wait for its own last addition */

/* What is known of a mask: a bit for each label that it has a pixel of. */
struct entry {
    bool counted;
    uint64_t shown[DF_LABEL_VALUES / 64];
};

struct df_label_census {
    pthread_mutex_t lock;
    struct entry *entries; /* [masks] */
    struct df_label_counts counts;
};

struct df_label_census *df_label_census_new(int64_t masks)
{
    struct df_label_census *census = calloc(1, sizeof *census);
    struct entry *entries = calloc((size_t)masks + 1, sizeof *entries);

    if (!census || !entries) {
        df_error_memory("the counts of labels", sizeof *census + (size_t)masks * sizeof *entries);
        free(census);
        free(entries);
        return NULL;
    }
    census->entries = entries;
    pthread_mutex_init(&census->lock, NULL);
    return census;
}

void df_label_census_free(struct df_label_census *census)
{
    if (!census)
        return;
    pthread_mutex_destroy(&census->lock);
    free(census->entries);
    free(census);
}

void df_label_census_add(struct df_label_census *census, int64_t mask, const int64_t *pixels)
{
    struct entry *entry = &census->entries[mask];

    pthread_mutex_lock(&census->lock);
    if (!entry->counted) {
        entry->counted = true;
        census->counts.masks++;
        for (int label = 0; label < DF_LABEL_VALUES; label++) {
            census->counts.pixels[label] += pixels[label];
            entry->shown[label / 64] |= (uint64_t)(pixels[label] > 0) << label % 64;
        }
    }
    pthread_mutex_unlock(&census->lock);
}

bool df_label_census_has(struct df_label_census *census, int64_t mask)
{
    pthread_mutex_lock(&census->lock);
    const bool counted = census->entries[mask].counted;
    pthread_mutex_unlock(&census->lock);
    return counted;
}

bool df_label_census_shows(struct df_label_census *census, int64_t mask, int label)
{
    pthread_mutex_lock(&census->lock);
    const bool shows = census->entries[mask].shown[label / 64] >> label % 64 & 1;
    pthread_mutex_unlock(&census->lock);
    return shows;
}

void df_label_census_labels(struct df_label_census *census, int64_t mask,
                            uint64_t labels[DF_LABEL_VALUES / 64])
{
    pthread_mutex_lock(&census->lock);
    memcpy(labels, census->entries[mask].shown, sizeof census->entries[mask].shown);
    pthread_mutex_unlock(&census->lock);
}

void df_label_census_read(struct df_label_census *census, struct df_label_counts *counts)
{
    pthread_mutex_lock(&census->lock);
    *counts = census->counts;
    pthread_mutex_unlock(&census->lock);
}

void df_count_bytes(const uint8_t *bytes, size_t count, int64_t *pixels)
{
    uint32_t tables[TABLES][DF_LABEL_VALUES] = {{0}};
    size_t i = 0;

    for (; i + TABLES <= count; i += TABLES) {
        for (int t = 0; t < TABLES; t++)
            tables[t][bytes[i + (size_t)t]]++;
    }
    for (; i < count; i++)
        tables[0][bytes[i]]++;
    for (int value = 0; value < DF_LABEL_VALUES; value++) {
        pixels[value] = 0;
        for (int t = 0; t < TABLES; t++)
            pixels[value] += tables[t][value];
    }
}
