/* Products of matrices that change from step to step: LoRA, the 1x1 decoder and their gradients. Nearly all
 * have one long side, the tokens, and are bound by reading it. So they are computed in blocks of rows, each
 * on one thread: a block of bfloat16 is widened into a buffer that stays in the cache, multiplied in
 * float32 (a library call inside a parallel region runs on its thread alone) and rounded once. Blocks and the
 * order of sums depend on shapes only: the number of threads changes no bit. */
#include "cpu_backend.h"

#include "cpu_context.h"
#include "rows.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <omp.h>

/* A block has about this many elements of its widest matrix, in rows that fill the library's registers; twice
 * as many where neither side is thin, since there it is not reading that takes the time. */
#define BLOCK_ELEMENTS 49152
#define ROW_STEP       48

/* Up to so many columns are computed as the transpose: in rows so short the library wastes most of a
 * vector. */
#define FEW_COLUMNS 24

/* A product that sums over the long side has partial sums of pieces of it: at most so many, which hold at
 * most so many elements together. */
#define PIECES_MAX       32
#define PARTIAL_ELEMENTS (INT64_C(1) << 22)

struct plan {
    struct df_gemm gemm;
    bool transpose_c; /* compute c's transpose */
    int64_t block_rows, piece_rows, pieces;
    float *b_copy;                    /* float32, transposed where that is faster */
    float *partial;                   /* [pieces, c.rows * c.cols] */
    char *workspace;                  /* of each thread: blocks of a, b and c as float32 */
    size_t a_bytes, b_bytes, c_bytes; /* of a thread's workspace; 0: not needed */
};

static struct df_matrix part(struct df_matrix m, int64_t row, int64_t rows, int64_t col, int64_t cols)
{
    m.data = (char *)m.data + (size_t)(row * m.ld + col) * df_dtype_size(m.type);
    m.rows = rows;
    m.cols = cols;
    return m;
}

static struct df_matrix dense(float *data, int64_t rows, int64_t cols)
{
    return (struct df_matrix){data, DF_F32, rows, cols, cols};
}

/* m, or its copy in `buffer` if it is not float32. */
static struct df_matrix widened(struct df_matrix m, void *buffer)
{
    if (m.type == DF_F32)
        return m;
    const struct df_matrix wide = dense(buffer, m.rows, m.cols);
    for (int64_t i = 0; i < m.rows; i++)
        df_row_convert(&wide, &m, i);
    return wide;
}

/* c, or its transpose with transpose_c, = op(a) op(b) + beta c; all float32. */
static dnnl_status_t multiply(const struct plan *p, struct df_matrix a, struct df_matrix b, float beta,
                              struct df_matrix c)
{
    const int64_t inner = p->gemm.transpose_a ? a.rows : a.cols;

    if (p->transpose_c)
        return dnnl_sgemm(p->gemm.transpose_b ? 'N' : 'T', p->gemm.transpose_a ? 'N' : 'T', c.rows, c.cols,
                          inner, 1.0f, b.data, b.ld, a.data, a.ld, beta, c.data, c.ld);
    return dnnl_sgemm(p->gemm.transpose_a ? 'T' : 'N', p->gemm.transpose_b ? 'T' : 'N', c.rows, c.cols, inner,
                      1.0f, a.data, a.ld, b.data, b.ld, beta, c.data, c.ld);
}

/* to = from^T, to float32. */
static void transpose(const struct df_matrix *to, const struct df_matrix *from)
{
    const float *wide = from->data;
    const uint16_t *narrow = from->data;

    for (int64_t i = 0; i < to->rows; i++) {
        float *row = (float *)to->data + i * to->ld;
        for (int64_t j = 0; j < to->cols; j++)
            row[j] = from->type == DF_F32 ? wide[j * from->ld + i] : df_bf16_to_f32(narrow[j * from->ld + i]);
    }
}

/* c (+)= values, element (i, j) at i * row_step + j * col_step. */
static void put(const struct df_matrix *c, const float *values, int64_t row_step, int64_t col_step,
                bool accumulate)
{
    for (int64_t i = 0; i < c->rows; i++) {
        float *wide = (float *)c->data + i * c->ld;
        uint16_t *narrow = (uint16_t *)c->data + i * c->ld;
        const float *row = values + i * row_step;
        for (int64_t j = 0; c->type == DF_F32 && j < c->cols; j++)
            wide[j] = accumulate ? wide[j] + row[j * col_step] : row[j * col_step];
        for (int64_t j = 0; c->type == DF_BF16 && j < c->cols; j++)
            narrow[j] = df_f32_to_bf16(accumulate ? df_bf16_to_f32(narrow[j]) + row[j * col_step]
                                                  : row[j * col_step]);
    }
}

static void *thread_workspace(const struct plan *p)
{
    return p->workspace + (size_t)omp_get_thread_num() * (p->a_bytes + p->b_bytes + p->c_bytes);
}

/* --- a as it is: blocks of the result's rows --- */

static dnnl_status_t run_block(const struct plan *p, int64_t first)
{
    const int64_t rows = df_min_i64(p->block_rows, p->gemm.c.rows - first);
    char *workspace = thread_workspace(p);
    const struct df_matrix a = widened(part(p->gemm.a, first, rows, 0, p->gemm.a.cols), workspace);
    const struct df_matrix c = part(p->gemm.c, first, rows, 0, p->gemm.c.cols);
    const float beta = p->gemm.residual ? 1.0f : 0.0f;
    void *c_buffer = workspace + p->a_bytes;

    if (p->transpose_c) {
        dnnl_status_t status = multiply(p, a, p->gemm.b, 0.0f, dense(c_buffer, c.cols, rows));
        put(&c, c_buffer, 1, rows, p->gemm.residual != NULL);
        return status;
    }
    if (c.type == DF_F32)
        return multiply(p, a, p->gemm.b, beta, c);
    const struct df_matrix wide = p->gemm.residual ? widened(c, c_buffer) : dense(c_buffer, rows, c.cols);
    dnnl_status_t status = multiply(p, a, p->gemm.b, beta, wide);
    for (int64_t i = 0; i < rows; i++)
        df_row_convert(&c, &wide, i);
    return status;
}

static dnnl_status_t run_blocks(const struct plan *p, int threads)
{
    int status = dnnl_success;

#pragma omp parallel for num_threads(threads) reduction(max : status)
    for (int64_t first = 0; first < p->gemm.c.rows; first += p->block_rows) {
        const int result = (int)run_block(p, first);
        status = result > status ? result : status;
    }
    return (dnnl_status_t)status;
}

/* --- a transposed: sums over pieces of its rows, and of b's --- */

static dnnl_status_t run_piece(const struct plan *p, int64_t piece)
{
    const int64_t from = piece * p->piece_rows, to = df_min_i64(from + p->piece_rows, p->gemm.a.rows);
    const int64_t rows = p->transpose_c ? p->gemm.c.cols : p->gemm.c.rows,
                  cols = p->transpose_c ? p->gemm.c.rows : p->gemm.c.cols;
    const struct df_matrix sum = dense(p->partial + piece * rows * cols, rows, cols);
    char *workspace = thread_workspace(p);

    for (int64_t first = from; first < to; first += p->block_rows) {
        const int64_t count = df_min_i64(p->block_rows, to - first);
        const struct df_matrix a = part(p->gemm.a, first, count, 0, p->gemm.a.cols);
        const struct df_matrix b = p->gemm.transpose_b ? part(p->gemm.b, 0, p->gemm.b.rows, first, count)
                                                       : part(p->gemm.b, first, count, 0, p->gemm.b.cols);
        dnnl_status_t status = multiply(p, widened(a, workspace), widened(b, workspace + p->a_bytes),
                                        first == from ? 0.0f : 1.0f, sum);
        if (status != dnnl_success)
            return status;
    }
    return dnnl_success;
}

/* Row i of the partial sums (or of their transpose): added up in order. */
static void collect_row(const struct plan *p, int64_t i)
{
    const int64_t cols = p->transpose_c ? p->gemm.c.rows : p->gemm.c.cols,
                  size = p->gemm.c.rows * p->gemm.c.cols;
    float *total = p->partial + i * cols;

    for (int64_t piece = 1; piece < p->pieces; piece++) {
        const float *other = total + piece * size;
#pragma omp simd
        for (int64_t j = 0; j < cols; j++)
            total[j] += other[j];
    }
    const struct df_matrix to =
        p->transpose_c ? part(p->gemm.c, 0, p->gemm.c.rows, i, 1) : part(p->gemm.c, i, 1, 0, p->gemm.c.cols);
    put(&to, total, p->transpose_c ? 1 : 0, p->transpose_c ? 0 : 1, p->gemm.residual != NULL);
}

static dnnl_status_t run_pieces(const struct plan *p, int threads)
{
    int status = dnnl_success;

#pragma omp parallel for num_threads(threads) reduction(max : status)
    for (int64_t piece = 0; piece < p->pieces; piece++) {
        const int result = (int)run_piece(p, piece);
        status = result > status ? result : status;
    }
#pragma omp parallel for num_threads(threads)
    for (int64_t i = 0; i < (p->transpose_c ? p->gemm.c.cols : p->gemm.c.rows); i++)
        collect_row(p, i);
    return (dnnl_status_t)status;
}

/* --- planning --- */

/* How the long side is split. */
static void choose_blocks(struct plan *p)
{
    const int64_t rows = p->gemm.transpose_a ? p->gemm.a.rows : p->gemm.c.rows;
    const int64_t width = df_max_i64(
        p->gemm.a.cols, p->gemm.transpose_a && p->gemm.transpose_b ? p->gemm.b.rows : p->gemm.c.cols);
    const int64_t thin = df_min_i64(p->gemm.c.cols, p->gemm.transpose_a ? p->gemm.c.rows : p->gemm.a.cols);
    const int64_t elements = BLOCK_ELEMENTS * (thin > FEW_COLUMNS ? 2 : 1);
    const int64_t steps = (elements / width + ROW_STEP - 1) / ROW_STEP;

    p->transpose_c = p->gemm.c.cols <= FEW_COLUMNS && p->gemm.c.cols < p->gemm.c.rows;
    p->block_rows = ROW_STEP * df_max_i64(steps, 1);
    if (!p->gemm.transpose_a)
        return;
    const int64_t blocks = (rows + p->block_rows - 1) / p->block_rows;
    const int64_t fit = df_max_i64(PARTIAL_ELEMENTS / (p->gemm.c.rows * p->gemm.c.cols), 1);
    const int64_t most = df_min_i64(fit, PIECES_MAX);
    p->piece_rows = p->block_rows * ((blocks + most - 1) / most);
    p->pieces = (rows + p->piece_rows - 1) / p->piece_rows;
}

static size_t float_bytes(int64_t rows, int64_t cols)
{
    return df_cpu_aligned((size_t)rows * (size_t)cols * sizeof(float));
}

/* Allocates the copies, the partial sums and the threads' workspaces in the scratch buffer. */
static int allocate(struct df_backend *backend, struct plan *p)
{
    const bool b_in_blocks = p->gemm.transpose_a && !p->gemm.transpose_b;
    const bool copy_b =
        !b_in_blocks && (p->gemm.b.type != DF_F32 || (p->transpose_c && !p->gemm.transpose_b));
    const size_t b_copy = copy_b ? float_bytes(p->gemm.b.rows, p->gemm.b.cols) : 0;
    const size_t partial = p->gemm.transpose_a ? float_bytes(p->pieces, p->gemm.c.rows * p->gemm.c.cols) : 0;

    p->a_bytes = p->gemm.a.type != DF_F32 ? float_bytes(p->block_rows, p->gemm.a.cols) : 0;
    p->b_bytes = p->gemm.b.type != DF_F32 && b_in_blocks ? float_bytes(p->block_rows, p->gemm.b.cols) : 0;
    p->c_bytes = !p->gemm.transpose_a && (p->transpose_c || p->gemm.c.type != DF_F32)
                     ? float_bytes(p->block_rows, p->gemm.c.cols)
                     : 0;
    const size_t workspace = (size_t)backend->threads * (p->a_bytes + p->b_bytes + p->c_bytes);
    char *scratch = df_cpu_scratch(backend, b_copy + partial + workspace);
    if (!scratch)
        return -1;
    p->b_copy = b_copy ? (float *)(void *)scratch : NULL;
    p->partial = (float *)(void *)(scratch + b_copy);
    p->workspace = scratch + b_copy + partial;
    return 0;
}

/* Strided reads of a few columns of b in every block would be slow: they become rows. */
static void copy_b(struct df_backend *backend, struct plan *p)
{
    struct df_matrix copy = dense(p->b_copy, p->gemm.b.rows, p->gemm.b.cols);

    if (p->transpose_c && !p->gemm.transpose_b) {
        const struct df_matrix rows = dense(p->b_copy, p->gemm.b.cols, p->gemm.b.rows);
        transpose(&rows, &p->gemm.b);
        copy = rows;
        p->gemm.transpose_b = true;
    } else {
        df_matrix_copy(backend, &copy, &p->gemm.b);
    }
    p->gemm.b = copy;
}

int df_cpu_matmul(struct df_backend *backend, struct df_matrix a, bool transpose_a, struct df_matrix b,
                  bool transpose_b, struct df_matrix c, bool accumulate)
{
    struct plan p = {.gemm = {a, b, c, transpose_a, transpose_b, NULL, accumulate ? c.data : NULL}};
    const int64_t inner = transpose_a ? a.rows : a.cols;

    assert((transpose_a ? a.cols : a.rows) == c.rows && (transpose_b ? b.rows : b.cols) == c.cols);
    assert((transpose_b ? b.cols : b.rows) == inner && inner > 0);
    assert(a.ld >= a.cols && b.ld >= b.cols && c.ld >= c.cols);
    if (c.rows == 0 || c.cols == 0)
        return 0;
    choose_blocks(&p);
    DF_TRY(allocate(backend, &p));
    if (p.b_copy)
        copy_b(backend, &p);
    dnnl_status_t status = transpose_a ? run_pieces(&p, backend->threads) : run_blocks(&p, backend->threads);
    if (status != dnnl_success)
        return df_error_set("oneDNN: sgemm [%lld, %lld] x [%lld, %lld] failed with status %d",
                            (long long)c.rows, (long long)inner, (long long)inner, (long long)c.cols,
                            (int)status);
    return 0;
}
