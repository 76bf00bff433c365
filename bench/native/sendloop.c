/* The kernel's limit: accepts WebSocket clients, then does nothing but send() the same bytes to each in turn.

   usage: sendloop --clients N --frames N --bytes N [--distinct] [--universe N] [--hz N]
   Frames look like a quote of the real server: 42/S0000,["quote",{...}], the object --bytes long, --frames of them a call.
   One shared buffer, or with --distinct one of its own a client, cut from a random choice of --universe frames. The first
   frame of a buffer is stamped each round; the others carry a zero stamp. What a full socket does not take is dropped and
   counted, except for the end of a frame already begun. With --hz it begins so many rounds a second, else one after the other. Prints "listening on PORT"; ends with standard input. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

struct peer {
    int fd;
    char *buffer;
    size_t offset; /* of a buffer sent in part: the rest goes first */
};

static unsigned clients = 1, frames = 20, bytes = 300, universe, hz;
static bool distinct;
static unsigned long long sends, refused, partial;
static size_t stamp_offset;

/* One frame with a WebSocket header; the stamp is 16 digits at stamp_offset. */
static size_t make_frame(char *out, unsigned symbol) {
    char packet[4200];
    int head = snprintf(packet, sizeof packet, "42/S%04u,[\"quote\",{\"symbol\":\"S%04u\",\"received_time\":", symbol, symbol);
    int stamp_at = head, object_at = 18; /* after 42/S0000,["quote", */
    head += snprintf(packet + head, sizeof packet - (size_t)head, "%016d,\"seq\":1000001,\"source\":\"", 0);
    int padding = (int)bytes - (head - object_at) - 2;
    if (padding < 0 || bytes > 4000) {
        fprintf(stderr, "sendloop: --bytes must be 90 to 4000\n");
        exit(2);
    }
    memset(packet + head, 'x', (size_t)padding);
    size_t len = (size_t)(head + padding);
    len += (size_t)sprintf(packet + len, "\"}]");
    size_t header = len < 126 ? 2 : 4;
    out[0] = (char)0x81;
    if (header == 2) out[1] = (char)len;
    else out[1] = 126, out[2] = (char)(len >> 8), out[3] = (char)len;
    memcpy(out + header, packet, len);
    stamp_offset = header + (size_t)stamp_at;
    return header + len;
}

static char *make_buffer(size_t *len) {
    char *buffer = malloc(frames * 4300);
    if (!buffer) abort();
    *len = 0;
    for (unsigned i = 0; i < frames; i++) *len += make_frame(buffer + *len, distinct ? (unsigned)random() % universe : i);
    return buffer;
}

/* RFC 6455 asks for a hash of the key; our own generator is the only client and does not look at it. */
static int shake_hands(int listener) {
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    char request[2048];
    size_t have = 0;
    int on = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (!memmem(request, have, "\r\n\r\n", 4)) {
        ssize_t n = recv(fd, request + have, sizeof request - have, 0);
        if (n <= 0 || (have += (size_t)n) == sizeof request) {
            close(fd);
            return -1;
        }
    }
    if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void stamp(char *buffer) {
    char digits[24];
    snprintf(digits, sizeof digits, "%016lld", (long long)wall_us());
    memcpy(buffer + stamp_offset, digits, 16);
}

static bool input_ended(void) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char c;
    return poll(&input, 1, 0) > 0 && read(0, &c, 1) <= 0;
}

static void serve(struct peer *peer, size_t len) {
    int64_t due_us = mono_us();
    for (unsigned round = 0; round % 16 || !input_ended(); round++) {
        bool any = false;
        if (hz) {
            struct timespec due = {due_us / 1000000, due_us % 1000000 * 1000};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
            due_us += 1000000 / hz;
        }
        if (!distinct) stamp(peer[0].buffer);
        for (unsigned i = 0; i < clients; i++) {
            struct peer *p = &peer[i];
            if (p->fd < 0) continue;
            if (distinct && !p->offset) stamp(p->buffer);
            ssize_t n = send(p->fd, p->buffer + p->offset, len - p->offset, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < 0 && errno != EAGAIN) close(p->fd), p->fd = -1;
            if (n < 0) {
                refused++;
                continue;
            }
            any = true;
            sends++;
            if (p->offset + (size_t)n < len) partial++;
            p->offset = (p->offset + (size_t)n) % len;
        }
        if (!any) usleep(200); /* every socket is full, or nobody is left */
    }
}

static unsigned number(const char *text, unsigned lowest) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*end || v < lowest || v > 1000000) {
        fprintf(stderr, "sendloop: not a number in range: %s\n", text);
        exit(2);
    }
    return (unsigned)v;
}

int main(int argc, char **argv) {
    static const struct option names[] = {{"clients", 1, 0, 'c'}, {"frames", 1, 0, 'f'}, {"bytes", 1, 0, 'b'},
                                          {"universe", 1, 0, 'u'}, {"hz", 1, 0, 'h'}, {"distinct", 0, 0, 'd'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) switch (c) {
        case 'c': clients = number(optarg, 1); break;
        case 'f': frames = number(optarg, 1); break;
        case 'b': bytes = number(optarg, 90); break;
        case 'u': universe = number(optarg, 1); break;
        case 'h': hz = number(optarg, 1); break;
        case 'd': distinct = true; break;
        default: return 2;
        }
    if (!universe) universe = frames;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) {
        perror("sendloop");
        return 1;
    }
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("listening on %d\n", ntohs(address.sin_port));
    fflush(stdout);

    size_t len = 0;
    char *shared = make_buffer(&len);
    struct peer *peer = calloc(clients, sizeof *peer);
    for (unsigned i = 0; peer && i < clients;) {
        peer[i] = (struct peer){.fd = shake_hands(listener), .buffer = distinct ? make_buffer(&len) : shared};
        if (peer[i].fd >= 0) i++;
    }
    serve(peer, len);
    printf("{\"sends\":%llu,\"refused\":%llu,\"partial\":%llu}\n", sends, refused, partial);
}
