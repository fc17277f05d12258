/* cuBLASLt's matrix products in plain loops. As strict as the library: what it does not support is refused,
 * and matrices that are not where the layouts say end the process. */
#include "cublaslt_product.h"
#include "device_memory.h"
#include "tensor_core_sum.h"

#include "include/emulation_control.h"

#include <cstring>

struct df_emulated_blas {
    int unused;
};

struct df_emulated_preference {
    size_t workspace;
    uint32_t alignment[4]; /* of A, B, C and D */
};

namespace emulation
{

enum { in_one_go = 1, in_two_halves = 2 };
static const uint64_t workspace_of_halves = 4096;

static float read_element(const void *p, cudaDataType type, size_t i)
{
    float value;

    if (type == CUDA_R_32F)
        return ((const float *)p)[i];
    const uint32_t bits = (uint32_t)((const uint16_t *)p)[i] << 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void write_element(void *p, cudaDataType type, size_t i, float value)
{
    uint32_t bits;

    if (type == CUDA_R_32F) {
        ((float *)p)[i] = value;
        return;
    }
    memcpy(&bits, &value, sizeof bits);
    ((uint16_t *)p)[i] = value == value ? (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16) : 0x7fff;
}

struct matrix {
    void *data;
    df_emulated_layout layout;
};

/* Everything that a product needs, by value: descriptors may change before it is carried out. */
struct product {
    df_emulated_matmul operation;
    matrix a, b, c, d;
    float alpha, beta;
    uint64_t algorithm;
};

/* op(matrix) as float32, its first index in the slow direction. `slow_is_column`: the layout's columns. */
static std::vector<float> gather(const matrix &m, bool slow_is_column)
{
    const size_t slow = slow_is_column ? m.layout.columns : m.layout.rows;
    const size_t fast = slow_is_column ? m.layout.rows : m.layout.columns, ld = (size_t)m.layout.ld;
    std::vector<float> values(slow * fast);

    for (size_t i = 0; i < slow; i++) {
        for (size_t j = 0; j < fast; j++)
            values[i * fast + j] =
                read_element(m.data, m.layout.type, slow_is_column ? i * ld + j : j * ld + i);
    }
    return values;
}

/* sums [4][m] += b [4][k from..to) * a [k][m], a row of sums for each of up to four columns of D. */
static void add_products(float *sums, const float *a, const float *b, size_t m, size_t k, size_t from,
                         size_t to, size_t columns)
{
    for (size_t i = from; i < to; i++) {
        const float *const row = a + i * m;
        for (size_t column = 0; column < columns; column++) {
            const float factor = b[column * k + i];
            float *const sum = sums + column * m;
            for (size_t j = 0; j < m; j++)
                sum[j] += factor * row[j];
        }
    }
}

/* The same as add_products, on tensor cores. */
static void add_on_tensor_cores(float *sums, const float *a, const float *b, size_t m, size_t k, size_t from,
                                size_t to, size_t columns)
{
    for (size_t column = 0; column < columns; column++) {
        for (size_t j = 0; j < m; j++)
            sums[column * m + j] = sum_truncated(sums[column * m + j], to - from, [&](size_t i) {
                return b[column * k + from + i] * a[(from + i) * m + j];
            });
    }
}

static void multiply(const product &p)
{
    const bool bias = p.operation.epilogue == CUBLASLT_EPILOGUE_BIAS;
    const size_t m = p.d.layout.rows, n = p.d.layout.columns;
    const size_t k = p.operation.transpose_a == CUBLAS_OP_N ? p.a.layout.columns : p.a.layout.rows;
    const auto add =
        p.a.layout.type == CUDA_R_16BF && sums_are_truncated() ? add_on_tensor_cores : add_products;
    const std::vector<float> a = gather(p.a, p.operation.transpose_a == CUBLAS_OP_N);
    const std::vector<float> b = gather(p.b, p.operation.transpose_b == CUBLAS_OP_N);
    std::vector<float> sums(4 * m), half(4 * m);

    for (size_t first = 0; first < n; first += 4) {
        const size_t columns = n - first < 4 ? n - first : 4;
        const size_t middle = p.algorithm == in_two_halves ? k / 2 : k;
        std::fill(sums.begin(), sums.end(), 0.0f);
        add(sums.data(), a.data(), b.data() + first * k, m, k, 0, middle, columns);
        if (middle < k) {
            std::fill(half.begin(), half.end(), 0.0f);
            add(half.data(), a.data(), b.data() + first * k, m, k, middle, k, columns);
            for (size_t i = 0; i < columns * m; i++)
                sums[i] += half[i];
        }
        for (size_t column = 0; column < columns; column++) {
            for (size_t i = 0; i < m; i++) {
                float value = p.alpha * sums[column * m + i];
                if (p.beta != 0.0f)
                    value += p.beta * read_element(p.c.data, p.c.layout.type,
                                                   (first + column) * (size_t)p.c.layout.ld + i);
                if (bias)
                    value += read_element(p.operation.bias, p.operation.bias_type, i);
                write_element(p.d.data, p.d.layout.type, (first + column) * (size_t)p.d.layout.ld + i, value);
            }
        }
    }
}

static cublasStatus_t check_types(const df_emulated_matmul &operation, const df_emulated_layout &a,
                                  const df_emulated_layout &b, const df_emulated_layout &c,
                                  const df_emulated_layout &d)
{
    const bool narrow = a.type == CUDA_R_16BF;

    if (operation.compute != CUBLAS_COMPUTE_32F || a.type != b.type || c.type != d.type)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if ((a.type != CUDA_R_32F && !narrow) || (d.type != CUDA_R_32F && !(narrow && d.type == CUDA_R_16BF)))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if (operation.epilogue == CUBLASLT_EPILOGUE_BIAS && operation.bias_type_set &&
        operation.bias_type != d.type)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    return CUBLAS_STATUS_SUCCESS;
}

static cublasStatus_t check_shapes(const df_emulated_matmul &operation, const df_emulated_layout &a,
                                   const df_emulated_layout &b, const df_emulated_layout &c,
                                   const df_emulated_layout &d)
{
    const bool ta = operation.transpose_a != CUBLAS_OP_N, tb = operation.transpose_b != CUBLAS_OP_N;
    const uint64_t m = ta ? a.columns : a.rows, k = ta ? a.rows : a.columns;

    if (m != d.rows || k != (tb ? b.columns : b.rows) || d.columns != (tb ? b.rows : b.columns))
        return CUBLAS_STATUS_INVALID_VALUE;
    if (c.rows != d.rows || c.columns != d.columns || m == 0 || k == 0 || d.columns == 0)
        return CUBLAS_STATUS_INVALID_VALUE;
    return CUBLAS_STATUS_SUCCESS;
}

static int products, handles;

static void check_place(const char *name, const matrix &m, uint64_t alignment)
{
    const size_t elements = (size_t)((m.layout.columns - 1) * (uint64_t)m.layout.ld + m.layout.rows);

    if (!is_allocated(m.data, elements * type_bytes(m.layout.type)))
        report(nullptr,
               "cublasLtMatmul: %s [%zu x %zu, leading dimension %zu] is not device memory of one allocation",
               name, (size_t)m.layout.rows, (size_t)m.layout.columns, (size_t)m.layout.ld);
    if (alignment > 0 && (uintptr_t)m.data % alignment != 0)
        report(nullptr,
               "cublasLtMatmul: %s is not aligned to the %zu bytes that the algorithm was chosen for", name,
               (size_t)alignment);
}

extern "C" {

int df_emulation_products(void)
{
    return products;
}

int df_emulation_cublaslt_handles(void)
{
    return handles;
}

size_t cublasLtGetVersion(void)
{
    return 130000;
}

const char *cublasLtGetStatusName(cublasStatus_t status)
{
    switch (status) {
    case CUBLAS_STATUS_SUCCESS:
        return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_INVALID_VALUE:
        return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_NOT_SUPPORTED:
        return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
        return "a status of cuBLAS";
    }
}

const char *cublasLtGetStatusString(cublasStatus_t status)
{
    return cublasLtGetStatusName(status);
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
    *handle = new df_emulated_blas();
    handles++;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *operation, cublasComputeType_t compute,
                                        cudaDataType_t scale)
{
    if (scale != CUDA_R_32F)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    *operation = new df_emulated_matmul{compute, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT,
                                        nullptr, CUDA_R_32F,  false};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation)
{
    delete operation;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation,
                                              cublasLtMatmulDescAttributes_t attribute, const void *value,
                                              size_t bytes)
{
    void *field = nullptr;
    size_t size = 4;

    switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
        field = &operation->transpose_a;
        break;
    case CUBLASLT_MATMUL_DESC_TRANSB:
        field = &operation->transpose_b;
        break;
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
        field = &operation->epilogue;
        break;
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
        field = &operation->bias_type;
        operation->bias_type_set = true;
        break;
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
        field = &operation->bias;
        size = sizeof operation->bias;
        break;
    }
    if (!field || !value || bytes != size)
        return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(field, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t ld)
{
    if (ld < (int64_t)rows)
        return CUBLAS_STATUS_INVALID_VALUE;
    *layout = new df_emulated_layout{type, rows, columns, ld};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
    delete layout;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *preference)
{
    *preference = new df_emulated_preference{0, {256, 256, 256, 256}};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference)
{
    delete preference;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void *value, size_t bytes)
{
    const bool workspace = attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;

    if (bytes != (workspace ? sizeof preference->workspace : sizeof preference->alignment[0]))
        return CUBLAS_STATUS_INVALID_VALUE;
    if (workspace)
        memcpy(&preference->workspace, value, bytes);
    else
        memcpy(&preference->alignment[attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], value, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t *results, int *found)
{
    *found = 0;
    if (!handle || wanted < 1)
        return CUBLAS_STATUS_INVALID_VALUE;
    cublasStatus_t status = check_shapes(*operation, *a, *b, *c, *d);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = check_types(*operation, *a, *b, *c, *d);
    if (status == CUBLAS_STATUS_SUCCESS && !is_listed(*operation, *a, *b, *d))
        status = CUBLAS_STATUS_NOT_SUPPORTED;
    if (status != CUBLAS_STATUS_SUCCESS)
        return status;
    /* The second of three is one of which only the state is valid. */
    for (int i = 0; i < wanted && i < 3; i++) {
        if (i == 2 && preference->workspace < workspace_of_halves)
            break;
        memset(&results[i], i == 1 ? 0xff : 0, sizeof results[i]);
        results[i].state = i == 1 ? CUBLAS_STATUS_NOT_SUPPORTED : CUBLAS_STATUS_SUCCESS;
        *found = i + 1;
        if (i == 1)
            continue;
        results[i].algo.data[0] = i == 0 ? in_one_go : in_two_halves;
        for (int j = 0; j < 4; j++)
            results[i].algo.data[1 + j] = preference->alignment[j];
        results[i].workspaceSize = i == 0 ? 0 : workspace_of_halves;
        results[i].wavesCount = 1.0f;
    }
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t a_layout, const void *b,
                              cublasLtMatrixLayout_t b_layout, const void *beta, const void *c,
                              cublasLtMatrixLayout_t c_layout, void *d, cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t *algorithm, void *workspace, size_t workspace_bytes,
                              cudaStream_t stream)
{
    if (!handle || !alpha || !beta || !a || !b || !d)
        return CUBLAS_STATUS_INVALID_VALUE;
    cublasStatus_t status = check_shapes(*operation, *a_layout, *b_layout, *c_layout, *d_layout);
    if (status == CUBLAS_STATUS_SUCCESS)
        status = check_types(*operation, *a_layout, *b_layout, *c_layout, *d_layout);
    if (status == CUBLAS_STATUS_SUCCESS && is_refused(*operation, *a_layout, *b_layout, *d_layout))
        status = CUBLAS_STATUS_NOT_SUPPORTED;
    if (status != CUBLAS_STATUS_SUCCESS)
        return status;
    product p = {*operation,
                 {const_cast<void *>(a), *a_layout},
                 {const_cast<void *>(b), *b_layout},
                 {const_cast<void *>(c), *c_layout},
                 {d, *d_layout},
                 *(const float *)alpha,
                 *(const float *)beta,
                 algorithm ? algorithm->data[0] : (uint64_t)in_one_go};
    if (p.algorithm != in_one_go && p.algorithm != in_two_halves)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if (!p.operation.bias_type_set)
        p.operation.bias_type = d_layout->type;
    if (p.algorithm == in_two_halves &&
        (workspace_bytes < workspace_of_halves || !is_allocated(workspace, workspace_of_halves)))
        return CUBLAS_STATUS_INVALID_VALUE;
    check_place("A", p.a, algorithm ? algorithm->data[1] : 0);
    check_place("B", p.b, algorithm ? algorithm->data[2] : 0);
    if (p.beta != 0.0f)
        check_place("C", p.c, algorithm ? algorithm->data[3] : 0);
    check_place("D", p.d, algorithm ? algorithm->data[4] : 0);
    if (p.operation.epilogue == CUBLASLT_EPILOGUE_BIAS &&
        !is_allocated(p.operation.bias, d_layout->rows * type_bytes(p.operation.bias_type)))
        report(nullptr, "cublasLtMatmul: the bias of %zu elements is not device memory of one allocation",
               (size_t)d_layout->rows);
    products++;
    enqueue(stream, [p]() {
        open_device_memory();
        multiply(p);
        close_device_memory();
    });
    return CUBLAS_STATUS_SUCCESS;
}

} /* extern "C" */

} // namespace emulation
