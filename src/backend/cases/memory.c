/* Bytes to the device and back, on the device, and zeros. */
#include "build.h"

enum { BYTES };
enum { SOURCE, DESTINATION };

/* Around a cache line, what a thread of the CPU copies at a time, and more than the device's two staging
 * buffers hold. */
static const int64_t transfer_odd[][DF_CASE_SIZES] = {{0},  {1},      {3},      {63},
                                                      {65}, {262145}, {600001}, {9449529}};
static const int64_t memory_odd[][DF_CASE_SIZES] = {{0}, {1}, {3}, {63}, {65}, {262145}, {600001}};

static int64_t image_bytes(const struct df_case_model *m)
{
    return m->batch * m->height * m->width;
}

/* Images and their labels. */
static int batch_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BYTES] = 4 * image_bytes(m);
    return 1;
}

/* Predictions. */
static int download_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BYTES] = image_bytes(m);
    return 1;
}

/* The residual stream. */
static int stream_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][BYTES] = df_case_rows(m) * m->dim * (int64_t)sizeof(float);
    return 1;
}

static void from_host_build(struct df_case *c)
{
    df_case_in_bytes(c, c->n[BYTES], 256, false);
    df_case_on_host(c);
    df_case_out(c, DF_U8, c->n[BYTES], 0.0);
}

static void copy_expect(struct df_case *c)
{
    for (int64_t i = 0; i < c->n[BYTES]; i++)
        c->tensors[DESTINATION].expected[i] = (double)c->tensors[SOURCE].bytes[i];
}

/* --- upload --- */

#define upload_build  from_host_build
#define upload_expect copy_expect

static int upload_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->upload(run->backend, run->memory[DESTINATION], run->memory[SOURCE],
                                     (size_t)c->n[BYTES]);
}

DF_CASE_SET(upload, transfer_odd, batch_uses);

/* --- download --- */

#define download_expect copy_expect

static void download_build(struct df_case *c)
{
    df_case_in_bytes(c, c->n[BYTES], 256, false);
    df_case_out(c, DF_U8, c->n[BYTES], 0.0);
    df_case_on_host(c);
}

static int download_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->download(run->backend, run->memory[DESTINATION], run->memory[SOURCE],
                                       (size_t)c->n[BYTES]);
}

DF_CASE_SET(download, transfer_odd, download_uses);

/* --- copy --- */

static void copy_build(struct df_case *c)
{
    df_case_in_bytes(c, c->n[BYTES], 256, false);
    df_case_out(c, DF_U8, c->n[BYTES], 0.0);
}

static int copy_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->copy(run->backend, run->memory[DESTINATION], run->memory[SOURCE],
                                   (size_t)c->n[BYTES]);
}

DF_CASE_SET(copy, memory_odd, stream_uses);

/* --- zero --- */

static void zero_build(struct df_case *c)
{
    df_case_out(c, DF_U8, c->n[BYTES], 0.0);
}

static int zero_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->zero(run->backend, run->memory[0], (size_t)c->n[BYTES]);
}

static void zero_expect(struct df_case *c)
{
    (void)c; /* what is expected begins as zeros */
}

DF_CASE_SET(zero, memory_odd, stream_uses);

/* --- send --- */

#define send_build  from_host_build
#define send_expect copy_expect

/* With the wait for it, of backends that have something to wait for. */
static int send_call(const struct df_case *c, struct df_case_run *run)
{
    const struct df_backend_ops *ops = run->backend->ops;
    const int status =
        ops->send(run->backend, run->memory[DESTINATION], run->memory[SOURCE], (size_t)c->n[BYTES]);

    return status == 0 && ops->sent ? ops->sent(run->backend) : status;
}

static bool resizes(const struct df_backend *backend)
{
    return backend->resizes;
}

DF_CASE_SET(send, transfer_odd, batch_uses, .supported = resizes);
