/* NATS over WebSocket: one frame carries any number of protocol lines and messages, and cuts them anywhere.
   https://docs.nats.io/reference/reference-protocols/nats-protocol */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define LONGEST_LINE 4096

void nats_join(struct client *c) {
    static const char connect[] =
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false,\"lang\":\"c\",\"version\":\"1\",\"protocol\":1}\r\n";
    char line[64];
    client_send_part(c, 2, connect, sizeof connect - 1);
    for (unsigned i = 0; i < g.opt.symbols; i++)
        client_send_part(c, 2, line, (size_t)snprintf(line, sizeof line, "SUB S%04u %u\r\n", c->list[i], i + 1));
    client_send(c, 2, "PING\r\n", 6); /* answered after every SUB before it */
}

/* One protocol line without its end; `rest` are the bytes after it that have arrived. */
static void on_line(struct client *c, const char *line, size_t len, const char *rest, size_t rest_len) {
    if (len > 4 && !memcmp(line, "MSG ", 4)) {
        const char *size = memrchr(line, ' ', len) + 1;
        uint64_t bytes = 0;
        for (; size < line + len && *size >= '0' && *size <= '9'; size++) bytes = bytes * 10 + (uint64_t)(*size - '0');
        c->message_left = bytes + 2;
        count_update(c);
        if (--g.until_sample == 0) {
            if (bytes <= rest_len) sample_update(c, rest, bytes);
            else g.until_sample = 1; /* cut by the read: take the next one */
        }
    } else if (len >= 4 && !memcmp(line, "PING", 4)) client_send(c, 2, "PONG\r\n", 6);
    else if (len >= 4 && !memcmp(line, "PONG", 4)) {
        if (c->state == JOINING) c->joined = g.opt.symbols, g.joins += g.opt.symbols;
        client_joined(c);
    } else if (len && line[0] == '-') {
        char reason[64];
        snprintf(reason, sizeof reason, "%.*s", (int)(len < 60 ? len : 60), line);
        client_close(c, reason);
    }
}

static void on_bytes(struct client *c, const char *p, size_t n) {
    while (n && c->state != CLOSED) {
        if (c->message_left) {
            size_t take = c->message_left < n ? (size_t)c->message_left : n;
            c->message_left -= take;
            p += take, n -= take;
            continue;
        }
        const char *newline = memchr(p, '\n', n);
        size_t take = newline ? (size_t)(newline - p) + 1 : n;
        if (newline && !c->line_len) {
            on_line(c, p, take > 1 && p[take - 2] == '\r' ? take - 2 : take - 1, p + take, n - take);
        } else {
            if (!c->line && !(c->line = malloc(LONGEST_LINE))) abort();
            if (c->line_len + take > LONGEST_LINE) {
                client_close(c, "protocol line too long");
                return;
            }
            memcpy(c->line + c->line_len, p, take);
            c->line_len = (uint16_t)(c->line_len + take);
            if (newline) {
                size_t len = c->line_len - 1u;
                c->line_len = 0;
                on_line(c, c->line, len && c->line[len - 1] == '\r' ? len - 1 : len, p + take, n - take);
            }
        }
        p += take, n -= take;
    }
}

size_t nats_parse(struct client *c, uint8_t *data, size_t len) {
    const uint8_t *p = data, *end = data + len;
    while (p < end && c->state != CLOSED) {
        if (c->frame_left) {
            size_t left = (size_t)(end - p), take = c->frame_left < left ? (size_t)c->frame_left : left;
            on_bytes(c, (const char *)p, take);
            c->frame_left -= take;
            p += take;
            continue;
        }
        size_t left = (size_t)(end - p), header = 2;
        if (left < 2) break;
        uint64_t payload = p[1] & 127u;
        if (payload == 126) {
            if (left < 4) break;
            header = 4, payload = (uint64_t)p[2] << 8 | p[3];
        } else if (payload == 127) {
            if (left < 10) break;
            header = 10, payload = 0;
            for (int i = 2; i < 10; i++) payload = payload << 8 | p[i];
        }
        unsigned opcode = p[0] & 0x0f;
        if (opcode >= 8) { /* control frames are short: wait for all of it */
            if (left < header + payload) break;
            if (opcode == 8) client_close(c, "close frame");
            if (opcode == 9) client_send(c, 10, p + header, (size_t)payload);
            p += header + payload;
        } else {
            c->frame_left = payload;
            p += header;
        }
    }
    return c->state == CLOSED ? len : (size_t)(p - data);
}
