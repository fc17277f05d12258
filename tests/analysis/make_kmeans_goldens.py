"""Writes kmeans_goldens.h: what scikit-learn's KMeans reaches on rows that this script and test_kmeans.c draw alike.

usage: make_kmeans_goldens.py | clang-format > kmeans_goldens.h        (scikit-learn 1.9.1, NumPy 2)
"""
import numpy
from sklearn.cluster import KMeans

ROWS, DIM, BLOBS = 1200, 12, 20


def draw_rows():
    state = 12345

    def draw():  # 0 .. 1023
        nonlocal state
        state = (state * 1664525 + 1013904223) % 2**32
        return state >> 22

    middles = [[draw() for _ in range(DIM)] for _ in range(BLOBS)]
    return numpy.array([[(middles[i % BLOBS][d] + (draw() + draw() + draw()) / 3 - 300) / 64 for d in range(DIM)]
                        for i in range(ROWS)], numpy.float32)


def inertia(rows, count, by_direction):
    found = KMeans(count, n_init=10, random_state=0, tol=0, max_iter=1000).fit(rows)
    if not by_direction:
        return found.inertia_
    # Of the same clusters with centres of length 1.
    return sum(2 * (found.labels_ == k).sum() - 2 * numpy.linalg.norm(rows[found.labels_ == k].sum(axis=0))
               for k in range(count))


rows = draw_rows().astype(float)
units = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
print("/* Written by make_kmeans_goldens.py, which says how. */")
print("#ifndef TESTS_KMEANS_GOLDENS_H\n#define TESTS_KMEANS_GOLDENS_H\n\n#include <stdbool.h>\n")
print("static const struct golden {\n    int count;\n    bool by_direction;\n    double inertia;\n} goldens[] = {")
for count in (2, 5, 20, 40):
    print(f"    {{{count}, false, {inertia(rows, count, False):.6g}}},")
    print(f"    {{{count}, true, {inertia(units, count, True):.6g}}},")
print("};\n\n#endif")
