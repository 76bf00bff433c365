/* What the kernel says about processes and cores: /proc/PID/stat, /proc/PID/statm, /proc/stat. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

#define MAX_CORES 64
#define MAX_WATCHED 8

struct core_ticks {
    uint64_t busy, idle, stolen; /* clock ticks since boot; stolen: taken by the hypervisor */
};

struct process_sample {
    double cpu_s; /* user + system, all threads */
    uint64_t rss; /* bytes */
};

/* Fills up to MAX_CORES; the number of cores seen. */
int proc_cores(struct core_ticks *cores);
/* Zeroes when the process is gone. */
struct process_sample proc_process(pid_t pid);
/* Bytes the kernel holds in TCP buffers, all sockets of the machine. */
uint64_t proc_tcp_memory(void);
