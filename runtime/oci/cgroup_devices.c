/* Device control of cgroup v2: a BPF program that looks at type, access, major and minor.
 * Source: bpf(2), linux/bpf.h struct bpf_cgroup_dev_ctx. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/cgroup.h"
#include "oci/sys.h"

enum {
	TYPE = BPF_REG_2,
	ACCESS = BPF_REG_3,
	MAJOR = BPF_REG_4,
	MINOR = BPF_REG_5,
	WANTED = BPF_REG_6, /* scratch */
	PER_RULE = 8,	    /* instructions at most */
	RULES_MAX = 1024,
	ANY_NUMBER = -1,
};

struct rule {
	bool allow;
	char type; /* 'a', 'b', 'c' */
	int32_t access;
	int64_t major, minor;
};

/* What every container may use, after the configuration's rules (runtime-spec, "Default Devices",
 * and the terminals that go with /dev/pts). */
static const struct rule always[] = {
#define RWM (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD)
	{ true, 'c', BPF_DEVCG_ACC_MKNOD, ANY_NUMBER, ANY_NUMBER },
	{ true, 'b', BPF_DEVCG_ACC_MKNOD, ANY_NUMBER, ANY_NUMBER },
	{ true, 'c', RWM, 1, 3 }, /* null */
	{ true, 'c', RWM, 1, 5 }, /* zero */
	{ true, 'c', RWM, 1, 7 }, /* full */
	{ true, 'c', RWM, 1, 8 }, /* random */
	{ true, 'c', RWM, 1, 9 }, /* urandom */
	{ true, 'c', RWM, 5, 0 }, /* tty */
	{ true, 'c', RWM, 5, 2 }, /* ptmx */
	{ true, 'c', RWM, 136, ANY_NUMBER },
};

struct program {
	struct bpf_insn *code;
	size_t count;
};

static void emit(struct program *p, uint8_t op, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	p->code[p->count++] = (struct bpf_insn){
		.code = op, .dst_reg = dst & 15, .src_reg = src & 15, .off = off, .imm = imm,
	};
}

/* Jumps over what is left of the rule; the distance is set by finish(). */
static void skip_unless_equal(struct program *p, uint8_t reg, int32_t value)
{
	emit(p, BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, value);
}

static void emit_rule(struct program *p, const struct rule *r)
{
	size_t first = p->count;

	if (r->type != 'a')
		skip_unless_equal(p, TYPE, r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (r->access != RWM) {
		/* An allowing rule must cover all that is wanted, a denying one any of it. */
		emit(p, BPF_ALU64 | BPF_MOV | BPF_X, WANTED, ACCESS, 0, 0);
		emit(p, BPF_ALU64 | BPF_AND | BPF_K, WANTED, 0, 0,
		     r->allow ? ~r->access & RWM : r->access);
		emit(p, BPF_JMP | (r->allow ? BPF_JNE : BPF_JEQ) | BPF_K, WANTED, 0, 0, 0);
	}
	if (r->major != ANY_NUMBER)
		skip_unless_equal(p, MAJOR, (int32_t)r->major);
	if (r->minor != ANY_NUMBER)
		skip_unless_equal(p, MINOR, (int32_t)r->minor);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, r->allow);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (size_t i = first; i < p->count; i++)
		if (BPF_CLASS(p->code[i].code) == BPF_JMP && BPF_OP(p->code[i].code) != BPF_EXIT)
			p->code[i].off = (int16_t)(p->count - i - 1);
}

static void emit_head(struct program *p)
{
	/* access_type: access in the upper half, type in the lower. */
	emit(p, BPF_LDX | BPF_W | BPF_MEM, TYPE, BPF_REG_1, 0, 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, ACCESS, TYPE, 0, 0);
	emit(p, BPF_ALU64 | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
	emit(p, BPF_ALU64 | BPF_RSH | BPF_K, ACCESS, 0, 0, 16);
	emit(p, BPF_LDX | BPF_W | BPF_MEM, MAJOR, BPF_REG_1, 4, 0);
	emit(p, BPF_LDX | BPF_W | BPF_MEM, MINOR, BPF_REG_1, 8, 0);
}

static int parse_access(const char *text, int32_t *out)
{
	*out = text && text[0] ? 0 : RWM;
	for (; text && *text; text++) {
		if (*text == 'r')
			*out |= BPF_DEVCG_ACC_READ;
		else if (*text == 'w')
			*out |= BPF_DEVCG_ACC_WRITE;
		else if (*text == 'm')
			*out |= BPF_DEVCG_ACC_MKNOD;
		else
			return -EINVAL;
	}
	return 0;
}

/* -1 is the wildcard of clients that cannot leave a number out. */
static int parse_number(const struct opt_int *n, int64_t *out)
{
	*out = n->set ? n->value : ANY_NUMBER;
	return *out < ANY_NUMBER || *out > INT32_MAX ? -EINVAL : 0;
}

static int parse_rule(const struct oci_device_rule *from, struct rule *out)
{
	const char *type = from->type && from->type[0] ? from->type : "a";

	out->allow = from->allow;
	out->type = type[0] == 'u' ? 'c' : type[0];
	if (type[1] || !strchr("abc", out->type) || parse_number(&from->major, &out->major) < 0 ||
	    parse_number(&from->minor, &out->minor) < 0)
		return -EINVAL;
	return parse_access(from->access, &out->access);
}

/* Programs that are attached already. */
struct old {
	uint32_t ids[8];
	uint32_t count;
};

static void find_old(int cgroup, struct old *out)
{
	union bpf_attr query = { .query = { .target_fd = (uint32_t)cgroup,
					    .attach_type = BPF_CGROUP_DEVICE,
					    .prog_cnt = ARRAY_LEN(out->ids),
					    .prog_ids = (uintptr_t)out->ids } };

	out->count = sys_bpf(BPF_PROG_QUERY, &query) < 0 ? 0 : query.query.prog_cnt;
}

static void detach_old(int cgroup, const struct old *old)
{
	for (uint32_t i = 0; i < old->count; i++) {
		union bpf_attr get = { .prog_id = old->ids[i] };
		autoclose int fd = sys_bpf(BPF_PROG_GET_FD_BY_ID, &get);
		union bpf_attr detach = { .target_fd = (uint32_t)cgroup,
					  .attach_bpf_fd = (uint32_t)fd,
					  .attach_type = BPF_CGROUP_DEVICE };

		if (fd >= 0)
			sys_bpf(BPF_PROG_DETACH, &detach);
	}
}

static int attach(int cgroup, const struct program *p)
{
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)p->code,
		.insn_cnt = (uint32_t)p->count,
		.license = (uintptr_t) "MIT",
	};
	autoclose int fd = sys_bpf(BPF_PROG_LOAD, &load);
	union bpf_attr bind = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};
	struct old old;

	if (fd < 0)
		return -errno;
	/* First the new one and then away with the old, so that there is no moment without. */
	find_old(cgroup, &old);
	if (sys_bpf(BPF_PROG_ATTACH, &bind) < 0)
		return -errno;
	detach_old(cgroup, &old);
	return 0;
}

int cgroup_devices(int cgroup, const struct oci_device_rule_list *rules, struct err *e)
{
	autofree struct bpf_insn *code = NULL;
	struct program p = { 0 };
	bool decided = false;
	int rc;

	if (rules->count > RULES_MAX)
		return err_set(e, -E2BIG, "linux.resources.devices: more than %d rules", RULES_MAX);
	code = calloc(8 + (rules->count + ARRAY_LEN(always)) * PER_RULE, sizeof(*code));
	if (!code)
		return err_set(e, -ENOMEM, "out of memory");
	p.code = code;
	emit_head(&p);
	/* The last rule that matches decides, so the program asks the last one first. */
	for (size_t i = ARRAY_LEN(always); i-- > 0;)
		emit_rule(&p, &always[i]);
	for (size_t i = rules->count; i-- > 0 && !decided;) {
		struct rule r;

		if (parse_rule(&rules->items[i], &r) < 0)
			return err_set(e, -EINVAL, "linux.resources.devices[%zu]: type is a, b or c, "
						   "access is of \"rwm\"", i);
		emit_rule(&p, &r);
		/* What stands before a rule for everything is dead code, which the verifier refuses. */
		decided = r.type == 'a' && r.access == RWM && r.major == ANY_NUMBER &&
			  r.minor == ANY_NUMBER;
	}
	if (!decided) {
		emit(&p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
		emit(&p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	}
	rc = attach(cgroup, &p);
	return rc < 0 ? err_code(e, rc, "limit the container's devices") : 0;
}
