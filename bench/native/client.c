#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define READ_BYTES (128u << 10) /* fits the second-level cache, holds several flushes */
#define LONGEST_TAIL (1u << 20)

struct generator g;
static uint8_t *read_buffer; /* a tail is put before the new bytes, so a frame is always whole in memory */

static void out_of_memory(void) {
    fprintf(stderr, "loadgen: out of memory\n");
    exit(1);
}

void client_close(struct client *c, const char *reason) {
    if (c->state == CLOSED) return;
    if (c->state == LIVE) g.live--;
    if (c->state > IDLE && c->state < LIVE) g.joining--;
    c->state = CLOSED;
    c->closed_us = mono_us();
    close(c->fd);
    g.closed++;
    g.peer_closes++;
    free(c->tail), free(c->out);
    c->tail = c->out = NULL;
    c->tail_len = c->out_len = c->out_off = 0;
    for (unsigned i = 0; i < sizeof g.reason / sizeof *g.reason; i++) {
        if (g.reason[i].count && strcmp(g.reason[i].text, reason)) continue;
        snprintf(g.reason[i].text, sizeof g.reason[i].text, "%s", reason);
        g.reason[i].count++;
        break;
    }
}

void client_watch(struct client *c) {
    bool reads = !c->stalled && c->pace != SLOW;
    struct epoll_event e = {.events = EPOLLET | EPOLLRDHUP | (reads || c->state < LIVE ? EPOLLIN : 0) | (c->writable_wanted ? EPOLLOUT : 0),
                            .data.ptr = c};
    epoll_ctl(g.epoll, EPOLL_CTL_MOD, c->fd, &e);
}

void client_connect(struct client *c) {
    int on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)g.opt.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    c->state = CONNECTING;
    c->writable_wanted = true;
    g.joining++;
    if (c->fd < 0) {
        client_close(c, strerror(errno));
        return;
    }
    if (!g.first_connect_us) g.first_connect_us = mono_us();
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (c->pace != FULL) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &g.opt.rcvbuf, sizeof g.opt.rcvbuf);
    if (g.opt.sources) { /* one address has too few ports for many clients */
        struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + c->index % g.opt.sources)};
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (bind(c->fd, (struct sockaddr *)&from, sizeof from)) {
            client_close(c, strerror(errno));
            return;
        }
    }
    struct epoll_event e = {.events = EPOLLET | EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.ptr = c};
    epoll_ctl(g.epoll, EPOLL_CTL_ADD, c->fd, &e);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) client_close(c, strerror(errno));
}

static void append(struct client *c, const void *bytes, size_t len) {
    c->out = realloc(c->out, c->out_len + len);
    if (!c->out) out_of_memory();
    memcpy(c->out + c->out_len, bytes, len);
    c->out_len += (uint32_t)len;
}

void client_flush(struct client *c) {
    while (c->out_off < c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_off, c->out_len - c->out_off, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) {
            client_close(c, strerror(errno));
            return;
        }
        if (n < 0) break;
        c->out_off += (uint32_t)n;
    }
    bool pending = c->out_off < c->out_len;
    if (!pending) {
        free(c->out);
        c->out = NULL;
        c->out_len = c->out_off = 0;
    }
    if (pending != c->writable_wanted) {
        c->writable_wanted = pending;
        client_watch(c);
    }
}

void client_send_part(struct client *c, int opcode, const void *payload, size_t len) {
    static uint32_t mask = 2463534242u; /* xorshift: a masking key a frame, as RFC 6455 asks of clients */
    mask ^= mask << 13, mask ^= mask >> 17, mask ^= mask << 5;
    uint8_t frame[8 + 1024], *p = frame;
    if (len > 1024) {
        client_close(c, "own message too long");
        return;
    }
    *p++ = (uint8_t)(0x80 | opcode);
    if (len < 126) *p++ = (uint8_t)(0x80 | len);
    else *p++ = 0x80 | 126, *p++ = (uint8_t)(len >> 8), *p++ = (uint8_t)len;
    memcpy(p, &mask, 4);
    for (size_t i = 0; i < len; i++) p[4 + i] = ((const uint8_t *)payload)[i] ^ p[i & 3];
    append(c, frame, (size_t)(p - frame) + 4 + len);
}

void client_send(struct client *c, int opcode, const void *payload, size_t len) {
    client_send_part(c, opcode, payload, len);
    if (c->state != CLOSED) client_flush(c);
}

void client_joined(struct client *c) {
    if (c->state != JOINING) return;
    c->state = LIVE;
    g.live++;
    g.joining--;
    g.last_join_us = mono_us();
    c->last_us = 0;
    client_watch(c);
}

static void ask_for_upgrade(struct client *c) {
    char request[512];
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                     g.opt.path, g.opt.port,
                     g.opt.deflate ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" : "");
    c->state = UPGRADING;
    append(c, request, (size_t)n);
    client_flush(c);
}

void *inflate_new(void);

static size_t upgraded(struct client *c, const uint8_t *data, size_t len) {
    const uint8_t *end = memmem(data, len, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t used = (size_t)(end - data) + 4;
    if (len < 12 || memcmp(data, "HTTP/1.1 101", 12)) {
        char reason[64];
        snprintf(reason, sizeof reason, "upgrade refused: %.30s", (const char *)data + 9);
        client_close(c, strtok(reason, "\r\n"));
        return used;
    }
    if (memmem(data, used, "permessage-deflate", 18)) c->inflate = inflate_new();
    c->state = JOINING;
    g.last_open_us = mono_us();
    if (g.opt.protocol == RAW) client_joined(c);
    if (g.opt.protocol == NATS) nats_join(c);
    return used;
}

static size_t parse(struct client *c, uint8_t *data, size_t len) {
    size_t used = 0;
    if (c->state == UPGRADING) {
        used = upgraded(c, data, len);
        if (c->state < JOINING) return 0;
    }
    if (c->state == CLOSED) return len;
    return used + (g.opt.protocol == NATS ? nats_parse : socketio_parse)(c, data + used, len - used);
}

size_t client_read(struct client *c, size_t limit) {
    if (!read_buffer && !(read_buffer = malloc(LONGEST_TAIL + READ_BYTES))) out_of_memory();
    size_t tail = c->tail_len;
    if (tail) memcpy(read_buffer, c->tail, tail);
    ssize_t n = recv(c->fd, read_buffer + tail, limit < READ_BYTES ? limit : READ_BYTES, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) {
        client_close(c, n ? strerror(errno) : "end of stream");
        return 0;
    }
    g.read_wall_us = wall_us();
    g.read_mono_us = mono_us();
    if (c->last_us && g.read_mono_us - c->last_us > c->widest_gap_us) c->widest_gap_us = g.read_mono_us - c->last_us;
    c->last_us = g.read_mono_us;
    g.t.bytes += (uint64_t)n;
    size_t len = tail + (size_t)n, used = parse(c, read_buffer, len), rest = len - used;
    if (c->state == CLOSED) return 0;
    if (rest > LONGEST_TAIL) {
        client_close(c, "frame too long");
        return 0;
    }
    if (rest) {
        if (rest > tail || !c->tail) c->tail = realloc(c->tail, rest);
        if (!c->tail) out_of_memory();
        memcpy(c->tail, read_buffer + used, rest);
    } else if (c->tail) {
        free(c->tail);
        c->tail = NULL;
    }
    c->tail_len = (uint32_t)rest;
    return (size_t)n;
}

void client_event(struct client *c, uint32_t events) {
    if (c->state == CLOSED) return;
    if (c->state == CONNECTING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) client_close(c, strerror(error));
        else ask_for_upgrade(c);
        return;
    }
    if (events & EPOLLOUT) client_flush(c);
    if (c->state == CLOSED) return;
    bool ended = events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP);
    if (events & EPOLLIN) { /* edge-triggered: a full buffer, or an end behind the data, asks for another read */
        size_t n;
        do n = client_read(c, READ_BYTES);
        while (c->state != CLOSED && (n == READ_BYTES || (ended && n)));
    } else if (ended) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        client_close(c, error ? strerror(error) : "end of stream");
    }
}
