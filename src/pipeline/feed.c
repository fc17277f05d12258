#include "dinoft/feed.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct df_feed {
    struct df_loader *loader; /* NULL: features */
    struct df_batch ahead;    /* the next one, packed: on its way to the device; count 0: there is none */
    struct df_backend *sends; /* reads the loader's memory beside other work; NULL: nothing was sent yet */
    const struct df_feature_cache *cache;
    struct df_feed_options options;
    size_t label_bytes;
    int64_t *order;  /* [count] */
    int64_t first;   /* the cache's record of sample 0 in this epoch */
    int64_t next;    /* position in the order */
    uint8_t *labels; /* [batch_size, H, W] of the current batch */
    void *buffer;    /* for one record */
};

static struct df_feed *new_feed(void)
{
    struct df_feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        df_error_memory("a feed", sizeof *feed);
    return feed;
}

static void *alloc_block(void *context, size_t bytes)
{
    struct df_backend *backend = context;

    return backend->ops->host_alloc(backend, bytes);
}

static void free_block(void *context, void *block)
{
    struct df_backend *backend = context;

    backend->ops->host_free(backend, block);
}

struct df_block_memory df_feed_block_memory(struct df_backend *backend)
{
    return (struct df_block_memory){alloc_block, free_block, backend};
}

struct df_loader *df_feed_open_loader(const struct df_dataset *dataset,
                                      const struct df_loader_options *options,
                                      const struct df_segmenter *segmenter)
{
    struct df_loader_options suited = *options;
    const struct df_packed_layout *packing = df_segmenter_packing(segmenter);

    if (packing && options->height > 0) {
        suited.memory = df_feed_block_memory(df_segmenter_backend(segmenter));
        suited.layout = *packing;
    }
    return df_loader_open(dataset, &suited);
}

struct df_feed *df_feed_images(struct df_loader *loader)
{
    struct df_feed *feed = new_feed();
    if (feed)
        feed->loader = loader;
    return feed;
}

struct df_feed *df_feed_features(const struct df_feature_cache *cache, size_t label_bytes,
                                 const struct df_feed_options *options)
{
    struct df_feed *feed = new_feed();
    const size_t record = df_feature_cache_record_bytes(cache);
    size_t labels;

    assert(options->count > 0 && options->batch_size > 0 && label_bytes <= record);
    if (!feed)
        return NULL;
    feed->cache = cache;
    feed->label_bytes = label_bytes;
    feed->options = *options;
    feed->options.batch_size = df_min_i64(options->batch_size, options->count);
    feed->next = options->count;
    if (df_size_mul((size_t)feed->options.batch_size, label_bytes, &labels)) {
        feed->order = malloc((size_t)options->count * sizeof *feed->order);
        feed->labels = malloc(labels);
        feed->buffer = malloc(record);
    }
    if (feed->order && feed->labels && feed->buffer)
        return feed;
    df_error_memory("a batch of features", record);
    df_feed_free(feed);
    return NULL;
}

/* From here on the loader may fill the memory that was sent. */
static int finish_sending(struct df_feed *feed)
{
    return feed->sends ? feed->sends->ops->sent(feed->sends) : 0;
}

void df_feed_free(struct df_feed *feed)
{
    if (!feed)
        return;
    (void)finish_sending(feed);
    free(feed->order);
    free(feed->labels);
    free(feed->buffer);
    free(feed);
}

int64_t df_feed_batches(const struct df_feed *feed)
{
    if (feed->loader)
        return df_loader_batches(feed->loader);
    return (feed->options.count - 1) / feed->options.batch_size + 1;
}

/* The records of the next batch, while the model works on this one. */
static void expect_batch(const struct df_feed *feed)
{
    const int64_t end = df_min_i64(feed->next + feed->options.batch_size, feed->options.count);

    for (int64_t i = feed->next; i < end; i++)
        df_feature_cache_expect(feed->cache, feed->first + feed->order[i]);
}

int df_feed_start(struct df_feed *feed, int64_t epoch, int64_t first_batch)
{
    const struct df_feed_options *options = &feed->options;

    if (feed->loader) {
        DF_TRY(finish_sending(feed));
        feed->ahead.count = 0;
        return df_loader_start(feed->loader, epoch, first_batch);
    }
    feed->first = options->first + (options->views > 0 ? epoch % options->views * options->count : 0);
    DF_TRY(df_sample_order(feed->order, options->count, &options->shuffle, epoch));
    feed->next = df_min_i64(first_batch, df_feed_batches(feed)) * options->batch_size;
    expect_batch(feed);
    return 0;
}

/* The loader's next batch, on its way. Its slot is one that an earlier batch was sent from. */
static int send_next(struct df_feed *feed, struct df_segmenter *segmenter)
{
    DF_TRY(finish_sending(feed));
    const int more = df_loader_next(feed->loader, &feed->ahead);
    if (more != 1)
        return more;
    feed->sends = df_segmenter_backend(segmenter);
    return df_segmenter_send(segmenter, feed->ahead.count, feed->ahead.packed) == 0 ? 1 : -1;
}

/* A batch that was sent before, and the one behind it sent, if it is there: it is copied beside the step. */
static int next_packed(struct df_feed *feed, struct df_segmenter *segmenter, struct df_batch *batch)
{
    const int more = feed->ahead.count > 0 ? 1 : send_next(feed, segmenter);

    if (more != 1)
        return more;
    *batch = feed->ahead;
    feed->ahead.count = 0;
    DF_TRY(df_segmenter_receive(segmenter, batch->count, batch->packed));
    if (!df_loader_is_ready(feed->loader))
        return 1;
    return send_next(feed, segmenter);
}

static int next_images(struct df_feed *feed, struct df_segmenter *segmenter, struct df_batch *batch)
{
    const int more = df_loader_next(feed->loader, batch);

    if (more == 1 && batch->pixels &&
        df_segmenter_load_pixels(segmenter, batch->count, batch->pixels, batch->labels) != 0)
        return -1;
    return more;
}

/* Labels that were stored by an earlier run, whose masks this one has not read. */
static void count_labels(const struct df_feed *feed, int64_t sample, const uint8_t *labels)
{
    struct df_label_census *census = feed->options.census;
    int64_t pixels[DF_LABEL_VALUES];

    if (!census || df_label_census_has(census, sample))
        return;
    df_count_bytes(labels, feed->label_bytes, pixels);
    df_label_census_add(census, sample, pixels);
}

static int load_record(struct df_feed *feed, struct df_segmenter *segmenter, int64_t sample, int64_t i)
{
    const char *record = df_feature_cache_record(feed->cache, feed->first + sample, feed->buffer);
    if (!record)
        return -1;
    const char *labels = record + df_feature_cache_record_bytes(feed->cache) - feed->label_bytes;
    memcpy(feed->labels + (size_t)i * feed->label_bytes, labels, feed->label_bytes);
    count_labels(feed, sample, (const uint8_t *)labels);
    return df_segmenter_load_features(segmenter, i, record);
}

static int next_features(struct df_feed *feed, struct df_segmenter *segmenter, struct df_batch *batch)
{
    const int64_t count = df_min_i64(feed->options.batch_size, feed->options.count - feed->next);
    const int64_t *samples = feed->order + feed->next;

    if (count <= 0)
        return 0;
    for (int64_t i = 0; i < count; i++)
        DF_TRY(load_record(feed, segmenter, samples[i], i));
    DF_TRY(df_segmenter_load_labels(segmenter, count, feed->labels));
    *batch = (struct df_batch){.count = count, .labels = feed->labels, .samples = samples};
    feed->next += count;
    expect_batch(feed);
    return 1;
}

int df_feed_next(struct df_feed *feed, struct df_segmenter *segmenter, struct df_batch *batch)
{
    if (!feed->loader)
        return next_features(feed, segmenter, batch);
    return df_loader_packs(feed->loader) ? next_packed(feed, segmenter, batch)
                                         : next_images(feed, segmenter, batch);
}
