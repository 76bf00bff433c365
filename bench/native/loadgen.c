/* Load generator: many WebSocket clients in one thread, one epoll set. It joins, then counts what arrives.

   Driven over standard input, a command a line; it answers with one JSON object a line:
     (at the start)  connects and joins everybody       -> {"event":"joined", ...}
     measure S       counts for S seconds               -> {"event":"window", ...}
     stall           the --stall clients stop reading   -> {"event":"stalled"}
     resume S        they read again, watched for S     -> {"event":"resumed", ...}
     quit, or end of input                              -> ends
   Updates of every client are counted; ages are those of clients that read at full pace.
   It never spins: with nothing to read it sleeps in epoll_wait, so its CPU time says how busy it was. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client.h"
#include "clock.h"
#include "window.h"

#define TICK_US 50000
#define EVENTS 1024

static unsigned next_to_connect;
static bool told_joined;
static int64_t resume_end_us;
static double resume_s;

static void *zeroed(size_t count, size_t size) {
    void *p = calloc(count ? count : 1, size);
    if (p) return p;
    fprintf(stderr, "loadgen: out of memory\n");
    exit(1);
}

/* Client i's list: the first `symbols`, or a random choice (Fisher-Yates over the universe, one seed for all). */
static void make_lists(void) {
    unsigned k = g.opt.symbols, m = g.opt.universe;
    uint16_t *deck = zeroed(m, sizeof *deck), *lists = zeroed(g.opt.distinct ? (size_t)g.opt.clients * k : k, sizeof *lists);
    for (unsigned s = 0; s < m; s++) deck[s] = (uint16_t)s;
    memcpy(lists, deck, k * sizeof *lists);
    srandom(g.opt.seed);
    for (unsigned i = 0; i < g.opt.clients; i++) {
        uint16_t *list = g.opt.distinct ? lists + (size_t)i * k : lists;
        for (unsigned j = 0; g.opt.distinct && j < k; j++) {
            unsigned other = j + (unsigned)random() % (m - j);
            uint16_t drawn = deck[other];
            deck[other] = deck[j], deck[j] = drawn;
            list[j] = drawn;
        }
        g.client[i].list = list;
    }
    free(deck);
}

static void make_clients(void) {
    const struct options *o = &g.opt;
    g.client = zeroed(o->clients, sizeof *g.client);
    g.newest = zeroed(o->universe, sizeof *g.newest);
    unsigned stall_every = o->stall ? o->clients / o->stall : 0, slow_every = o->slow ? (o->clients - o->stall) / o->slow : 0;
    unsigned stalls = 0, slows = 0, rest = 0;
    for (unsigned i = 0; i < o->clients; i++) {
        struct client *c = &g.client[i];
        c->index = i;
        if (stall_every && i % stall_every == 0 && stalls < o->stall) c->pace = STALLS, stalls++;
        else if (slow_every && rest++ % slow_every == 0 && slows < o->slow) c->pace = SLOW, slows++;
        if (o->seq == SEQ_ALL || (o->seq == SEQ_SOME && (c->pace != FULL || i % 16 == 1))) c->seq = zeroed(o->universe, sizeof *c->seq);
        if (c->seq && c->pace == STALLS) c->target = zeroed(o->universe, sizeof *c->target);
    }
    make_lists();
}

static void stall_all(void) {
    g.stalled_us = mono_us();
    for (unsigned i = 0; i < g.opt.clients; i++) {
        struct client *c = &g.client[i];
        if (c->pace != STALLS || c->state != LIVE) continue;
        c->stalled = true;
        client_watch(c);
    }
    printf("{\"event\":\"stalled\"}\n");
    fflush(stdout);
}

/* They have caught up once each of their symbols is at least as new as the newest that others had seen at this moment. */
static void resume_all(double seconds) {
    g.resumed_us = mono_us();
    histogram_clear(&g.recovery);
    g.t.backwards = g.t.protocol_errors = 0;
    for (unsigned i = 0; i < g.opt.clients; i++) {
        struct client *c = &g.client[i];
        if (!c->stalled || c->state != LIVE) continue;
        c->stalled = false;
        c->behind = 0;
        for (unsigned j = 0; c->target && j < g.opt.symbols; j++) {
            unsigned s = c->list[j];
            c->target[s] = g.newest[s];
            if (c->seq[s] < c->target[s]) c->behind++;
        }
        if (c->target && !c->behind) histogram_add(&g.recovery, 0);
        client_watch(c);
    }
    resume_s = seconds;
    resume_end_us = g.resumed_us + (int64_t)(seconds * 1e6);
}

static void obey(const char *line) {
    double seconds = 0;
    if (sscanf(line, "measure %lf", &seconds) == 1) window_begin(seconds);
    else if (sscanf(line, "resume %lf", &seconds) == 1) resume_all(seconds);
    else if (!strncmp(line, "stall", 5)) stall_all();
    else if (!strncmp(line, "quit", 4)) exit(0);
    else if (*line && *line != '\n') fprintf(stderr, "loadgen: unknown command: %s", line);
}

static void read_commands(void) {
    static char text[256];
    static size_t have;
    ssize_t n = read(0, text + have, sizeof text - 1 - have);
    if (n == 0) exit(0);
    if (n < 0) return;
    have += (size_t)n;
    text[have] = 0;
    for (char *end; (end = strchr(text, '\n'));) {
        *end = 0;
        obey(text);
        have -= (size_t)(end + 1 - text);
        memmove(text, end + 1, have + 1);
    }
    if (have == sizeof text - 1) have = 0; /* no command is so long */
}

static void tick(int64_t now) {
    static int64_t next_pong_us;
    bool pong = g.opt.forge_pongs && now >= next_pong_us;
    if (pong) next_pong_us = now + 1000000;
    window_tick();
    for (unsigned i = 0; g.opt.slow + g.opt.stall && i < g.opt.clients; i++) {
        struct client *c = &g.client[i];
        if (c->state != LIVE) continue;
        if (c->pace == SLOW) client_read(c, (size_t)g.opt.slow_bytes_per_s * TICK_US / 1000000 + 1);
        else if (c->stalled && pong) client_send(c, 1, "3", 1);
    }
    if (!told_joined && (g.live + g.closed == g.opt.clients || now - g.first_connect_us > (int64_t)(g.opt.join_timeout_s * 1e6))) {
        told_joined = true;
        report_joined(g.live + g.closed != g.opt.clients);
    }
}

static bool may_connect(int64_t now) {
    if (told_joined || next_to_connect == g.opt.clients || g.joining >= g.opt.parallel) return false;
    if (!g.opt.connects_per_s || !g.first_connect_us) return true;
    return next_to_connect < (double)(now - g.first_connect_us) * 1e-6 * g.opt.connects_per_s;
}

static void run(void) {
    static struct epoll_event events[EVENTS];
    int64_t next_tick_us = 0;
    for (;;) {
        int64_t now = mono_us();
        while (may_connect(now)) client_connect(&g.client[next_to_connect++]);
        if (now >= next_tick_us) {
            tick(now);
            next_tick_us = now + TICK_US;
        }
        if (window_due()) window_end();
        if (resume_end_us && now >= resume_end_us) {
            resume_end_us = 0;
            report_resumed(resume_s);
        }
        if (g.opt.coalesce_us && told_joined) usleep(g.opt.coalesce_us);
        int n = epoll_wait(g.epoll, events, EVENTS, (int)((next_tick_us - now) / 1000) + 1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr) client_event(events[i].data.ptr, events[i].events);
            else read_commands();
        }
    }
}

int main(int argc, char **argv) {
    struct rlimit files;
    g.opt = parse_options(argc, argv);
    g.until_sample = g.opt.sample_every;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives the harness */
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < g.opt.clients + 32) {
        fprintf(stderr, "loadgen: %u clients need more than the %llu open files allowed\n", g.opt.clients, (unsigned long long)files.rlim_max);
        return 1;
    }
    g.epoll = epoll_create1(EPOLL_CLOEXEC);
    fcntl(0, F_SETFL, O_NONBLOCK);
    struct epoll_event input = {.events = EPOLLIN};
    epoll_ctl(g.epoll, EPOLL_CTL_ADD, 0, &input);
    make_clients();
    window_tick();
    run();
}
