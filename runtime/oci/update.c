/* "update": new limits for a container that is there. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "oci/args.h"
#include "oci/cgroup.h"
#include "oci/cgroup_query.h"
#include "oci/commands.h"
#include "oci/report.h"
#include "oci/state.h"

enum { RESOURCES_MAX_BYTES = 1 << 20 };

enum kind { NUMBER, BYTES, TEXT };

/* One option for one member of struct oci_resources. */
static const struct field {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *help;
} fields[] = {
#define FIELD(name, kind, member, help) { name, kind, offsetof(struct oci_resources, member), help }
	FIELD("blkio-weight", NUMBER, blockIO.weight, "share of I/O, 10 to 1000"),
	FIELD("cpu-burst", NUMBER, cpu.burst, "microseconds above the quota that may be saved up"),
	FIELD("cpu-idle", NUMBER, cpu.idle, "1: runs only when nothing else does"),
	FIELD("cpu-period", NUMBER, cpu.period, "microseconds that the quota is for"),
	FIELD("cpu-quota", NUMBER, cpu.quota, "microseconds of processor time; -1: no limit"),
	FIELD("cpu-share", NUMBER, cpu.shares, "share of processor time, 2 to 262144"),
	FIELD("cpuset-cpus", TEXT, cpu.cpus, "processors, as in 0-3,7"),
	FIELD("cpuset-mems", TEXT, cpu.mems, "memory nodes"),
	FIELD("memory", BYTES, memory.limit, "bytes, or with k, m, g; -1: no limit"),
	FIELD("memory-reservation", BYTES, memory.reservation, "bytes that are kept for it"),
	FIELD("memory-swap", BYTES, memory.swap, "bytes of memory and swap together"),
	FIELD("pids-limit", NUMBER, pids.limit, "processes and threads; -1: no limit"),
#undef FIELD
};

/* runc's options for what cgroup v2 has not got. */
static const char *const missing[] = {
	"cpu-rt-period", "cpu-rt-runtime",    "kernel-memory",
	"kernel-memory-tcp", "l3-cache-schema", "mem-bw-schema",
};

enum { FIELDS = ARRAY_LEN(fields), MISSING = ARRAY_LEN(missing) };

struct options_given {
	const char *file;
	const char *values[FIELDS], *refused[MISSING];
};

/* ---- numbers ---- */

/* "512m", "1g", "1GiB", "4096", "-1". */
static int parse_bytes(const char *text, long long *out)
{
	static const char units[] = "kmgtp";
	autofree char *number = strdup(text);
	char *unit = number ? number + strspn(number, "-0123456789") : NULL;
	const char *found;
	long long value;

	if (!number)
		return -ENOMEM;
	found = *unit ? strchr(units, tolower((unsigned char)*unit)) : NULL;
	if (*unit && !found && strcasecmp(unit, "b") != 0)
		return -EINVAL;
	if (found && unit[1] && strcasecmp(unit + 1, "b") != 0 && strcasecmp(unit + 1, "ib") != 0)
		return -EINVAL;
	*unit = '\0';
	if (args_number(number, -1, INT64_MAX, &value) < 0)
		return -EINVAL;
	for (int shift = found ? (int)(found - units) + 1 : 0; value > 0 && shift; shift--)
		if (__builtin_mul_overflow(value, 1024, &value))
			return -EINVAL;
	*out = value;
	return 0;
}

static int set_field(const struct field *f, const char *text, struct oci_resources *r,
		     struct err *e)
{
	void *member = (char *)r + f->offset;
	long long value;
	int rc;

	if (f->kind == TEXT) {
		char *copy = strdup(text);

		memcpy(member, &copy, sizeof(copy));
		return copy ? 0 : err_set(e, -ENOMEM, "out of memory");
	}
	rc = f->kind == BYTES ? parse_bytes(text, &value) :
				args_number(text, INT64_MIN, INT64_MAX, &value);
	if (rc < 0)
		return err_set(e, rc, "--%s: \"%s\" is not a %s", f->name, text,
			       f->kind == BYTES ? "number of bytes" : "whole number");
	*(struct opt_int *)member = (struct opt_int){ true, value };
	return 0;
}

/* ---- the two sources ---- */

static int read_file(const char *path, struct oci_resources *out, struct err *e)
{
	autoclose int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	autobuf struct buf text = { 0 };
	yyjson_read_err fault;
	yyjson_doc *doc;
	int rc;

	if (fd < 0)
		return err_sys(e, "--resources \"%s\"", path);
	rc = file_read_fd(fd, RESOURCES_MAX_BYTES, &text, e);
	if (rc < 0)
		return rc;
	doc = yyjson_read_opts(text.data, text.len, 0, NULL, &fault);
	if (!doc)
		return err_set(e, -EINVAL, "--resources \"%s\": byte %zu: %s", path, fault.pos,
			       fault.msg);
	rc = oci_resources_read(yyjson_doc_get_root(doc), out, e);
	yyjson_doc_free(doc);
	if (!rc && out->devices.count)
		report_warn("resources.devices: what devices may be used is not changed by update");
	return rc;
}

static int read_options(const struct options_given *given, struct oci_resources *out, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < MISSING; i++)
		if (given->refused[i])
			return err_set(e, -EOPNOTSUPP, "--%s: cgroup v2 has no such limit",
				       missing[i]);
	if (given->file)
		return read_file(given->file, out, e);
	for (size_t i = 0; !rc && i < FIELDS; i++)
		if (given->values[i])
			rc = set_field(&fields[i], given->values[i], out, e);
	return rc;
}

/* ---- what is there ---- */

/* Two limits share a file or are counted together, so the half that is not given is what the
 * cgroup has. */
static void complete(int cgroup, struct oci_resources *r)
{
	autobuf struct buf text = { 0 };
	long long quota, period;

	if (r->memory.swap.set && !r->memory.limit.set) {
		uint64_t limit = cgroup_number(cgroup, "memory.max", UINT64_MAX);

		r->memory.limit.set = true;
		r->memory.limit.value = limit > INT64_MAX ? -1 : (int64_t)limit;
	}
	if (r->cpu.quota.set == r->cpu.period.set ||
	    file_read_at(cgroup, "cpu.max", 64, &text, NULL) < 0)
		return;
	if (!r->cpu.quota.set && sscanf(buf_text(&text), "%lld", &quota) == 1)
		r->cpu.quota = (struct opt_int){ true, quota };
	if (!r->cpu.period.set && sscanf(buf_text(&text), "%*s %lld", &period) == 1)
		r->cpu.period = (struct opt_int){ true, period };
}

static int apply(const char *root, const char *id, struct oci_resources *r, struct err *e)
{
	autostate struct state s = { 0 };
	autoclose int dir = state_load(root, id, true, &s, e);
	autoclose int cgroup = -1;
	enum status status;
	int rc;

	if (dir < 0)
		return dir;
	status = state_status(dir, &s);
	if (status == STATUS_STOPPED || status == STATUS_CREATING)
		return err_set(e, -ESRCH, "container not running");
	if (state_need_cgroup(&s, e) < 0)
		return -EOPNOTSUPP;
	cgroup = cgroup_open(s.cgroup, e);
	if (cgroup < 0)
		return cgroup == -ENOENT ? err_set(e, cgroup, "container not running") : cgroup;
	complete(cgroup, r);
	rc = cgroup_check(r, e);
	return rc < 0 ? rc : cgroup_limit(cgroup, s.cgroup, r, e);
}

int cmd_update(const struct options *o, int argc, char **argv, struct err *e)
{
	struct options_given given = { 0 };
	struct arg rows[FIELDS + MISSING + 2] = {
		ARG_TEXT("resources", 'r', &given.file, "a file with linux.resources, - for stdin"),
	};
	struct oci_resources r = { 0 };
	const char *id;
	int next, rc;

	for (size_t i = 0; i < FIELDS; i++)
		rows[1 + i] = (struct arg)ARG_TEXT(fields[i].name, 0, &given.values[i],
						   fields[i].help);
	for (size_t i = 0; i < MISSING; i++)
		rows[1 + FIELDS + i] = (struct arg)ARG_TEXT(missing[i], 0, &given.refused[i],
							    "refused: not in cgroup v2");
	next = args_parse(rows, argc, argv, e);
	rc = next < 0 ? next : command_id(argc, argv, next, &id, e);
	if (!rc)
		rc = read_options(&given, &r, e);
	if (!rc)
		rc = apply(o->root, id, &r, e);
	oci_resources_free(&r);
	return rc;
}
