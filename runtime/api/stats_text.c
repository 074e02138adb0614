#include "api/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

uint64_t stats_number(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; *line; line = next_line(line))
		if (!strncmp(line, key, len) && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	return 0;
}

void stats_parse_cpu(const char *cpu_stat, struct stats_cpu *out)
{
	const struct {
		const char *key;
		uint64_t *to, factor; /* the kernel counts microseconds */
	} rows[] = {
		{ "usage_usec", &out->total_ns, 1000 }, { "user_usec", &out->user_ns, 1000 },
		{ "system_usec", &out->kernel_ns, 1000 }, { "nr_periods", &out->periods, 1 },
		{ "nr_throttled", &out->throttled, 1 }, { "throttled_usec", &out->throttled_ns, 1000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		*rows[i].to = stats_number(cpu_stat, rows[i].key) * rows[i].factor;
}

/* "cpu  user nice system idle iowait irq softirq steal guest guest_nice": guests are in the first
 * two already. */
void stats_parse_system(const char *proc_stat, long ticks_per_second, struct stats_cpu *out)
{
	const char *p = strncmp(proc_stat, "cpu ", 4) ? "" : proc_stat + 4;
	uint64_t ticks = 0;

	for (int i = 0; i < 8; i++) {
		char *end;

		ticks += strtoull(p, &end, 10);
		p = end;
	}
	out->system_ns = ticks * (1000000000 / (uint64_t)ticks_per_second);
}

/* "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" */
void stats_parse_io(const char *io_stat, struct stats *out)
{
	out->device_count = 0;
	for (const char *line = io_stat; *line && out->device_count < STATS_DEVICES_MOST;
	     line = next_line(line)) {
		struct stats_device *d = &out->devices[out->device_count];

		*d = (struct stats_device){ 0 };
		if (sscanf(line, "%u:%u rbytes=%" SCNu64 " wbytes=%" SCNu64 " rios=%" SCNu64
			   " wios=%" SCNu64, &d->major, &d->minor, &d->read_bytes, &d->write_bytes,
			   &d->read_ios, &d->write_ios) == 6)
			out->device_count++;
	}
}

void stats_add_memory(struct buf *b, const char *memory_stat)
{
	json_open(b, "stats", '{');
	for (const char *line = memory_stat; *line; line = next_line(line)) {
		size_t len = strcspn(line, " \n");
		char key[48];

		if (line[len] != ' ' || len >= sizeof(key))
			continue;
		memcpy(key, line, len);
		key[len] = '\0';
		json_int(b, key, (int64_t)strtoull(line + len + 1, NULL, 10));
	}
	json_close(b, '}');
}

static void add_network(struct buf *b, const char *name, const uint64_t n[16])
{
	static const struct {
		const char *key;
		int column;
	} rows[] = {
		{ "rx_bytes", 0 }, { "rx_packets", 1 }, { "rx_errors", 2 }, { "rx_dropped", 3 },
		{ "tx_bytes", 8 }, { "tx_packets", 9 }, { "tx_errors", 10 }, { "tx_dropped", 11 },
	};

	json_open(b, name, '{');
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_int(b, rows[i].key, (int64_t)n[rows[i].column]);
	json_close(b, '}');
}

/* Two lines of head, then "  eth0: " and 16 numbers. */
void stats_add_networks(struct buf *b, const char *net_dev)
{
	json_open(b, "networks", '{');
	for (const char *line = net_dev; *line; line = next_line(line)) {
		uint64_t numbers[16];
		char name[32];
		int used = 0;

		if (sscanf(line, " %31[^:|\n]:%n", name, &used) != 1 || !used || !strcmp(name, "lo"))
			continue;
		for (int i = 0; i < 16; i++) {
			char *end;

			numbers[i] = strtoull(line + used, &end, 10);
			used = (int)(end - line);
		}
		add_network(b, name, numbers);
	}
	json_close(b, '}');
}

void stats_add_cpu(struct buf *b, const char *key, const struct stats_cpu *c, long processors)
{
	json_open(b, key, '{');
	json_open(b, "cpu_usage", '{');
	json_int(b, "total_usage", (int64_t)c->total_ns);
	json_int(b, "usage_in_kernelmode", (int64_t)c->kernel_ns);
	json_int(b, "usage_in_usermode", (int64_t)c->user_ns);
	json_close(b, '}');
	/* docker leaves these out where nothing was read: clients tell the first sample by it. */
	if (c->system_ns) {
		json_int(b, "system_cpu_usage", (int64_t)c->system_ns);
		json_int(b, "online_cpus", processors);
	}
	json_open(b, "throttling_data", '{');
	json_int(b, "periods", (int64_t)c->periods);
	json_int(b, "throttled_periods", (int64_t)c->throttled);
	json_int(b, "throttled_time", (int64_t)c->throttled_ns);
	json_close(b, '}');
	json_close(b, '}');
}

static void add_operations(struct buf *b, const struct stats_device *d, const char *op,
			   uint64_t value)
{
	json_open(b, NULL, '{');
	json_int(b, "major", d->major);
	json_int(b, "minor", d->minor);
	json_string(b, "op", op);
	json_int(b, "value", (int64_t)value);
	json_close(b, '}');
}

void stats_add_io(struct buf *b, const struct stats *s)
{
	static const char *const empty[] = { "io_queue_recursive", "io_service_time_recursive",
					     "io_wait_time_recursive", "io_merged_recursive",
					     "io_time_recursive", "sectors_recursive" };

	json_open(b, "blkio_stats", '{');
	json_open(b, "io_service_bytes_recursive", '[');
	for (size_t i = 0; i < s->device_count; i++) {
		add_operations(b, &s->devices[i], "read", s->devices[i].read_bytes);
		add_operations(b, &s->devices[i], "write", s->devices[i].write_bytes);
	}
	json_close(b, ']');
	json_open(b, "io_serviced_recursive", '[');
	for (size_t i = 0; i < s->device_count; i++) {
		add_operations(b, &s->devices[i], "read", s->devices[i].read_ios);
		add_operations(b, &s->devices[i], "write", s->devices[i].write_ios);
	}
	json_close(b, ']');
	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
		json_raw(b, empty[i], "null");
	json_close(b, '}');
}
