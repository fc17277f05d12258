/* Written by make_kmeans_goldens.py, which says how. */
#ifndef TESTS_KMEANS_GOLDENS_H
#define TESTS_KMEANS_GOLDENS_H

#include <stdbool.h>

static const struct golden {
    int count;
    bool by_direction;
    double inertia;
} goldens[] = {
    {2, false, 323688}, {2, true, 164.6},    {5, false, 248552},   {5, true, 126.201},
    {20, false, 99738}, {20, true, 50.7655}, {40, false, 90027.8}, {40, true, 45.3497},
};

#endif
