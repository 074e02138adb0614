#include "oci/affinity.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INITIAL "process.execCPUAffinity.initial"
#define FINAL "process.execCPUAffinity.final"

enum { WORD_BITS = 8 * sizeof(unsigned long) };

static bool read_cpu(const char **text, unsigned long *out)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	*out = strtoul(*text, &end, 10);
	*text = end;
	return !errno && *out < AFFINITY_CPUS_MAX;
}

int affinity_parse(const char *text, const char *key, struct affinity *out, struct err *e)
{
	const char *p = text;
	unsigned long first, last;

	*out = (struct affinity){ 0 };
	for (;;) {
		if (!read_cpu(&p, &first))
			break;
		last = first;
		if (*p == '-' && (p++, !read_cpu(&p, &last) || last < first))
			break;
		for (; first <= last; first++)
			out->bits[first / WORD_BITS] |= 1ul << first % WORD_BITS;
		if (!*p)
			return 0;
		if (*p++ != ',')
			break;
	}
	return err_set(e, -EINVAL, "%s: \"%s\" is no list of processors as in \"0-3,7\"", key, text);
}

static bool given(const char *text)
{
	return text && text[0];
}

static int set(pid_t pid, const struct affinity *a)
{
	return (int)syscall(SYS_sched_setaffinity, pid, sizeof(a->bits), a->bits);
}

static int apply(const char *text, const char *key, pid_t pid, struct err *e)
{
	struct affinity a;
	int rc = affinity_parse(text, key, &a, e);

	if (rc < 0)
		return rc;
	return set(pid, &a) < 0 ? err_sys(e, "%s: run on processors \"%s\"", key, text) : 0;
}

int affinity_check(const struct oci_affinity *a, struct err *e)
{
	struct affinity unused;
	int rc = given(a->initial) ? affinity_parse(a->initial, INITIAL, &unused, e) : 0;

	return rc < 0 || !given(a->final) ? rc : affinity_parse(a->final, FINAL, &unused, e);
}

int affinity_apply_initial(const struct oci_affinity *a, struct err *e)
{
	return given(a->initial) ? apply(a->initial, INITIAL, 0, e) : 0;
}

int affinity_apply_final(const struct oci_affinity *a, pid_t pid, struct err *e)
{
	struct affinity all;

	if (given(a->final))
		return apply(a->final, FINAL, pid, e);
	if (!given(a->initial))
		return 0;
	/* Back to what the container's cpuset allows, which the kernel cuts it down to. */
	memset(&all, 0xff, sizeof(all));
	return set(pid, &all) < 0 ? err_sys(e, INITIAL ": go back to all processors") : 0;
}
