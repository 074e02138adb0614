#include "oci/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "oci/cgroup_query.h"

enum { FILE_MAX_BYTES = 256 * 1024 };

struct writer {
	int cgroup;
	yyjson_mut_doc *doc;
};

static void add(const struct writer *w, yyjson_mut_val *to, const char *key, uint64_t value)
{
	yyjson_mut_obj_add_uint(w->doc, to, key, value);
}

static bool read_file(const struct writer *w, const char *file, struct buf *out)
{
	return !file_read_at(w->cgroup, file, FILE_MAX_BYTES, out, NULL) && out->len;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and a line for "full". */
static void add_pressure(const struct writer *w, yyjson_mut_val *to, const char *file)
{
	autobuf struct buf text = { 0 };
	yyjson_mut_val *psi;
	char *rest = NULL;

	if (!read_file(w, file, &text))
		return;
	psi = yyjson_mut_obj_add_obj(w->doc, to, "psi");
	for (char *line = strtok_r(text.data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		double avg10, avg60, avg300;
		unsigned long long total;
		yyjson_mut_val *part;
		char name[8];

		if (sscanf(line, "%7s avg10=%lf avg60=%lf avg300=%lf total=%llu", name, &avg10,
			   &avg60, &avg300, &total) != 5)
			continue;
		part = yyjson_mut_obj(w->doc);
		yyjson_mut_obj_add_real(w->doc, part, "avg10", avg10);
		yyjson_mut_obj_add_real(w->doc, part, "avg60", avg60);
		yyjson_mut_obj_add_real(w->doc, part, "avg300", avg300);
		add(w, part, "total", total);
		yyjson_mut_obj_add(psi, yyjson_mut_strcpy(w->doc, name), part);
	}
}

static void add_cpu(const struct writer *w, yyjson_mut_val *root)
{
	yyjson_mut_val *cpu = yyjson_mut_obj_add_obj(w->doc, root, "cpu");
	yyjson_mut_val *usage = yyjson_mut_obj_add_obj(w->doc, cpu, "usage");
	yyjson_mut_val *throttling = yyjson_mut_obj_add_obj(w->doc, cpu, "throttling");
	const struct {
		yyjson_mut_val *to;
		const char *key, *name;
		uint64_t factor; /* the kernel counts microseconds, runc nanoseconds */
	} rows[] = {
		{ usage, "total", "usage_usec", 1000 },
		{ usage, "kernel", "system_usec", 1000 },
		{ usage, "user", "user_usec", 1000 },
		{ throttling, "periods", "nr_periods", 1 },
		{ throttling, "throttledPeriods", "nr_throttled", 1 },
		{ throttling, "throttledTime", "throttled_usec", 1000 },
	};
	autobuf struct buf text = { 0 };

	read_file(w, "cpu.stat", &text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		add(w, rows[i].to, rows[i].key,
		    cgroup_text_value(buf_text(&text), rows[i].name) * rows[i].factor);
	add_pressure(w, cpu, "cpu.pressure");
}

static void add_cpuset(const struct writer *w, yyjson_mut_val *root)
{
	/* cgroup v1's, which runc's type has and prints as zeros on v2. */
	static const char *const keys[] = {
		"cpu_exclusive",	 "mem_hardwall",       "mem_exclusive",
		"memory_migrate",	 "memory_spread_page", "memory_spread_slab",
		"memory_pressure",	 "sched_load_balance", "sched_relax_domain_level",
	};
	yyjson_mut_val *set = yyjson_mut_obj_add_obj(w->doc, root, "cpuset");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		add(w, set, keys[i], 0);
}

static void add_entry(const struct writer *w, yyjson_mut_val *to, const char *key, uint64_t limit,
		      uint64_t usage, uint64_t max)
{
	yyjson_mut_val *entry = yyjson_mut_obj_add_obj(w->doc, to, key);

	add(w, entry, "limit", limit);
	add(w, entry, "usage", usage);
	if (max)
		add(w, entry, "max", max);
	add(w, entry, "failcnt", 0);
}

/* Takes the text apart. */
static void add_pairs(const struct writer *w, yyjson_mut_val *to, struct buf *text)
{
	char *rest = NULL;

	if (!text->len)
		return;
	for (char *line = strtok_r(text->data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *space = strchr(line, ' ');

		if (!space)
			continue;
		*space = '\0';
		yyjson_mut_obj_add(to, yyjson_mut_strcpy(w->doc, line),
				   yyjson_mut_uint(w->doc, strtoull(space + 1, NULL, 10)));
	}
}

static void add_memory(const struct writer *w, yyjson_mut_val *root)
{
	yyjson_mut_val *memory = yyjson_mut_obj_add_obj(w->doc, root, "memory");
	uint64_t usage = cgroup_number(w->cgroup, "memory.current", 0);
	uint64_t limit = cgroup_number(w->cgroup, "memory.max", UINT64_MAX);
	uint64_t swap = cgroup_number(w->cgroup, "memory.swap.current", 0);
	uint64_t swap_limit = cgroup_number(w->cgroup, "memory.swap.max", UINT64_MAX);
	autobuf struct buf stat = { 0 };
	autobuf struct buf events = { 0 };

	read_file(w, "memory.stat", &stat);
	read_file(w, "memory.events", &events);
	add(w, memory, "cache", cgroup_text_value(buf_text(&stat), "file"));
	add_entry(w, memory, "usage", limit, usage, cgroup_number(w->cgroup, "memory.peak", 0));
	/* Memory and swap together, as cgroup v1 counts it and so runc's readers. */
	add_entry(w, memory, "swap",
		  swap_limit == UINT64_MAX || limit == UINT64_MAX ? UINT64_MAX : swap_limit + limit,
		  swap + usage, 0);
	add_entry(w, memory, "kernel", 0, cgroup_text_value(buf_text(&stat), "kernel"), 0);
	add_entry(w, memory, "kernelTCP", 0, cgroup_text_value(buf_text(&stat), "sock"), 0);
	add_pairs(w, yyjson_mut_obj_add_obj(w->doc, memory, "raw"), &stat);
	add_pressure(w, memory, "memory.pressure");
	add_pairs(w, yyjson_mut_obj_add_obj(w->doc, memory, "event_count"), &events);
}

static void add_pids(const struct writer *w, yyjson_mut_val *root)
{
	yyjson_mut_val *pids = yyjson_mut_obj_add_obj(w->doc, root, "pids");
	uint64_t limit = cgroup_number(w->cgroup, "pids.max", 0);

	add(w, pids, "current", cgroup_number(w->cgroup, "pids.current", 0));
	if (limit)
		add(w, pids, "limit", limit);
}

struct device {
	unsigned int major, minor;
};

static void add_io_entry(const struct writer *w, yyjson_mut_val *list, struct device device,
			 const char *op, uint64_t value)
{
	yyjson_mut_val *entry = yyjson_mut_arr_add_obj(w->doc, list);

	add(w, entry, "major", device.major);
	add(w, entry, "minor", device.minor);
	yyjson_mut_obj_add_str(w->doc, entry, "op", op);
	add(w, entry, "value", value);
}

/* "254:0 rbytes=0 wbytes=0 rios=0 wios=0 dbytes=0 dios=0"; a device without use has no pairs. */
static void add_io_line(const struct writer *w, char *line, yyjson_mut_val *bytes,
			yyjson_mut_val *requests)
{
	const struct {
		const char *key, *op;
		yyjson_mut_val *list;
	} rows[] = {
		{ "rbytes=", "Read", bytes },	     { "wbytes=", "Write", bytes },
		{ "dbytes=", "Discard", bytes },     { "rios=", "Read", requests },
		{ "wios=", "Write", requests },	     { "dios=", "Discard", requests },
	};
	struct device device;
	char *rest = NULL, *word = strtok_r(line, " ", &rest);

	if (!word || sscanf(word, "%u:%u", &device.major, &device.minor) != 2)
		return;
	while ((word = strtok_r(NULL, " ", &rest)))
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (!strncmp(word, rows[i].key, strlen(rows[i].key)))
				add_io_entry(w, rows[i].list, device, rows[i].op,
					     strtoull(strchr(word, '=') + 1, NULL, 10));
}

static void add_io(const struct writer *w, yyjson_mut_val *root)
{
	yyjson_mut_val *io = yyjson_mut_obj_add_obj(w->doc, root, "blkio");
	yyjson_mut_val *bytes = yyjson_mut_obj_add_arr(w->doc, io, "ioServiceBytesRecursive");
	yyjson_mut_val *requests = yyjson_mut_obj_add_arr(w->doc, io, "ioServicedRecursive");
	autobuf struct buf text = { 0 };
	char *rest = NULL;

	if (read_file(w, "io.stat", &text))
		for (char *line = strtok_r(text.data, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			add_io_line(w, line, bytes, requests);
	add_pressure(w, io, "io.pressure");
}

static void add_page_size(const struct writer *w, yyjson_mut_val *to, const char *size, int len)
{
	yyjson_mut_val *entry = yyjson_mut_obj(w->doc);
	char file[64];

	snprintf(file, sizeof(file), "hugetlb.%.*s.current", len, size);
	add(w, entry, "usage", cgroup_number(w->cgroup, file, 0));
	snprintf(file, sizeof(file), "hugetlb.%.*s.events", len, size);
	add(w, entry, "failcnt", cgroup_value(w->cgroup, file, "max"));
	yyjson_mut_obj_add(to, yyjson_mut_strncpy(w->doc, size, (size_t)len), entry);
}

static void add_huge_pages(const struct writer *w, yyjson_mut_val *root)
{
	static const char begin[] = "hugetlb.", end[] = ".current";
	yyjson_mut_val *huge = yyjson_mut_obj_add_obj(w->doc, root, "hugetlb");
	autoclose int fd = openat(w->cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (dir)
		take_fd(&fd);
	while (dir && (entry = readdir(dir))) {
		const char *size = entry->d_name + strlen(begin);
		const char *tail = strstr(entry->d_name, end);

		/* Not "hugetlb.2MB.rsvd.current". */
		if (strncmp(entry->d_name, begin, strlen(begin)) != 0 || !tail || tail < size ||
		    memchr(size, '.', (size_t)(tail - size)))
			continue;
		add_page_size(w, huge, size, (int)(tail - size));
	}
}

yyjson_mut_val *stats_read(int cgroup, yyjson_mut_doc *doc)
{
	const struct writer w = { cgroup, doc };
	yyjson_mut_val *root = yyjson_mut_obj(doc);

	add_cpu(&w, root);
	add_cpuset(&w, root);
	add_memory(&w, root);
	add_pids(&w, root);
	add_io(&w, root);
	add_huge_pages(&w, root);
	yyjson_mut_obj_add_obj(doc, root, "intel_rdt");
	yyjson_mut_obj_add_null(doc, root, "network_interfaces");
	return root;
}
