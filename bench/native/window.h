/* The measured window: counters cleared at its start, the machine sampled at both ends, one JSON line at its end. */
#pragma once
#include <stdbool.h>

void window_begin(double seconds);
bool window_due(void); /* it is open and its time is up */
bool window_open(void);
void window_end(void);
void window_tick(void); /* about 20 times a second: the peak of resident memory */

void report_joined(bool timed_out);
void report_resumed(double seconds);
