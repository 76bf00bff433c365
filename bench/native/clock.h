/* Two clocks: the wall clock that stamps are compared with, and the one that durations are taken from. */
#pragma once
#include <stdint.h>
#include <time.h>

static inline int64_t clock_us(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline int64_t wall_us(void) { return clock_us(CLOCK_REALTIME); }
static inline int64_t mono_us(void) { return clock_us(CLOCK_MONOTONIC); }
