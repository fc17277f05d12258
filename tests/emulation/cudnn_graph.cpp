/* cuDNN's descriptors and graphs, of which it knows attention and its gradient. As strict as the library
 * about what each descriptor takes and about the graph's form; a descriptor that is used after its end is
 * reported. */
#include "cudnn_attention.h"
#include "cudnn_state.h"
#include "device_memory.h"

#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace emulation
{

static const size_t workspace_needed = 256;
static const int engines = 3; /* the first is not deterministic */

static std::mutex lock; /* of all that follows: several threads make plans */
static std::set<const void *> living;
static int runs, plans_made;

struct attribute {
    cudnnBackendAttributeType_t type;
    int64_t count;
    std::vector<char> bytes;
};

struct descriptor {
    cudnnBackendDescriptorType_t type;
    bool finalized;
    int engine; /* of an engine and its configuration, as in graph_plan */
    std::map<int, attribute> attributes;
    graph_plan plan; /* of an execution plan that is finalized */

    template <typename T> const T *get(cudnnBackendAttributeName_t name) const
    {
        const auto found = attributes.find(name);
        return found == attributes.end() ? nullptr : (const T *)(const void *)found->second.bytes.data();
    }

    int64_t count(cudnnBackendAttributeName_t name) const
    {
        const auto found = attributes.find(name);
        return found == attributes.end() ? 0 : found->second.count;
    }

    const descriptor *refer(cudnnBackendAttributeName_t name) const
    {
        void *const *const p = get<void *>(name);
        return p ? (const descriptor *)*p : nullptr;
    }
};

static descriptor *find(void *p)
{
    if (p && !living.count(p))
        report(nullptr, "cuDNN: a descriptor that does not exist (any more) is used");
    return (descriptor *)p;
}

/* --- what a descriptor takes --- */

struct rule {
    cudnnBackendDescriptorType_t owner;
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type;
    int64_t least, most; /* 0: need not be set */
    int refers;          /* to a descriptor of this type; any_operation */
};

enum { no_descriptor = -1, any_operation = -2 };

static const rule rules[] = {
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, 1, no_descriptor},
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 1, 8, no_descriptor},
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 1, 8, no_descriptor},
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, 1, no_descriptor},
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, 1,
     no_descriptor},
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 0, 1, no_descriptor},
    {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 0, 1, no_descriptor},
    {CUDNN_BACKEND_MATMUL_DESCRIPTOR, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, 1, no_descriptor},
    {CUDNN_BACKEND_POINTWISE_DESCRIPTOR, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, 1,
     no_descriptor},
    {CUDNN_BACKEND_POINTWISE_DESCRIPTOR, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, 1,
     no_descriptor},
    {CUDNN_BACKEND_REDUCTION_DESCRIPTOR, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1,
     1, no_descriptor},
    {CUDNN_BACKEND_REDUCTION_DESCRIPTOR, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, 1,
     no_descriptor},
    {CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR, CUDNN_ATTR_OPERATION_MATMUL_DESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_MATMUL_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR, CUDNN_ATTR_OPERATION_MATMUL_ADESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR, CUDNN_ATTR_OPERATION_MATMUL_BDESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR, CUDNN_ATTR_OPERATION_MATMUL_CDESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_POINTWISE_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR, CUDNN_ATTR_OPERATION_REDUCTION_DESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_REDUCTION_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR, CUDNN_ATTR_OPERATION_REDUCTION_XDESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR, CUDNN_ATTR_OPERATION_REDUCTION_YDESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
     64, any_operation},
    {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, 1,
     no_descriptor},
    {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR},
    {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, 1,
     no_descriptor},
    {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, 1,
     no_descriptor},
    {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, 1, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR},
    {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
     0, 1 << 20, no_descriptor},
    {CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR, CUDNN_ATTR_OPERATION_RESHAPE_XDESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
    {CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR, CUDNN_ATTR_OPERATION_RESHAPE_YDESC,
     CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, CUDNN_BACKEND_TENSOR_DESCRIPTOR},
    {CUDNN_BACKEND_ENGINE_DESCRIPTOR, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1,
     CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR},
    {CUDNN_BACKEND_ENGINE_DESCRIPTOR, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, 1, no_descriptor},
    {CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, 1,
     no_descriptor},
    {CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, 1,
     no_descriptor},
    {CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1,
     CUDNN_BACKEND_ENGINE_DESCRIPTOR},
    {CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0,
     8, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR},
    {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 1, 64,
     no_descriptor},
    {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 1, 64,
     no_descriptor},
    {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 0, 1,
     no_descriptor},
};

static const rule *find_rule(cudnnBackendDescriptorType_t owner, cudnnBackendAttributeName_t name)
{
    for (const rule &r : rules) {
        if (r.owner == owner && r.name == name)
            return &r;
    }
    return nullptr;
}

static size_t type_bytes(cudnnBackendAttributeType_t type)
{
    switch (type) {
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR:
        return 1;
    case CUDNN_TYPE_DATA_TYPE:
    case CUDNN_TYPE_HEUR_MODE:
    case CUDNN_TYPE_KNOB_TYPE:
    case CUDNN_TYPE_NUMERICAL_NOTE:
    case CUDNN_TYPE_POINTWISE_MODE:
    case CUDNN_TYPE_REDUCTION_OPERATOR_TYPE:
        return sizeof(int);
    default:
        return sizeof(int64_t);
    }
}

static bool is_operation(cudnnBackendDescriptorType_t type)
{
    return type == CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR ||
           type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR ||
           type == CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR ||
           type == CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR;
}

static cudnnStatus_t check_references(const rule &r, int64_t count, void *const *values)
{
    for (int64_t i = 0; i < count; i++) {
        const descriptor *const d = find(values[i]);
        if (!d)
            return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
        if (r.refers == any_operation ? !is_operation(d->type) : (int)d->type != r.refers)
            return CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE;
        if (!d->finalized)
            return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
    }
    return CUDNN_STATUS_SUCCESS;
}

/* --- finalizing --- */

static graph_tensor read_tensor(const descriptor &d)
{
    graph_tensor t = {};
    const bool *const is_virtual = d.get<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL);
    const bool *const by_value = d.get<bool>(CUDNN_ATTR_TENSOR_IS_BY_VALUE);

    t.name = *d.get<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
    t.type = *d.get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE);
    t.alignment = *d.get<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
    memcpy(t.dimensions, d.get<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS), sizeof t.dimensions);
    memcpy(t.strides, d.get<int64_t>(CUDNN_ATTR_TENSOR_STRIDES), sizeof t.strides);
    t.is_virtual = is_virtual && *is_virtual;
    t.by_value = by_value && *by_value;
    return t;
}

static cudnnStatus_t finalize_tensor(const descriptor &d)
{
    if (d.count(CUDNN_ATTR_TENSOR_DIMENSIONS) != d.count(CUDNN_ATTR_TENSOR_STRIDES))
        return CUDNN_STATUS_BAD_PARAM;
    if (d.count(CUDNN_ATTR_TENSOR_DIMENSIONS) != 4)
        return CUDNN_STATUS_NOT_SUPPORTED;
    const graph_tensor t = read_tensor(d);
    for (int i = 0; i < 4; i++) {
        if (t.dimensions[i] < 1 || t.strides[i] < 1)
            return CUDNN_STATUS_BAD_PARAM;
    }
    const bool fits =
        t.alignment > 0 && (t.alignment & (t.alignment - 1)) == 0 && !(t.is_virtual && t.by_value);
    return fits ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

static graph_operation read_operation(const descriptor &d)
{
    graph_operation o = {};
    const descriptor *b = nullptr;

    if (d.type == CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR) {
        o.kind = operation_kind::matmul;
        o.x = read_tensor(*d.refer(CUDNN_ATTR_OPERATION_MATMUL_ADESC));
        b = d.refer(CUDNN_ATTR_OPERATION_MATMUL_BDESC);
        o.y = read_tensor(*d.refer(CUDNN_ATTR_OPERATION_MATMUL_CDESC));
    } else if (d.type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR) {
        o.kind = operation_kind::pointwise;
        o.mode = *d.refer(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR)->get<int>(CUDNN_ATTR_POINTWISE_MODE);
        o.x = read_tensor(*d.refer(CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
        b = d.refer(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
        o.y = read_tensor(*d.refer(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
    } else if (d.type == CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR) {
        o.kind = operation_kind::reshape;
        o.x = read_tensor(*d.refer(CUDNN_ATTR_OPERATION_RESHAPE_XDESC));
        o.y = read_tensor(*d.refer(CUDNN_ATTR_OPERATION_RESHAPE_YDESC));
    } else {
        o.kind = operation_kind::reduction;
        o.mode = *d.refer(CUDNN_ATTR_OPERATION_REDUCTION_DESC)->get<int>(CUDNN_ATTR_REDUCTION_OPERATOR);
        o.x = read_tensor(*d.refer(CUDNN_ATTR_OPERATION_REDUCTION_XDESC));
        o.y = read_tensor(*d.refer(CUDNN_ATTR_OPERATION_REDUCTION_YDESC));
    }
    if (b)
        o.b = read_tensor(*b);
    return o;
}

static std::vector<graph_operation> read_graph(const descriptor &d)
{
    std::vector<graph_operation> operations;
    void *const *const values = d.get<void *>(CUDNN_ATTR_OPERATIONGRAPH_OPS);

    for (int64_t i = 0; i < d.count(CUDNN_ATTR_OPERATIONGRAPH_OPS); i++)
        operations.push_back(read_operation(*find(values[i])));
    return operations;
}

static cudnnStatus_t check_pack(const descriptor &d)
{
    return d.count(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS) == d.count(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS)
               ? CUDNN_STATUS_SUCCESS
               : CUDNN_STATUS_BAD_PARAM;
}

/* --- engines that are set by hand --- */

/* Attention's gradient has two: 5, and 6, which adds up dq in order if it is told to (4 stages). */
static cudnnStatus_t finalize_engine(descriptor &d)
{
    const int64_t number = *d.get<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
    const descriptor *const graph = d.refer(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
    graph_gradient gradient;

    if (!is_gradient(read_graph(*graph), gradient))
        return CUDNN_STATUS_NOT_SUPPORTED;
    d.engine = by_hand + (int)number;
    return number == (gradient.dq_sums.name ? 6 : 5) ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
}

static bool has_stages(const descriptor &config, int64_t stages)
{
    void *const *const knobs = config.get<void *>(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES);
    const int stages_knob = 14;

    for (int64_t i = 0; i < config.count(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES); i++) {
        const descriptor *const knob = find(knobs[i]);
        if (*knob->get<int>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE) == stages_knob)
            return *knob->get<int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE) == stages;
    }
    return false;
}

static cudnnStatus_t finalize_config(descriptor &d)
{
    const descriptor *const engine = d.refer(CUDNN_ATTR_ENGINECFG_ENGINE);

    d.engine = engine->engine;
    d.attributes[CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH] =
        engine->attributes.at(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
    return has_stages(d, d.engine == by_hand + 6 ? 4 : 2) ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
}

/* --- plans --- */

static cudnnStatus_t make_plan(descriptor &d)
{
    const descriptor *const config = find((void *)d.refer(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG));

    if (cudnn_behaviour == DF_CUDNN_NO_PLAN)
        return CUDNN_STATUS_NOT_SUPPORTED;
    plans_made++;
    d.plan = {config->engine, read_graph(*config->refer(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH))};
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finalize_plan(descriptor &d)
{
    const char *const text = d.get<char>(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);

    if (!text)
        return d.refer(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG) ? make_plan(d) : CUDNN_STATUS_BAD_PARAM;
    const bool read =
        cudnn_behaviour != DF_CUDNN_NO_READ &&
        read_plan({text, text + d.count(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION)}, d.plan);
    return read ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

static cudnnStatus_t give_text(const descriptor &plan, int64_t wanted, int64_t *count, char *values)
{
    const std::vector<char> text = write_plan(plan.plan);

    if (cudnn_behaviour == DF_CUDNN_NO_TEXT)
        return CUDNN_STATUS_NOT_SUPPORTED;
    *count = (int64_t)text.size();
    if (values && wanted < *count)
        return CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT;
    if (values)
        memcpy(values, text.data(), text.size());
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t finalize(descriptor &d)
{
    for (const rule &r : rules) {
        if (r.owner == d.type && d.count(r.name) < r.least)
            return CUDNN_STATUS_BAD_PARAM;
    }
    switch (d.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
        return finalize_tensor(d);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
        return is_connected(read_graph(d)) ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR:
        return finalize_engine(d);
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR:
        return finalize_config(d);
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
        return finalize_plan(d);
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
        return check_pack(d);
    default:
        return CUDNN_STATUS_SUCCESS;
    }
}

/* --- what a descriptor gives --- */

static cudnnStatus_t list_engines(const descriptor &heuristics, int64_t wanted, int64_t *count, void **values)
{
    const descriptor *const graph = heuristics.refer(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
    const std::vector<graph_operation> operations = read_graph(*find((void *)graph));
    graph_attention attention;
    graph_gradient gradient;

    *count = 0;
    if (cudnn_behaviour == DF_CUDNN_NO_ENGINE ||
        !(is_attention(operations, attention) || is_gradient(operations, gradient)))
        return CUDNN_STATUS_SUCCESS;
    for (; *count < engines && *count < wanted; ++*count) {
        descriptor *const config = find(values[*count]);
        if (!config || config->type != CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)
            return CUDNN_STATUS_BAD_PARAM;
        config->engine = (int)*count;
        config->finalized = true;
        config->attributes[CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH] =
            heuristics.attributes.at(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
    }
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t give_engine(const descriptor &config, int64_t *count, void **values)
{
    descriptor *const engine = find(values[0]);

    if (!engine || engine->type != CUDNN_BACKEND_ENGINE_DESCRIPTOR)
        return CUDNN_STATUS_BAD_PARAM;
    engine->engine = config.engine;
    engine->finalized = true;
    *count = 1;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t give_notes(const descriptor &engine, int64_t wanted, int64_t *count, int *values)
{
    const int notes[] = {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC};

    *count = engine.engine == 0 ? 2 : 1;
    for (int64_t i = 0; i < *count && i < wanted; i++)
        values[i] = notes[i];
    return CUDNN_STATUS_SUCCESS;
}

/* --- running --- */

/* The pointer of a tensor in a pack; NULL if there is none, or if it is invalid. */
static void *find_place(const descriptor &pack, const graph_tensor &tensor)
{
    const int64_t *const names = pack.get<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    void *const *const pointers = pack.get<void *>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);

    for (int64_t i = 0; i < pack.count(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS); i++) {
        if (names[i] != tensor.name)
            continue;
        if ((uintptr_t)pointers[i] % (uintptr_t)tensor.alignment != 0)
            return nullptr;
        if (!tensor.by_value && !is_allocated(pointers[i], tensor_bytes(tensor)))
            report(nullptr, "cuDNN: tensor %lld is not device memory of one allocation",
                   (long long)tensor.name);
        return pointers[i];
    }
    return nullptr;
}

static cudnnStatus_t start_attention(cudnnHandle_t handle, const graph_attention &attention,
                                     const descriptor &pack, bool backwards)
{
    attention_run run = {attention,
                         find_place(pack, attention.q),
                         find_place(pack, attention.k),
                         find_place(pack, attention.v),
                         find_place(pack, attention.out),
                         attention.lse.is_virtual ? nullptr : find_place(pack, attention.lse),
                         0.0f,
                         backwards,
                         runs % 2 == 1};
    const void *const scale = find_place(pack, attention.scale);

    if (!run.q || !run.k || !run.v || !run.out || !scale || (!attention.lse.is_virtual && !run.lse))
        return CUDNN_STATUS_BAD_PARAM;
    memcpy(&run.scale, scale, sizeof run.scale);
    enqueue(handle->stream, [run]() {
        open_device_memory();
        compute_attention(run);
        close_device_memory();
    });
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t start_gradient(cudnnHandle_t handle, const graph_gradient &g, const descriptor &pack,
                                    bool backwards)
{
    gradient_run run = {g,
                        find_place(pack, g.q),
                        find_place(pack, g.k),
                        find_place(pack, g.v),
                        find_place(pack, g.out),
                        find_place(pack, g.dout),
                        find_place(pack, g.lse),
                        find_place(pack, g.delta),
                        find_place(pack, g.dq),
                        find_place(pack, g.dk),
                        find_place(pack, g.dv),
                        g.dq_sums.name ? find_place(pack, g.dq_sums) : nullptr,
                        0.0f,
                        backwards,
                        runs % 2 == 1};
    const void *const scale = find_place(pack, g.scale), *const one = find_place(pack, g.one);

    for (const void *place :
         {run.q, run.k, run.v, run.out, run.dout, run.lse, run.delta, run.dq, run.dk, run.dv}) {
        if (!place)
            return CUDNN_STATUS_BAD_PARAM;
    }
    if (!scale || !one || *(const float *)one != 1.0f || (g.dq_sums.name && !run.dq_sums))
        return CUDNN_STATUS_BAD_PARAM;
    memcpy(&run.scale, scale, sizeof run.scale);
    enqueue(handle->stream, [run]() {
        open_device_memory();
        compute_gradient(run);
        close_device_memory();
    });
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t start(cudnnHandle_t handle, const graph_plan &plan, const descriptor &pack)
{
    void *const *const workspace = pack.get<void *>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
    const bool backwards = plan.engine == 2 || plan.engine >= by_hand;
    graph_attention attention;
    graph_gradient gradient;

    if (!workspace || !is_allocated(*workspace, workspace_needed))
        return CUDNN_STATUS_BAD_PARAM;
    if (is_attention(plan.operations, attention))
        return start_attention(handle, attention, pack, backwards);
    return is_gradient(plan.operations, gradient) ? start_gradient(handle, gradient, pack, backwards)
                                                  : CUDNN_STATUS_NOT_SUPPORTED;
}

/* Outside of the lock, as other threads go on meanwhile. */
static void wait_for_plan(const void *descriptor_)
{
    const bool slow = cudnn_behaviour == DF_CUDNN_SLOW &&
                      ((const descriptor *)descriptor_)->type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR &&
                      ((const descriptor *)descriptor_)->refer(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);

    if (slow)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

extern "C" {

int df_emulation_cudnn_runs(void)
{
    return runs;
}

int df_emulation_cudnn_plans(void)
{
    const std::lock_guard<std::mutex> guard(lock);

    return plans_made;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *made)
{
    if (!made)
        return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    const std::lock_guard<std::mutex> guard(lock);
    *made = new descriptor{type, false, -1, {}, {}};
    living.insert(*made);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor_)
{
    const std::lock_guard<std::mutex> guard(lock);
    descriptor *const d = find(descriptor_);

    living.erase(d);
    delete d;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor_)
{
    wait_for_plan(descriptor_);
    const std::lock_guard<std::mutex> guard(lock);
    descriptor *const d = find(descriptor_);

    if (!d || d->finalized)
        return CUDNN_STATUS_BAD_PARAM;
    const cudnnStatus_t status = finalize(*d);
    d->finalized = status == CUDNN_STATUS_SUCCESS;
    return status;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor_, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
    const std::lock_guard<std::mutex> guard(lock);
    descriptor *const d = find(descriptor_);

    if (!d || !values)
        return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    const rule *const r = find_rule(d->type, name);
    if (!r || d->finalized || count < 1 || count > r->most)
        return CUDNN_STATUS_BAD_PARAM;
    if (type != r->type)
        return CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE;
    if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
        const cudnnStatus_t status = check_references(*r, count, (void *const *)values);
        if (status != CUDNN_STATUS_SUCCESS)
            return status;
    }
    const char *const bytes = (const char *)values;
    d->attributes[name] = {type, count, {bytes, bytes + (size_t)count * type_bytes(type)}};
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const descriptor_,
                                       cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                       int64_t wanted, int64_t *count, void *values)
{
    const std::lock_guard<std::mutex> guard(lock);
    const descriptor *const d = find(descriptor_);
    const bool is_text = name == CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION;

    if (!d || !count || (!is_text && (!values || wanted < 1)))
        return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (!d->finalized)
        return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
    if (d->type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR && is_text && type == CUDNN_TYPE_CHAR)
        return give_text(*d, wanted, count, (char *)values);
    if (d->type == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR && name == CUDNN_ATTR_ENGINEHEUR_RESULTS &&
        type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
        return list_engines(*d, wanted, count, (void **)values);
    if (d->type == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR && name == CUDNN_ATTR_ENGINECFG_ENGINE &&
        type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
        return give_engine(*d, count, (void **)values);
    if (d->type == CUDNN_BACKEND_ENGINE_DESCRIPTOR && name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE &&
        type == CUDNN_TYPE_NUMERICAL_NOTE)
        return give_notes(*d, wanted, count, (int *)values);
    if (d->type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR &&
        name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE && type == CUDNN_TYPE_INT64) {
        *(int64_t *)values = cudnn_behaviour == DF_CUDNN_LARGE ? (int64_t)2 << 30 : (int64_t)workspace_needed;
        *count = 1;
        return CUDNN_STATUS_SUCCESS;
    }
    return CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack)
{
    const std::lock_guard<std::mutex> guard(lock);
    const descriptor *const p = find(plan), *const values = find(pack);

    runs++;
    if (!handle || !p || !values)
        return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (p->type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR ||
        values->type != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
        return CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE;
    if (!p->finalized || !values->finalized)
        return CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED;
    return cudnn_behaviour == DF_CUDNN_NO_RUN ? CUDNN_STATUS_EXECUTION_FAILED
                                              : start(handle, p->plan, *values);
}

} /* extern "C" */

} // namespace emulation
