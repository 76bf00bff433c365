#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "usage: loadgen --port P [options]; commands on standard input: measure S, stall, resume S, quit\n"
    "  --protocol socketio|raw|nats   default socketio\n"
    "  --clients N --symbols K --universe M --distinct --seed S\n"
    "  --parallel N --connects-per-s N --sources N --join-timeout S --deflate\n"
    "  --coalesce-us US --sample-every N --seq none|some|all --gap S --watch PID (repeat)\n"
    "  --stall N --slow N --slow-rate BYTES_PER_S --rcvbuf BYTES --forge-pongs\n";

static void fail(const char *what, const char *value) {
    fprintf(stderr, "loadgen: %s: %s\n%s", what, value, HELP);
    exit(2);
}

static unsigned number(const char *text, unsigned lowest, unsigned highest) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || v < lowest || v > highest) fail("not a number in range", text);
    return (unsigned)v;
}

static int choice(const char *text, const char *const *names, int count) {
    for (int i = 0; i < count; i++)
        if (!strcmp(text, names[i])) return i;
    fail("unknown choice", text);
    return 0;
}

struct options parse_options(int argc, char **argv) {
    static const char *const protocols[] = {"socketio", "raw", "nats"}, *const checks[] = {"none", "some", "all"};
    enum { PORT = 256, PROTOCOL, CLIENTS, SYMBOLS, UNIVERSE, DISTINCT, SEED, PARALLEL, SOURCES, JOIN_TIMEOUT, DEFLATE, SAMPLE, SEQ,
           GAP, WATCH, STALL, SLOW, SLOW_RATE, RCVBUF, FORGE, COALESCE, CONNECTS };
    static const struct option names[] = {
        {"port", 1, 0, PORT}, {"protocol", 1, 0, PROTOCOL}, {"clients", 1, 0, CLIENTS}, {"symbols", 1, 0, SYMBOLS},
        {"universe", 1, 0, UNIVERSE}, {"distinct", 0, 0, DISTINCT}, {"seed", 1, 0, SEED}, {"parallel", 1, 0, PARALLEL},
        {"sources", 1, 0, SOURCES}, {"join-timeout", 1, 0, JOIN_TIMEOUT}, {"deflate", 0, 0, DEFLATE}, {"sample-every", 1, 0, SAMPLE},
        {"seq", 1, 0, SEQ}, {"gap", 1, 0, GAP}, {"watch", 1, 0, WATCH}, {"stall", 1, 0, STALL}, {"slow", 1, 0, SLOW},
        {"slow-rate", 1, 0, SLOW_RATE}, {"rcvbuf", 1, 0, RCVBUF}, {"forge-pongs", 0, 0, FORGE}, {"coalesce-us", 1, 0, COALESCE},
        {"connects-per-s", 1, 0, CONNECTS}, {0}};
    struct options o = {.clients = 1, .symbols = 1, .seed = 1, .parallel = 48, .join_timeout_s = 60, .sample_every = 97,
                        .slow_bytes_per_s = 65536, .rcvbuf = 4096, .gap_s = 2};
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) switch (c) {
        case PORT: o.port = (int)number(optarg, 1, 65535); break;
        case PROTOCOL: o.protocol = (enum protocol)choice(optarg, protocols, 3); break;
        case CLIENTS: o.clients = number(optarg, 1, 1000000); break;
        case SYMBOLS: o.symbols = number(optarg, 1, 10000); break;
        case UNIVERSE: o.universe = number(optarg, 1, 10000); break;
        case DISTINCT: o.distinct = true; break;
        case SEED: o.seed = number(optarg, 0, 4000000000u); break;
        case PARALLEL: o.parallel = number(optarg, 1, 100000); break;
        case SOURCES: o.sources = number(optarg, 0, 200); break;
        case JOIN_TIMEOUT: o.join_timeout_s = atof(optarg); break;
        case DEFLATE: o.deflate = true; break;
        case SAMPLE: o.sample_every = number(optarg, 1, 1000000000); break;
        case SEQ: o.seq = (enum seq_check)choice(optarg, checks, 3); break;
        case GAP: o.gap_s = atof(optarg); break;
        case WATCH:
            if (o.watched == MAX_WATCHED) fail("too many", "--watch");
            o.watch[o.watched++] = (pid_t)number(optarg, 1, 1u << 30);
            break;
        case STALL: o.stall = number(optarg, 0, 1000000); break;
        case SLOW: o.slow = number(optarg, 0, 1000000); break;
        case SLOW_RATE: o.slow_bytes_per_s = number(optarg, 100, 1000000000); break;
        case RCVBUF: o.rcvbuf = (int)number(optarg, 1024, 1 << 30); break;
        case CONNECTS: o.connects_per_s = number(optarg, 0, 1000000); break;
        case COALESCE: o.coalesce_us = number(optarg, 0, 100000); break;
        case FORGE: o.forge_pongs = true; break;
        default: fail("unknown option", argv[optind - 1]);
        }
    if (!o.port) fail("missing", "--port");
    if (!o.universe) o.universe = o.symbols;
    if (o.universe < o.symbols) fail("fewer than --symbols", "--universe");
    if (o.stall + o.slow > o.clients) fail("more than --clients", "--stall and --slow");
    o.path = o.protocol == SOCKETIO ? "/socket.io/?EIO=4&transport=websocket" : "/";
    return o;
}
