/* What is taken from a single update: its age, its size, its `seq`. */
#define _GNU_SOURCE
#include <string.h>

#include "client.h"

static bool number_after(const char *text, size_t len, const char *key, size_t key_len, uint64_t *value, unsigned *digits) {
    const char *at = memmem(text, len, key, key_len), *end = text + len;
    if (!at) return false;
    *value = 0, *digits = 0;
    for (at += key_len; at < end && *at >= '0' && *at <= '9'; at++, ++*digits) *value = *value * 10 + (uint64_t)(*at - '0');
    return *digits > 0;
}

/* Epoch time by its number of digits: 13 are ms, 16 are us, 19 are ns. A stamp of zero says "not stamped": no age is taken. */
void sample_update(const struct client *c, const char *object, size_t len) {
    static const char key[] = "\"received_time\":";
    uint64_t stamp;
    unsigned digits;
    g.until_sample = g.opt.sample_every;
    const char *open = memchr(object, '{', len), *close = memrchr(object, '}', len);
    if (open && close > open) {
        g.t.sampled++;
        g.t.object_bytes += (uint64_t)(close - open) + 1;
    }
    if (!number_after(object, len, key, sizeof key - 1, &stamp, &digits) || !stamp) {
        g.t.unstamped++;
        return;
    }
    if (c->pace != FULL) return; /* their age says how slowly they read */
    int64_t stamp_us = (int64_t)(digits >= 19 ? stamp / 1000 : digits >= 16 ? stamp : stamp * 1000);
    histogram_add(&g.t.age, g.read_wall_us - stamp_us);
}

void check_seq(struct client *c, unsigned symbol, const char *object, size_t len) {
    uint64_t seq;
    unsigned digits;
    if (symbol >= g.opt.universe || !number_after(object, len, "\"seq\":", 6, &seq, &digits)) return;
    uint32_t *last = &c->seq[symbol];
    if (seq < *last) g.t.backwards++;
    else if (seq == *last) g.t.repeated++;
    if (c->behind && *last < c->target[symbol] && seq >= c->target[symbol] && --c->behind == 0) {
        c->caught_up_us = g.read_mono_us;
        histogram_add(&g.recovery, g.read_mono_us - g.resumed_us);
    }
    if (seq > *last) *last = (uint32_t)seq;
    if (seq > g.newest[symbol]) g.newest[symbol] = (uint32_t)seq;
}
