#define _GNU_SOURCE
#include "window.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "client.h"
#include "clock.h"

struct snapshot {
    int64_t at_us;
    double own_cpu_s;
    int cores;
    struct core_times core[MAX_CORES];
    struct process_sample process[MAX_WATCHED];
    uint64_t tcp_memory;
};

static struct snapshot born, start;
static uint64_t peak_rss[MAX_WATCHED];
static int64_t end_us;

static struct snapshot take(void) {
    struct snapshot s = {.at_us = mono_us(), .tcp_memory = proc_tcp_memory()};
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    s.own_cpu_s = (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) + (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6;
    s.cores = proc_cores(s.core);
    for (unsigned i = 0; i < g.opt.watched; i++) s.process[i] = proc_process(g.opt.watch[i]);
    return s;
}

void window_tick(void) {
    if (!born.at_us) born = take();
    for (unsigned i = 0; i < g.opt.watched; i++) {
        uint64_t rss = proc_process(g.opt.watch[i]).rss;
        if (rss > peak_rss[i]) peak_rss[i] = rss;
    }
}

void window_begin(double seconds) {
    memset(&g.t, 0, sizeof g.t);
    memset(peak_rss, 0, sizeof peak_rss);
    for (unsigned i = 0; i < g.opt.clients; i++) g.client[i].updates = 0, g.client[i].widest_gap_us = 0;
    start = take();
    end_us = start.at_us + (int64_t)(seconds * 1e6);
}

bool window_open(void) { return end_us != 0; }
bool window_due(void) { return end_us && mono_us() >= end_us; }

/* Both ends of a stretch of time, as seen by the kernel. */
static void print_machine(const struct snapshot *from, const struct snapshot *to) {
    double wall = (double)(to->at_us - from->at_us) / 1e6;
    printf(",\"generator_cpu\":%.4f,\"cores\":[", (to->own_cpu_s - from->own_cpu_s) / wall);
    for (int i = 0; i < to->cores; i++) {
        double idle = (to->core[i].idle_s - from->core[i].idle_s) / wall, stolen = (to->core[i].stolen_s - from->core[i].stolen_s) / wall;
        printf("%s{\"busy\":%.4f,\"stolen\":%.4f}", i ? "," : "", idle < 1 ? 1 - idle : 0, stolen);
    }
    printf("],\"watched\":[");
    for (unsigned i = 0; i < g.opt.watched; i++)
        printf("%s{\"pid\":%d,\"cpu\":%.4f,\"rss_start\":%llu,\"rss_end\":%llu,\"rss_peak\":%llu}", i ? "," : "", (int)g.opt.watch[i],
               (to->process[i].cpu_s - from->process[i].cpu_s) / wall, (unsigned long long)from->process[i].rss,
               (unsigned long long)to->process[i].rss, (unsigned long long)peak_rss[i]);
    printf("],\"tcp_memory_start\":%llu,\"tcp_memory_end\":%llu", (unsigned long long)from->tcp_memory,
           (unsigned long long)to->tcp_memory);
}

static void print_closed(void) {
    printf(",\"live\":%u,\"closed\":%u,\"reasons\":{", g.live, g.closed);
    for (unsigned i = 0; i < sizeof g.reason / sizeof *g.reason && g.reason[i].count; i++)
        printf("%s\"%s\":%u", i ? "," : "", g.reason[i].text, g.reason[i].count);
    printf("}");
}

void window_end(void) {
    struct snapshot end = take();
    double wall = (double)(end.at_us - start.at_us) / 1e6;
    uint64_t least = UINT64_MAX, most = 0;
    unsigned starved = 0, gaps = 0;
    end_us = 0;
    window_tick();
    for (unsigned i = 0; i < g.opt.clients; i++) {
        const struct client *c = &g.client[i];
        if (c->state != LIVE || c->pace != FULL) continue;
        if (c->updates < least) least = c->updates;
        if (c->updates > most) most = c->updates;
        if (!c->updates) starved++;
        int64_t silent = end.at_us - c->last_us > c->widest_gap_us ? end.at_us - c->last_us : c->widest_gap_us;
        if ((double)silent > g.opt.gap_s * 1e6) gaps++;
    }
    printf("{\"event\":\"window\",\"seconds\":%.4f,\"updates\":%llu,\"updates_per_s\":%.1f,\"bytes_per_s\":%.1f,\"object_bytes\":%.2f", wall,
           (unsigned long long)g.t.updates, (double)g.t.updates / wall, (double)g.t.bytes / wall,
           g.t.sampled ? (double)g.t.object_bytes / (double)g.t.sampled : 0);
    printf(",\"age_ms\":{\"samples\":%llu,\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,\"max\":%.3f,\"negative\":%llu,\"unstamped\":%llu}",
           (unsigned long long)g.t.age.count, histogram_quantile_ms(&g.t.age, 0.50), histogram_quantile_ms(&g.t.age, 0.95),
           histogram_quantile_ms(&g.t.age, 0.99), (double)g.t.age.max_us / 1000, (unsigned long long)g.t.age.negative,
           (unsigned long long)g.t.unstamped);
    printf(",\"least\":%llu,\"most\":%llu,\"starved\":%u,\"gaps\":%u,\"backwards\":%llu,\"repeated\":%llu,\"gone\":%llu,\"protocol_errors\":%llu",
           least == UINT64_MAX ? 0ull : (unsigned long long)least, (unsigned long long)most, starved, gaps,
           (unsigned long long)g.t.backwards, (unsigned long long)g.t.repeated, (unsigned long long)g.t.gone,
           (unsigned long long)g.t.protocol_errors);
    print_machine(&start, &end);
    print_closed();
    printf("}\n");
    fflush(stdout);
}

void report_joined(bool timed_out) {
    struct snapshot now = take();
    double open = (double)(g.last_open_us - g.first_connect_us) / 1e6, join = (double)(g.last_join_us - g.first_connect_us) / 1e6;
    printf("{\"event\":\"joined\",\"timed_out\":%s,\"clients\":%u,\"joins\":%u,\"refused\":%u,\"open_s\":%.4f,\"join_s\":%.4f",
           timed_out ? "true" : "false", g.opt.clients, g.joins, g.refused, open > 0 ? open : 0, join > 0 ? join : 0);
    print_machine(&born, &now);
    print_closed();
    printf("}\n");
    fflush(stdout);
}

void report_resumed(double seconds) {
    unsigned stalled = 0, closed = 0, behind = 0;
    int64_t first = 0, last = 0;
    for (unsigned i = 0; i < g.opt.clients; i++) {
        const struct client *c = &g.client[i];
        if (c->pace != STALLS) continue;
        stalled++;
        if (c->state == CLOSED) {
            closed++;
            int64_t after = c->closed_us - g.stalled_us;
            if (!first || after < first) first = after;
            if (after > last) last = after;
        } else if (c->behind) behind++;
    }
    printf("{\"event\":\"resumed\",\"seconds\":%.3f,\"stalled\":%u,\"caught_up\":%llu,\"behind\":%u,\"closed_by_server\":%u", seconds,
           stalled, (unsigned long long)g.recovery.count, behind, closed);
    printf(",\"first_close_s\":%.3f,\"last_close_s\":%.3f,\"recovery_ms\":{\"p50\":%.3f,\"max\":%.3f},\"backwards\":%llu,\"protocol_errors\":%llu",
           (double)first / 1e6, (double)last / 1e6, histogram_quantile_ms(&g.recovery, 0.5), (double)g.recovery.max_us / 1000,
           (unsigned long long)g.t.backwards, (unsigned long long)g.t.protocol_errors);
    print_closed();
    printf("}\n");
    fflush(stdout);
}
