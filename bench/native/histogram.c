#include "histogram.h"

#include <math.h>
#include <string.h>

#define SUB (1u << HISTOGRAM_SUB_BITS)

static unsigned bucket_of(uint64_t v) {
    if (v < SUB) return (unsigned)v;
    unsigned shift = 63u - (unsigned)__builtin_clzll(v) - HISTOGRAM_SUB_BITS;
    return ((shift + 1) << HISTOGRAM_SUB_BITS) + (unsigned)((v >> shift) - SUB);
}

static uint64_t upper_edge(unsigned bucket) {
    if (bucket < SUB) return bucket;
    unsigned shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
    return (((uint64_t)(bucket & (SUB - 1)) + SUB + 1) << shift) - 1;
}

void histogram_clear(struct histogram *h) { memset(h, 0, sizeof *h); }

void histogram_add(struct histogram *h, int64_t value_us) {
    if (value_us < 0) {
        h->negative++;
        value_us = 0;
    }
    h->count++;
    if (value_us > h->max_us) h->max_us = value_us;
    h->bucket[bucket_of((uint64_t)value_us)]++;
}

double histogram_quantile_ms(const struct histogram *h, double q) {
    uint64_t rank = (uint64_t)ceil(q * (double)h->count), seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS && h->count; i++) {
        seen += h->bucket[i];
        if (seen >= rank) {
            uint64_t edge = upper_edge(i);
            return (double)(edge < (uint64_t)h->max_us ? edge : (uint64_t)h->max_us) / 1000.0;
        }
    }
    return 0;
}
