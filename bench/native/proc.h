/* What the kernel says about processes and cores: /proc/PID/stat, /proc/PID/statm, /proc/stat. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

#define MAX_CORES 64
#define MAX_WATCHED 8

struct core_times {
    double idle_s, stolen_s; /* since boot; stolen: taken by the hypervisor */
};

struct process_sample {
    double cpu_s; /* user + system, all threads */
    uint64_t rss; /* bytes */
};

/* Only idle time is read: the kernel measures it (with CONFIG_NO_HZ), while it guesses the others from what its timer tick happens
   to interrupt, which is far off for work that repeats in step with it. Fills up to MAX_CORES; the number of cores seen. */
int proc_cores(struct core_times *cores);
/* Zeroes when the process is gone. */
struct process_sample proc_process(pid_t pid);
/* Bytes the kernel holds in TCP buffers, all sockets of the machine. */
uint64_t proc_tcp_memory(void);
