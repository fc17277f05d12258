/* The differences between the C interfaces of oneDNN 2.x and 3.x, as functions that look the same on both.
 *
 * In 2.x a memory descriptor is a struct and an operation has a descriptor of its own; in 3.x a memory
 * descriptor is a pointer to something owned and operations are described by arguments alone. Only onednn.c
 * includes this. */
#ifndef DINOFT_ONEDNN_VERSIONS_H
#define DINOFT_ONEDNN_VERSIONS_H

#include "onednn.h"

#if DNNL_VERSION_MAJOR == 2

#define const_dnnl_memory_desc_t const dnnl_memory_desc_t *

static const_dnnl_memory_desc_t desc_of(const struct df_layout *layout)
{
    return layout ? &layout->desc : NULL;
}

static dnnl_status_t desc_strided(dnnl_memory_desc_t *desc, int ndims, const dnnl_dims_t dims,
                                  const dnnl_dims_t strides, dnnl_data_type_t type)
{
    return dnnl_memory_desc_init_by_strides(desc, ndims, dims, type, strides);
}

static dnnl_status_t desc_any(dnnl_memory_desc_t *desc, int ndims, const dnnl_dims_t dims,
                              dnnl_data_type_t type)
{
    return dnnl_memory_desc_init_by_tag(desc, ndims, dims, type, dnnl_format_tag_any);
}

static dnnl_status_t desc_clone(dnnl_memory_desc_t *copy, const_dnnl_memory_desc_t desc)
{
    *copy = *desc;
    return dnnl_success;
}

static void desc_destroy(dnnl_memory_desc_t *desc)
{
    (void)desc;
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f);
}

static dnnl_status_t gemm_desc(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
                               const_dnnl_memory_desc_t source, const_dnnl_memory_desc_t weights,
                               const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t destination,
                               dnnl_primitive_attr_t attributes)
{
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_matmul_desc_init(&operation, source, weights, bias, destination);

    if (status != dnnl_success)
        return status;
    return dnnl_primitive_desc_create(result, &operation, attributes, engine, NULL);
}

static dnnl_status_t conv_desc(dnnl_primitive_desc_t *result, dnnl_engine_t engine, enum df_conv_pass pass,
                               const_dnnl_memory_desc_t source, const_dnnl_memory_desc_t weights,
                               const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t destination,
                               const dnnl_dims_t padding, dnnl_primitive_desc_t forward,
                               dnnl_primitive_attr_t attributes)
{
    const dnnl_alg_kind_t direct = dnnl_convolution_direct;
    const dnnl_dims_t strides = {1, 1};
    dnnl_convolution_desc_t operation;
    dnnl_status_t status = dnnl_invalid_arguments;

    switch (pass) {
    case DF_CONV_FORWARD:
        status = dnnl_convolution_forward_desc_init(&operation, dnnl_forward_training, direct, source,
                                                    weights, bias, destination, strides, padding, padding);
        break;
    case DF_CONV_BACKWARD_DATA:
        status = dnnl_convolution_backward_data_desc_init(&operation, direct, source, weights, destination,
                                                          strides, padding, padding);
        break;
    case DF_CONV_BACKWARD_WEIGHT:
        status = dnnl_convolution_backward_weights_desc_init(&operation, direct, source, weights, bias,
                                                             destination, strides, padding, padding);
        break;
    }
    if (status != dnnl_success)
        return status;
    return dnnl_primitive_desc_create(result, &operation, attributes, engine, forward);
}

#elif DNNL_VERSION_MAJOR == 3

static const_dnnl_memory_desc_t desc_of(const struct df_layout *layout)
{
    return layout ? layout->desc : NULL;
}

static dnnl_status_t desc_strided(dnnl_memory_desc_t *desc, int ndims, const dnnl_dims_t dims,
                                  const dnnl_dims_t strides, dnnl_data_type_t type)
{
    return dnnl_memory_desc_create_with_strides(desc, ndims, dims, type, strides);
}

static dnnl_status_t desc_any(dnnl_memory_desc_t *desc, int ndims, const dnnl_dims_t dims,
                              dnnl_data_type_t type)
{
    return dnnl_memory_desc_create_with_tag(desc, ndims, dims, type, dnnl_format_tag_any);
}

static dnnl_status_t desc_clone(dnnl_memory_desc_t *copy, const_dnnl_memory_desc_t desc)
{
    return dnnl_memory_desc_clone(copy, desc);
}

static void desc_destroy(dnnl_memory_desc_t *desc)
{
    if (*desc)
        dnnl_memory_desc_destroy(*desc);
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
}

static dnnl_status_t gemm_desc(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
                               const_dnnl_memory_desc_t source, const_dnnl_memory_desc_t weights,
                               const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t destination,
                               dnnl_primitive_attr_t attributes)
{
    return dnnl_matmul_primitive_desc_create(result, engine, source, weights, bias, destination, attributes);
}

static dnnl_status_t conv_desc(dnnl_primitive_desc_t *result, dnnl_engine_t engine, enum df_conv_pass pass,
                               const_dnnl_memory_desc_t source, const_dnnl_memory_desc_t weights,
                               const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t destination,
                               const dnnl_dims_t padding, dnnl_primitive_desc_t forward,
                               dnnl_primitive_attr_t attributes)
{
    const dnnl_alg_kind_t direct = dnnl_convolution_direct;
    const dnnl_dims_t strides = {1, 1}, none = {0, 0};

    switch (pass) {
    case DF_CONV_FORWARD:
        return dnnl_convolution_forward_primitive_desc_create(result, engine, dnnl_forward_training, direct,
                                                              source, weights, bias, destination, strides,
                                                              none, padding, padding, attributes);
    case DF_CONV_BACKWARD_DATA:
        return dnnl_convolution_backward_data_primitive_desc_create(result, engine, direct, source, weights,
                                                                    destination, strides, none, padding,
                                                                    padding, forward, attributes);
    case DF_CONV_BACKWARD_WEIGHT:
        return dnnl_convolution_backward_weights_primitive_desc_create(
            result, engine, direct, source, weights, bias, destination, strides, none, padding, padding,
            forward, attributes);
    }
    return dnnl_invalid_arguments;
}

#else
#error "dinoft knows the C interfaces of oneDNN 2 and 3"
#endif

#endif
