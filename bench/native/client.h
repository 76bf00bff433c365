/* One simulated client: a non-blocking socket, the symbols it joins, and what has arrived so far. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "options.h"

enum state { IDLE, CONNECTING, UPGRADING, JOINING, LIVE, CLOSED };
enum pace { FULL, STALLS, SLOW };

struct client {
    int fd;
    enum state state;
    enum pace pace;
    bool stalled, writable_wanted;
    unsigned index;
    const uint16_t *list; /* the symbols it joins, by number */
    unsigned joined, refused;

    uint8_t *tail; /* bytes read but not yet parsed: the start of a frame, or of the HTTP answer */
    uint32_t tail_len;
    uint8_t *out; /* bytes the socket did not take */
    uint32_t out_len, out_off;
    void *inflate; /* z_stream, once permessage-deflate was negotiated */

    uint64_t frame_left; /* NATS: payload bytes of the current frame still to come */
    uint64_t message_left; /* NATS: bytes of the current message still to come */
    char *line; /* NATS: the start of a protocol line */
    uint16_t line_len;

    uint32_t *seq; /* newest `seq` of each symbol, or NULL where it is not checked */
    uint32_t *target; /* while it catches up: the `seq` each symbol has to reach */
    unsigned behind; /* symbols still below their target */
    int64_t caught_up_us, closed_us; /* monotonic */

    uint64_t updates; /* of the current window */
    int64_t last_us, widest_gap_us;
};

struct totals {
    uint64_t updates, bytes, sampled, object_bytes, unstamped;
    uint64_t backwards, repeated; /* `seq` below, equal to the last one */
    uint64_t gone; /* "41": removed from a namespace by the server */
    uint64_t protocol_errors;
    struct histogram age;
};

struct generator {
    struct options opt;
    int epoll;
    struct client *client;
    struct totals t; /* of the current window */
    struct histogram recovery; /* resumed clients: from the command to the newest value of all symbols */
    int64_t stalled_us, resumed_us; /* monotonic, of the last command */
    uint32_t *newest; /* highest `seq` of each symbol that any checked client saw */
    unsigned until_sample;
    int64_t read_wall_us, read_mono_us; /* taken once a read */
    unsigned live, closed, joining, joins, refused;
    int64_t first_connect_us, last_open_us, last_join_us;
    unsigned peer_closes; /* closed by the server */
    struct { char text[64]; unsigned count; } reason[8]; /* why: close code and text, or the socket error */
};

extern struct generator g;

void client_connect(struct client *c);
/* Handles what epoll reported. */
void client_event(struct client *c, uint32_t events);
/* Reads once, at most `limit` bytes, and parses; the bytes read, 0 when there are none or the client is closed. */
size_t client_read(struct client *c, size_t limit);
/* Queues one masked frame, and writes what the socket takes. */
void client_send(struct client *c, int opcode, const void *payload, size_t len);
void client_send_part(struct client *c, int opcode, const void *payload, size_t len); /* the same without writing yet */
void client_flush(struct client *c);
void client_close(struct client *c, const char *reason);
void client_joined(struct client *c); /* everything asked for was answered */
void client_watch(struct client *c); /* tells epoll what it waits for now */

/* The protocols: called with whole bytes of a live WebSocket; return how many were used, the rest is passed again. */
size_t socketio_parse(struct client *c, uint8_t *data, size_t len);
size_t nats_parse(struct client *c, uint8_t *data, size_t len);
void nats_join(struct client *c);

/* Counting, for both. `object` is the text that holds the stamp. */
static inline void count_update(struct client *c) {
    c->updates++;
    g.t.updates++;
}
void sample_update(const struct client *c, const char *object, size_t len);
void check_seq(struct client *c, unsigned symbol, const char *object, size_t len);
