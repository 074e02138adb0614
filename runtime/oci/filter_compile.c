#include "oci/filter_compile.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "spec/oci.h"

enum { PROGRAM_MAX_BYTES = 4096 * sizeof(struct sock_filter) }; /* BPF_MAXINSNS */

struct name_value {
	const char *name;
	uint32_t value;
};

static const struct name_value actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
};

static const struct name_value operators[] = {
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },		{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },		{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
};

static const struct name_value architectures[] = {
	{ "SCMP_ARCH_NATIVE", SCMP_ARCH_NATIVE },   { "SCMP_ARCH_X86", SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 },   { "SCMP_ARCH_X32", SCMP_ARCH_X32 },
	{ "SCMP_ARCH_ARM", SCMP_ARCH_ARM },	    { "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64 }, { "SCMP_ARCH_S390", SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X", SCMP_ARCH_S390X },	    { "SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_MIPS", SCMP_ARCH_MIPS },	    { "SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL },   { "SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PPC", SCMP_ARCH_PPC },	    { "SCMP_ARCH_PPC64", SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PARISC", SCMP_ARCH_PARISC },   { "SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64 },
};

static const struct name_value flag_names[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", 0 }, /* the runtime has one thread */
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 1 << 5 },
};

const char *filter_name(enum filter_names kind, size_t index)
{
	static const struct {
		const struct name_value *rows;
		size_t count;
	} kinds[] = {
		[FILTER_ACTIONS] = { actions, ARRAY_LEN(actions) },
		[FILTER_OPERATORS] = { operators, ARRAY_LEN(operators) },
		[FILTER_ARCHITECTURES] = { architectures, ARRAY_LEN(architectures) },
		[FILTER_FLAGS] = { flag_names, ARRAY_LEN(flag_names) },
	};

	return index < kinds[kind].count ? kinds[kind].rows[index].name : NULL;
}

static int look_up(const struct name_value *rows, size_t count, const char *name, uint32_t *out)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(rows[i].name, name)) {
			*out = rows[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

#define LOOK_UP(rows, name, out) look_up(rows, ARRAY_LEN(rows), name, out)

static int parse_action(const char *name, const struct opt_int *number, uint32_t *out,
			struct err *e)
{
	bool is_errno = !strcmp(name, "SCMP_ACT_ERRNO"), is_trace = !strcmp(name, "SCMP_ACT_TRACE");

	if (LOOK_UP(actions, name, out) < 0)
		return err_set(e, -EINVAL, "linux.seccomp: action \"%s\" is not supported", name);
	if (number->set && !is_errno && !is_trace)
		return err_set(e, -EINVAL, "linux.seccomp: errnoRet does not go with \"%s\"", name);
	if (number->set && (number->value < 0 || number->value > 0xffff))
		return err_set(e, -EINVAL, "linux.seccomp: errnoRet %lld is out of range",
			       (long long)number->value);
	if (is_errno || is_trace)
		*out |= (uint32_t)(number->set ? number->value : EPERM);
	return 0;
}

static int add_architectures(scmp_filter_ctx ctx, const struct string_list *list, struct err *e)
{
	for (size_t i = 0; i < list->count; i++) {
		uint32_t arch;
		int rc = LOOK_UP(architectures, list->items[i], &arch);

		if (rc < 0)
			return err_set(e, rc, "linux.seccomp: architecture \"%s\" is not supported",
				       list->items[i]);
		rc = seccomp_arch_add(ctx, arch);
		if (rc < 0 && rc != -EEXIST)
			return err_code(e, rc, "linux.seccomp: architecture \"%s\"", list->items[i]);
	}
	return 0;
}

static int parse_args(const struct oci_syscall *s, struct scmp_arg_cmp *out, struct err *e)
{
	if (s->args.count > 6)
		return err_set(e, -EINVAL, "linux.seccomp: a system call has six arguments");
	for (size_t i = 0; i < s->args.count; i++) {
		const struct oci_seccomp_arg *a = &s->args.items[i];
		uint32_t op;

		if (a->index < 0 || a->index > 5 || LOOK_UP(operators, a->op, &op) < 0)
			return err_set(e, -EINVAL, "linux.seccomp: bad argument condition for \"%s\"",
				       s->names.count ? s->names.items[0] : "");
		out[i] = (struct scmp_arg_cmp){ .arg = (unsigned int)a->index,
						.op = (enum scmp_compare)op,
						.datum_a = a->value,
						.datum_b = a->valueTwo };
	}
	return 0;
}

/* Several conditions on one argument mean "or" (runc), and libseccomp knows only "and" and one
 * condition per argument, so such a rule becomes one rule for each condition. */
static bool argument_repeats(const struct oci_syscall *s)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < s->args.count; i++) {
		if (seen >> s->args.items[i].index & 1)
			return true;
		seen |= 1u << s->args.items[i].index;
	}
	return false;
}

static int add_rule(scmp_filter_ctx ctx, uint32_t action, int number, size_t count,
		    const struct scmp_arg_cmp *args)
{
	int rc = seccomp_rule_add_array(ctx, action, number, (unsigned int)count, args);

	return rc == -EEXIST ? 0 : rc;
}

static int add_syscall(scmp_filter_ctx ctx, const struct oci_syscall *s, uint32_t default_action,
		       struct err *e)
{
	struct scmp_arg_cmp args[6];
	uint32_t action;
	int rc = parse_action(s->action, &s->errnoRet, &action, e);

	if (!rc)
		rc = parse_args(s, args, e);
	if (!rc && !s->names.count)
		return err_set(e, -EINVAL, "linux.seccomp: a rule of \"%s\" names no system call",
			       s->action);
	if (rc < 0 || action == default_action)
		return rc; /* libseccomp refuses a rule that changes nothing */
	for (size_t i = 0; i < s->names.count; i++) {
		int number = seccomp_syscall_resolve_name(s->names.items[i]);

		/* Profiles list calls of every architecture and of newer kernels. */
		if (number == __NR_SCMP_ERROR)
			continue;
		if (!argument_repeats(s))
			rc = add_rule(ctx, action, number, s->args.count, args);
		for (size_t k = 0; !rc && argument_repeats(s) && k < s->args.count; k++)
			rc = add_rule(ctx, action, number, 1, &args[k]);
		if (rc < 0)
			return err_code(e, rc, "linux.seccomp: rule for \"%s\"", s->names.items[i]);
	}
	return 0;
}

static int export_code(scmp_filter_ctx ctx, struct buf *out, struct err *e)
{
	autoclose int fd = memfd_create("seccomp", MFD_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_sys(e, "compile the seccomp filter");
	rc = seccomp_export_bpf(ctx, fd);
	if (rc < 0)
		return err_code(e, rc, "compile the seccomp filter");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "compile the seccomp filter");
	rc = file_read_fd(fd, PROGRAM_MAX_BYTES, out, e);
	if (rc < 0)
		err_prefix(e, "compile the seccomp filter");
	return rc;
}

/* The listener goes to the runtime by this call of the process that is behind the filter. */
#define HAND_OVER_CALL "sendmsg"

static int check_notify(const struct oci_seccomp *p, struct filter *out, struct err *e)
{
	if (p->listenerMetadata && !p->listenerPath)
		return err_set(e, -EINVAL, "linux.seccomp: listenerMetadata needs a listenerPath");
	if (!strcmp(p->defaultAction, "SCMP_ACT_NOTIFY"))
		return err_set(e, -EINVAL,
			       "linux.seccomp: SCMP_ACT_NOTIFY cannot be the default action");
	for (size_t i = 0; i < p->syscalls.count; i++) {
		const struct oci_syscall *s = &p->syscalls.items[i];

		if (strcmp(s->action, "SCMP_ACT_NOTIFY") != 0)
			continue;
		out->flags |= FILTER_NOTIFIES;
		if (string_list_has(&s->names, HAND_OVER_CALL))
			return err_set(e, -EINVAL,
				       "linux.seccomp: SCMP_ACT_NOTIFY cannot be used for \"%s\", by "
				       "which the listener is handed over", HAND_OVER_CALL);
	}
	return 0;
}

static int build(scmp_filter_ctx ctx, const struct oci_seccomp *p, uint32_t default_action,
		 struct filter *out, struct err *e)
{
	int rc = add_architectures(ctx, &p->architectures, e);

	for (size_t i = 0; !rc && i < p->flags.count; i++) {
		uint32_t flag;

		rc = LOOK_UP(flag_names, p->flags.items[i], &flag);
		if (rc < 0)
			return err_set(e, rc, "linux.seccomp: flag \"%s\" is not supported",
				       p->flags.items[i]);
		out->flags |= flag;
	}
	/* A binary tree over the numbers, from libseccomp 2.5 on. */
	if (!rc)
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; !rc && i < p->syscalls.count; i++)
		rc = add_syscall(ctx, &p->syscalls.items[i], default_action, e);
	return rc < 0 ? rc : export_code(ctx, &out->code, e);
}

uint32_t filter_compiler(void)
{
	const struct scmp_version *v = seccomp_version();

	return v->major << 16 | v->minor << 8 | v->micro;
}

int filter_compile(yyjson_val *profile, struct filter *out, struct err *e)
{
	autoseccomp struct oci_seccomp p = { 0 };
	scmp_filter_ctx ctx;
	uint32_t action;
	int rc = oci_seccomp_read(profile, &p, e);

	if (!rc)
		rc = check_notify(&p, out, e);
	if (!rc)
		rc = parse_action(p.defaultAction, &p.defaultErrnoRet, &action, e);
	if (rc < 0)
		return rc;
	ctx = seccomp_init(action);
	if (!ctx)
		return err_set(e, -ENOMEM, "linux.seccomp: cannot make a filter");
	rc = build(ctx, &p, action, out, e);
	seccomp_release(ctx);
	if (rc < 0)
		buf_free(&out->code);
	return rc;
}
