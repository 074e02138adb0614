#include "update/boots.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"

#define SERVICE_LOGS "/run/berth/log"

enum {
	RECORD_BYTES_MAX = 256 * 1024,
	LOG_BYTES_MAX = 512 * 1024,
	KLOG_READ_ALL = 3, /* syslog(2) */
	NUMBERS_MAX = 1024,
	FILE_NAME_MAX = 64,
};

static void json_name(unsigned number, char out[FILE_NAME_MAX])
{
	snprintf(out, FILE_NAME_MAX, "%08u.json", number);
}

static void logs_name(unsigned number, char out[FILE_NAME_MAX])
{
	snprintf(out, FILE_NAME_MAX, "%08u.logs", number);
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

/* The records' numbers, ascending. Returns the count or -errno. */
static int list_numbers(int boots, unsigned numbers[NUMBERS_MAX])
{
	int fd = openat(boots, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!d)
		return -errno;
	while (count < NUMBERS_MAX && (entry = readdir(d))) {
		char *end;
		unsigned long n = strtoul(entry->d_name, &end, 10);

		if (end != entry->d_name && !strcmp(end, ".json"))
			numbers[count++] = (unsigned)n;
	}
	qsort(numbers, (size_t)count, sizeof(numbers[0]), by_number);
	return count;
}

static void drop(int boots, unsigned number)
{
	char name[FILE_NAME_MAX];

	logs_name(number, name);
	path_remove_tree(boots, name, NULL);
	json_name(number, name);
	unlinkat(boots, name, 0);
}

/* The number of a record more, for which there is room then. */
static int next_number(int boots, unsigned *number, struct err *e)
{
	unsigned numbers[NUMBERS_MAX];
	int count = list_numbers(boots, numbers);

	if (count < 0)
		return err_code(e, count, "read the history of boots");
	*number = count ? numbers[count - 1] + 1 : 1;
	for (int i = 0; i < count - (BOOTS_KEPT - 1); i++)
		drop(boots, numbers[i]);
	return 0;
}

int boots_begin(int boots, struct boot_record *r, struct err *e)
{
	int rc = next_number(boots, &r->number, e);

	return rc < 0 ? rc : boots_write(boots, r, NULL, e);
}

static void add_text(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, ",\"%s\":", key);
	buf_add_json_string(out, value, strlen(value));
}

static void add_checks(struct buf *out, const struct gate_look *look)
{
	size_t count;
	const struct gate_check *checks = gate_checks(&count);

	buf_adds(out, ",\"checks\":[");
	for (size_t i = 0; i < count; i++) {
		buf_addf(out, "%s{\"name\":\"%s\",\"ok\":%s", i ? "," : "", checks[i].name,
			 look->ok[i] ? "true" : "false");
		if (!look->ok[i])
			add_text(out, "why", look->why[i]);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

void boots_json(const struct boot_record *r, const char *timings, struct buf *out)
{
	buf_addf(out, "{\"number\":%u,\"slot\":\"%c\",\"on_trial\":%s,\"time_ns\":%lld", r->number,
		 r->slot, r->on_trial ? "true" : "false", (long long)r->time_ns);
	add_text(out, "why", r->why);
	add_text(out, "version", r->version);
	add_text(out, "config", r->config);
	add_text(out, "outcome", r->outcome);
	add_text(out, "reason", r->reason);
	if (r->looked)
		add_checks(out, &r->look);
	if (timings && *timings)
		buf_addf(out, ",\"init\":%.*s", (int)strcspn(timings, "\n"), timings);
	buf_adds(out, "}\n");
}

int boots_write(int boots, const struct boot_record *r, const char *timings, struct err *e)
{
	autobuf struct buf out = { 0 };
	char name[FILE_NAME_MAX];

	boots_json(r, timings, &out);
	if (!buf_ok(&out))
		return err_set(e, -ENOMEM, "write the boot's record: out of memory");
	json_name(r->number, name);
	return file_replace_at(boots, name, out.data, out.len, 0644, e);
}

/* ---- a boot of which another place has the record ---- */

struct sought {
	int64_t time_ns;
	bool found;
};

static void compare_time(void *arg, unsigned number, const char *json, size_t len)
{
	struct sought *s = arg;
	yyjson_doc *doc = yyjson_read(json, len, 0);

	(void)number;
	s->found |= yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(doc), "time_ns")) == s->time_ns;
	yyjson_doc_free(doc);
}

static int write_adopted(int boots, yyjson_mut_doc *doc, struct err *e)
{
	yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
	autobuf struct buf out = { 0 };
	autofree char *json = NULL;
	char name[FILE_NAME_MAX];
	unsigned number;
	int rc = next_number(boots, &number, e);

	if (rc < 0)
		return rc;
	yyjson_mut_obj_put(root, yyjson_mut_str(doc, "number"), yyjson_mut_uint(doc, number));
	json = yyjson_mut_write(doc, 0, NULL);
	buf_adds(&out, json ? json : "");
	buf_addc(&out, '\n');
	if (!json || !buf_ok(&out))
		return err_set(e, -ENOMEM, "write the boot's record: out of memory");
	json_name(number, name);
	return file_replace_at(boots, name, out.data, out.len, 0644, e);
}

int boots_adopt(int boots, const char *json, size_t len, struct err *e)
{
	yyjson_doc *doc = yyjson_read(json, len, 0);
	yyjson_val *time_ns = yyjson_obj_get(yyjson_doc_get_root(doc), "time_ns");
	struct sought s = { .time_ns = yyjson_get_sint(time_ns) };
	int rc = time_ns ? boots_each(boots, BOOTS_KEPT, compare_time, &s, e) :
			   err_set(e, -EBADMSG, "the record of a failed boot is damaged");

	if (!rc && !s.found) {
		yyjson_mut_doc *copy = yyjson_doc_mut_copy(doc, NULL);

		rc = copy ? write_adopted(boots, copy, e) :
			    err_set(e, -ENOMEM, "write the boot's record: out of memory");
		yyjson_mut_doc_free(copy);
	}
	yyjson_doc_free(doc);
	return rc;
}

static int save_kernel_log(int logs, struct err *e)
{
	autofree char *text = malloc(LOG_BYTES_MAX);
	int len = text ? klogctl(KLOG_READ_ALL, text, LOG_BYTES_MAX) : -1;

	if (len < 0)
		return err_sys(e, "read the kernel's log");
	return file_replace_at(logs, "kernel.log", text, (size_t)len, 0600, e);
}

static int save_service_log(int logs, int from, const char *name, struct err *e)
{
	autobuf struct buf text = { 0 };
	int rc = file_read_at(from, name, LOG_BYTES_MAX, &text, e);

	return rc < 0 ? rc : file_replace_at(logs, name, buf_text(&text), text.len, 0600, e);
}

int boots_save_logs(int boots, const struct boot_record *r, struct err *e)
{
	char name[FILE_NAME_MAX];
	autoclose int logs = -1;
	autodir DIR *d = opendir(SERVICE_LOGS);
	struct dirent *entry;
	int rc;

	logs_name(r->number, name);
	if (mkdirat(boots, name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make \"%s\"", name);
	logs = openat(boots, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (logs < 0)
		return err_sys(e, "open \"%s\"", name);
	rc = save_kernel_log(logs, e);
	while (!rc && d && (entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len > 4 && !strcmp(entry->d_name + len - 4, ".log"))
			rc = save_service_log(logs, dirfd(d), entry->d_name, e);
	}
	return rc;
}

int boots_each(int boots, unsigned max, boots_fn *fn, void *arg, struct err *e)
{
	unsigned numbers[NUMBERS_MAX];
	int count = list_numbers(boots, numbers);

	if (count < 0)
		return err_code(e, count, "read the history of boots");
	for (int i = count - 1; i >= 0 && max; i--, max--) {
		autobuf struct buf text = { 0 };
		char name[FILE_NAME_MAX];

		json_name(numbers[i], name);
		if (file_read_at(boots, name, RECORD_BYTES_MAX, &text, NULL) == 0)
			fn(arg, numbers[i], buf_text(&text), text.len);
	}
	return 0;
}
