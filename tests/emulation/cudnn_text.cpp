/* An execution plan as text, with a sum over all of it: cuDNN does not take what it did not write. */
#include "cudnn_attention.h"

#include <cstring>

namespace emulation
{

struct text_head {
    char name[16];
    size_t version, operations;
    int engine;
    unsigned sum;
};

static text_head make_head(const graph_plan &plan)
{
    text_head head;

    memset(&head, 0, sizeof head);
    memcpy(head.name, "emulated plan", 13);
    head.version = cudnnGetVersion();
    head.operations = plan.operations.size();
    head.engine = plan.engine;
    return head;
}

static unsigned add_up(const std::vector<char> &text)
{
    unsigned sum = 1;

    for (const char byte : text)
        sum = 31 * sum + (unsigned char)byte;
    return sum;
}

std::vector<char> write_plan(const graph_plan &plan)
{
    text_head head = make_head(plan);
    std::vector<char> text(sizeof head + plan.operations.size() * sizeof(graph_operation));

    memcpy(text.data(), &head, sizeof head);
    memcpy(text.data() + sizeof head, plan.operations.data(), text.size() - sizeof head);
    head.sum = add_up(text);
    memcpy(text.data(), &head, sizeof head);
    return text;
}

bool read_plan(const std::vector<char> &text, graph_plan &plan)
{
    text_head head;

    if (text.size() < sizeof head)
        return false;
    memcpy(&head, text.data(), sizeof head);
    if (head.operations > 64 || text.size() != sizeof head + head.operations * sizeof(graph_operation))
        return false;
    plan.engine = head.engine;
    plan.operations.resize(head.operations);
    memcpy(plan.operations.data(), text.data() + sizeof head, text.size() - sizeof head);
    return write_plan(plan) == text;
}

} // namespace emulation
