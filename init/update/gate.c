#include "update/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { SSH_PORT = 22, SSH_WAIT_S = 5 };

static int check_data(struct gate_input *in, struct err *e)
{
	/* What was before is written down on that very partition: nothing known is a reason, too. */
	return in->before->known && !in->before->data ? 0 : facts_data(e);
}

int gate_network(const struct before *before, const struct before *now, bool config,
		 struct err *e)
{
	/* Two cards that became one bond are one link; none is a machine that is cut off. */
	unsigned wanted = config && before->links ? 1 : before->links;
	const char *since = config ? "the new configuration" : "the update";

	if (now->links < wanted)
		return err_set(e, -EAGAIN, "%u links have an address, before %s %u had one", now->links,
			       since, before->links);
	if (before->route && !now->route)
		return err_set(e, -EAGAIN, "there is no default route, before %s there was one", since);
	/* An address of another network looks well from inside, and nobody gets in. */
	if ((before->router4 && !now->router4) || (before->router6 && !now->router6))
		return err_set(e, -EAGAIN, "no router answers over %s, before %s one did",
			       before->router4 && !now->router4 ? "IPv4" : "IPv6", since);
	return 0;
}

static int check_network(struct gate_input *in, struct err *e)
{
	struct before now;

	if (!in->before->known)
		return 0;
	facts_host(&now);
	return gate_network(in->before, &now, in->config, e);
}

/* RFC 4253, 4.2: the server says its version first. */
static int check_ssh(struct gate_input *in, struct err *e)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(SSH_PORT),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval wait = { .tv_sec = SSH_WAIT_S };
	autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char said[4];

	(void)in;
	if (fd < 0)
		return err_sys(e, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return err_sys(e, "SSH does not answer");
	if (recv(fd, said, sizeof(said), MSG_WAITALL) != sizeof(said) || memcmp(said, "SSH-", 4) != 0)
		return err_set(e, -EAGAIN, "SSH does not say its version");
	return 0;
}

static int check_services(struct gate_input *in, struct err *e)
{
	uint64_t restarts = 0;
	int rc = facts_services(&restarts, e);

	in->incarnation += restarts;
	return rc;
}

static bool was_healthy(const struct before *b, const char *name)
{
	for (unsigned i = 0; i < b->healthy_count; i++)
		if (!strcmp(b->healthy[i], name))
			return true;
	return !b->known;
}

/* A container that was broken before the update is not the update's fault. */
static int check_containers(struct gate_input *in, struct err *e)
{
	/* What a configuration does to containers can be seen and mended over the network. */
	for (unsigned i = 0; in->version && i < in->settings->critical_count; i++) {
		const char *name = in->settings->critical[i];
		uint64_t since = 0;
		int rc;

		if (!was_healthy(in->before, name))
			continue;
		rc = facts_container(name, &since, e);
		if (rc < 0)
			return rc;
		in->incarnation += since;
	}
	return 0;
}

static const struct gate_check checks[] = {
	{ "data", check_data },         { "network", check_network },
	{ "ssh", check_ssh },           { "services", check_services },
	{ "containers", check_containers },
};

_Static_assert(ARRAY_LEN(checks) <= GATE_CHECKS_MAX, "a look has room for all checks");

const struct gate_check *gate_checks(size_t *count)
{
	*count = ARRAY_LEN(checks);
	return checks;
}

bool gate_look(struct gate_input *in, struct gate_look *out)
{
	bool all = true;

	in->incarnation = 0;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		struct err why = { "" };

		out->ok[i] = checks[i].run(in, &why) == 0;
		snprintf(out->why[i], sizeof(out->why[i]), "%.*s", REASON_MAX - 1, why.text);
		all &= out->ok[i];
	}
	out->incarnation = in->incarnation;
	return all;
}

void gate_begin(struct gate *g, const struct settings *s, int64_t now_ms)
{
	*g = (struct gate){ .hold_ms = s->hold_ms, .limit_ms = s->limit_ms, .begun_ms = now_ms,
			    .since_ms = -1 };
}

enum gate_verdict gate_step(struct gate *g, bool holds, uint64_t incarnation, int64_t now_ms)
{
	bool late = now_ms - g->begun_ms >= g->limit_ms;

	if (!holds) {
		g->since_ms = -1;
		return late ? GATE_FAIL : GATE_WAIT;
	}
	if (g->since_ms < 0 || incarnation != g->incarnation) {
		if (late)
			return GATE_FAIL;
		g->since_ms = now_ms;
		g->incarnation = incarnation;
	}
	return now_ms - g->since_ms >= g->hold_ms ? GATE_PASS : GATE_WAIT;
}
