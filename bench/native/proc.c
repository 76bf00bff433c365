#include "proc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int proc_cores(struct core_times *cores) {
    FILE *f = fopen("/proc/stat", "r");
    char line[512];
    int seen = 0;
    if (!f) return 0;
    while (fgets(line, sizeof line, f)) {
        int core;
        unsigned long long user, nice, system, idle, iowait, irq, softirq, steal;
        if (sscanf(line, "cpu%d %llu %llu %llu %llu %llu %llu %llu %llu", &core, &user, &nice, &system, &idle, &iowait, &irq, &softirq,
                   &steal) != 9 || core < 0 || core >= MAX_CORES)
            continue;
        double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
        cores[core] = (struct core_times){(double)(idle + iowait) * tick_s, (double)steal * tick_s};
        if (core >= seen) seen = core + 1;
    }
    fclose(f);
    return seen;
}

struct process_sample proc_process(pid_t pid) {
    struct process_sample sample = {0};
    char path[64], text[1024];
    unsigned long user, system, size, resident;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f) {
        size_t n = fread(text, 1, sizeof text - 1, f);
        text[n] = 0;
        char *after_name = strrchr(text, ')'); /* the name may hold spaces and parentheses */
        if (after_name &&
            sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2)
            sample.cpu_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
        fclose(f);
    }
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    f = fopen(path, "r");
    if (f) {
        if (fscanf(f, "%lu %lu", &size, &resident) == 2) sample.rss = (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
        fclose(f);
    }
    return sample;
}

uint64_t proc_tcp_memory(void) {
    FILE *f = fopen("/proc/net/sockstat", "r");
    char line[256];
    unsigned long pages = 0;
    if (!f) return 0;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "TCP: inuse %*d orphan %*d tw %*d alloc %*d mem %lu", &pages) == 1) break;
    fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
