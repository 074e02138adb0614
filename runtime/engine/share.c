#include "engine/share.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/internal.h"

static bool is_host(const char *mode)
{
	return mode && !strcmp(mode, "host");
}

/* A privileged container is to act on the host, which a user namespace of its own forbids; and of
 * the host's processes and queues only who is in its user namespace may mount the file systems. */
static bool has_userns(const struct container *c)
{
	return !c->spec.privileged && !is_host(c->spec.userns_mode) && !is_host(c->spec.pid) &&
	       !is_host(c->spec.ipc);
}

static const struct container *owner_of(const struct container *c)
{
	return c->pid_owner ? c->pid_owner : c->net_owner ? c->net_owner : c;
}

const struct container *share_userns(const struct container *c)
{
	const struct container *owner = owner_of(c);

	return has_userns(owner) ? owner : NULL;
}

uint32_t share_userns_base(const struct container *c)
{
	return (uint32_t)USERNS_SIZE * (uint32_t)(share_userns(c)->userns + 1);
}

static const char *other_name(const char *mode)
{
	return mode && !strncmp(mode, "container:", 10) ? mode + 10 : NULL;
}

/* It runs, and is not itself a guest of another, whose end would be ours. */
static int find_owner(struct container *c, const char *mode, const char *kind,
		      const struct container **out, struct err *e)
{
	const char *name = other_name(mode);
	struct container *owner;
	int rc;

	*out = NULL;
	if (!name)
		return 0;
	rc = engine_find(c->engine, name, &owner, e);
	if (rc < 0)
		return rc;
	if (owner == c || (owner->spec.pid && *owner->spec.pid) || other_name(owner->spec.network_mode))
		return err_set(e, -EINVAL, "cannot join the %s of \"%s\": it has none of its own",
			       !strcmp(kind, "PID") ? "processes" : "network", owner->name);
	if (owner->state != STATE_RUNNING || owner->pid <= 0)
		return err_set(e, -EBUSY, "cannot join %s of a non running container: %s", kind, owner->id);
	*out = owner;
	return 0;
}

int share_find_owners(struct container *c, struct err *e)
{
	int rc = find_owner(c, c->spec.pid, "PID", &c->pid_owner, e);

	if (!rc)
		rc = find_owner(c, c->spec.network_mode, "network namespace", &c->net_owner, e);
	if (!rc && c->pid_owner && c->net_owner && c->pid_owner != c->net_owner)
		rc = err_set(e, -EINVAL, "cannot share the processes of \"%s\" and the network of \"%s\": "
			     "they have different users", c->pid_owner->name, c->net_owner->name);
	return rc;
}

void share_namespaces(const struct container *c, struct share_names *out)
{
	const struct {
		const struct container *owner;
		const char *file;
		char *path;
	} rows[] = {
		{ c->pid_owner, "pid", out->pid },
		{ c->net_owner, "net", out->net },
		{ owner_of(c) != c ? share_userns(c) : NULL, "user", out->user },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		rows[i].path[0] = '\0';
		if (rows[i].owner)
			snprintf(rows[i].path, sizeof(out->pid), "/proc/%d/ns/%s", rows[i].owner->pid,
				 rows[i].file);
	}
}
