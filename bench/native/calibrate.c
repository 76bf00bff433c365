/* How fast is this core right now? Sends 6 KB through a socket pair to itself for --ms and prints round trips a second.
   A shared or throttled machine shows here before it shows as a strange result. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

int main(int argc, char **argv) {
    static char bytes[6144];
    int pair[2], ms = argc > 1 ? atoi(argv[1]) : 100;
    long rounds = 0;
    if (ms < 1 || ms > 10000 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 2;
    int64_t start = mono_us(), end = start + ms * 1000;
    while (mono_us() < end) {
        for (int i = 0; i < 16; i++, rounds++)
            if (write(pair[0], bytes, sizeof bytes) < 0 || read(pair[1], bytes, sizeof bytes) < 0) return 1;
    }
    printf("%.0f\n", (double)rounds * 1e6 / (double)(mono_us() - start));
    return 0;
}
