/* The command line of the load generator; see options.c for the help text. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "proc.h"

enum protocol { SOCKETIO, RAW, NATS };
enum seq_check { SEQ_NONE, SEQ_SOME, SEQ_ALL };

struct options {
    int port;
    enum protocol protocol;
    const char *path;
    unsigned clients, symbols, universe, seed;
    bool distinct;        /* every client a random `symbols` of `universe`; else all the first `symbols` */
    unsigned parallel;    /* clients connecting or joining at a time */
    unsigned connects_per_s; /* no faster than so many; 0: as fast as they go */
    unsigned sources;     /* loopback source addresses 127.0.0.2, .3, …; 0: leave it to the kernel */
    double join_timeout_s;
    unsigned sample_every;/* the age of every n-th update is taken */
    enum seq_check seq;   /* SOME: those that stall or read slowly, and every 16th of the others */
    unsigned stall, slow; /* so many clients stall on command / read at a steady slow pace, both with a small SO_RCVBUF */
    unsigned slow_bytes_per_s;
    int rcvbuf;
    bool forge_pongs;     /* stalled clients send an Engine.IO pong a second without being asked */
    bool deflate;         /* offer permessage-deflate, as every browser does */
    unsigned coalesce_us; /* pause between two rounds of reading: fewer, larger reads, and ages up to so much too high */
    double gap_s;         /* a client that hears nothing for so long is counted */
    pid_t watch[MAX_WATCHED];
    unsigned watched;
};

struct options parse_options(int argc, char **argv);
