/*
 * Are these numbers drawn evenly from 0 to 1? Kolmogorov and Smirnov's test.
 */
#ifndef HARNESS_UNIFORM_H
#define HARNESS_UNIFORM_H

#include <stddef.h>
#include <stdlib.h>

/* Even samples of 1000 stay below this in 99 of 100 cases. */
#define UNIFORM_1000 0.0515

static inline int uniform_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The largest distance of the sample from U(0, 1). Sorts it. */
static inline double uniform_distance(double *v, size_t n)
{
    double worst = 0;

    qsort(v, n, sizeof *v, uniform_order);
    for (size_t i = 0; i < n; i++) {
        double below = v[i] - (double)i / (double)n;
        double above = (double)(i + 1) / (double)n - v[i];

        worst = below > worst ? below : worst;
        worst = above > worst ? above : worst;
    }
    return worst;
}

#endif
