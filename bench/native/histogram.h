/* A log-linear histogram of microseconds, 64 buckets an octave: quantiles within 1.6 %, constant memory, one increment a sample. */
#pragma once
#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS) << HISTOGRAM_SUB_BITS)

struct histogram {
    uint64_t count;
    int64_t max_us;
    uint64_t negative; /* samples from the future: the clocks disagree */
    uint32_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_clear(struct histogram *h);
void histogram_add(struct histogram *h, int64_t value_us);
/* The upper edge of the bucket that holds the quantile, in ms; q in (0, 1]. 0 when empty. */
double histogram_quantile_ms(const struct histogram *h, double q);
