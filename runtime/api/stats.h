/* One sample of what a container uses, from its cgroup, and docker's JSON of it. The reading of
 * each file is apart from the files, so that it can be tried. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct stats_device {
	unsigned major, minor;
	uint64_t read_bytes, write_bytes, read_ios, write_ios;
};

enum { STATS_DEVICES_MOST = 16 };

struct stats_cpu {
	uint64_t total_ns, user_ns, kernel_ns; /* of the container */
	uint64_t periods, throttled, throttled_ns;
	uint64_t system_ns;                    /* of the whole machine, idle time too */
};

struct stats {
	int64_t read_ns; /* Unix time; 0: nothing was read */
	struct stats_cpu cpu;
	struct stats_device devices[STATS_DEVICES_MOST];
	size_t device_count;
};

void stats_parse_cpu(const char *cpu_stat, struct stats_cpu *out);
void stats_parse_system(const char *proc_stat, long ticks_per_second, struct stats_cpu *out);
void stats_parse_io(const char *io_stat, struct stats *out);

/* "key value" lines: the number, or 0. */
uint64_t stats_number(const char *text, const char *key);

/* "memory_stats"'s "stats" of memory.stat; "networks" of /proc/PID/net/dev but the loopback. */
void stats_add_memory(struct buf *b, const char *memory_stat);
void stats_add_networks(struct buf *b, const char *net_dev);

void stats_add_cpu(struct buf *b, const char *key, const struct stats_cpu *c, long processors);
void stats_add_io(struct buf *b, const struct stats *s);
