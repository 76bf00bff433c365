/* Socket.IO protocol 5 over Engine.IO 4 over WebSocket, and bare WebSocket frames for the send loop. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "client.h"

#define LARGEST_MESSAGE (1u << 20)

void *inflate_new(void) {
    z_stream *z = calloc(1, sizeof *z);
    if (z && inflateInit2(z, -15) == Z_OK) return z;
    fprintf(stderr, "loadgen: zlib failed\n");
    exit(1);
}

/* RFC 7692, 7.2.2: append 00 00 ff ff, then inflate with the window of the messages before. */
static size_t inflated(struct client *c, const uint8_t *payload, size_t len, uint8_t *out) {
    static const uint8_t trailer[4] = {0, 0, 0xff, 0xff};
    z_stream *z = c->inflate;
    z->next_out = out;
    z->avail_out = LARGEST_MESSAGE;
    const struct { const uint8_t *data; size_t len; } part[2] = {{payload, len}, {trailer, 4}};
    for (int i = 0; i < 2; i++) {
        z->next_in = (uint8_t *)(uintptr_t)part[i].data; /* zlib does not write to it, its type is older than const */
        z->avail_in = (unsigned)part[i].len;
        int status = inflate(z, Z_SYNC_FLUSH);
        if (status != Z_OK && status != Z_BUF_ERROR) return 0;
    }
    return LARGEST_MESSAGE - z->avail_out;
}

static void join_all(struct client *c) {
    char packet[32];
    for (unsigned i = 0; i < g.opt.symbols; i++) {
        int n = snprintf(packet, sizeof packet, "40/S%04u,", c->list[i]);
        client_send_part(c, 1, packet, (size_t)n);
    }
    client_flush(c);
}

static unsigned symbol_of(const char *packet, size_t len) { /* 42/S0123,… */
    unsigned v = 0;
    for (size_t i = 4; i < len && packet[i] >= '0' && packet[i] <= '9'; i++) v = v * 10 + (unsigned)(packet[i] - '0');
    return v;
}

static void on_packet(struct client *c, const char *p, size_t len) {
    if (len >= 2 && p[0] == '4') switch (p[1]) {
        case '2':
            count_update(c);
            if (--g.until_sample == 0) sample_update(c, p, len);
            if (c->seq) check_seq(c, symbol_of(p, len), p, len);
            return;
        case '0':
        case '4':
            if (p[1] == '0') c->joined++, g.joins++;
            else c->refused++, g.refused++;
            if (c->joined + c->refused == g.opt.symbols) client_joined(c);
            return;
        case '1': g.t.gone++; return;
        default: return; /* acknowledgements and binary events: nothing here asks for them */
        }
    if (len && p[0] == '0') join_all(c);
    else if (len && p[0] == '2') client_send(c, 1, "3", 1);
    else if (len && p[0] == '1') client_close(c, "Engine.IO close");
    else if (!len || (p[0] != '6' && p[0] != '3')) g.t.protocol_errors++;
}

static void on_close_frame(struct client *c, const uint8_t *p, size_t len) {
    char reason[64];
    if (len < 2) snprintf(reason, sizeof reason, "close frame");
    else snprintf(reason, sizeof reason, "close %u %.*s", (unsigned)(p[0] << 8 | p[1]), (int)(len - 2 < 40 ? len - 2 : 40), p + 2);
    for (char *s = reason; *s; s++)
        if (*s < ' ' || *s == '"' || *s == '\\') *s = '?'; /* it ends in a JSON string */
    client_close(c, reason);
}

static void on_frame(struct client *c, uint8_t first, const uint8_t *payload, size_t len) {
    static uint8_t *plain;
    switch (first & 0x0f) {
    case 1:
    case 2:
        if (!(first & 0x80)) g.t.protocol_errors++; /* nobody here fragments */
        if (first & 0x40) {
            if (!c->inflate || (!plain && !(plain = malloc(LARGEST_MESSAGE)))) g.t.protocol_errors++;
            else {
                size_t n = inflated(c, payload, len, plain);
                on_packet(c, (const char *)plain, n);
            }
        } else if (g.opt.protocol == RAW) {
            count_update(c);
            if (--g.until_sample == 0) sample_update(c, (const char *)payload, len);
        } else on_packet(c, (const char *)payload, len);
        return;
    case 8: on_close_frame(c, payload, len); return;
    case 9: client_send(c, 10, payload, len < 125 ? len : 125); return;
    case 10: return;
    default: g.t.protocol_errors++;
    }
}

size_t socketio_parse(struct client *c, uint8_t *data, size_t len) {
    const uint8_t *p = data, *end = data + len;
    while (end - p >= 2) {
        size_t header = 2, payload = p[1] & 127u, left = (size_t)(end - p);
        if (payload == 126) {
            if (left < 4) break;
            header = 4, payload = (size_t)p[2] << 8 | p[3];
        } else if (payload == 127) {
            if (left < 10) break;
            header = 10, payload = 0;
            for (int i = 2; i < 10; i++) payload = payload << 8 | p[i];
        }
        if (left < header || left - header < payload) break;
        on_frame(c, p[0], p + header, payload);
        if (c->state == CLOSED) return len;
        p += header + payload;
    }
    return (size_t)(p - data);
}
