/* The engine: keeps the machine's containers as the configuration and the API want them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "base/log.h"
#include "engine/engine.h"

static void on_term(struct loop *l, int sig, void *arg)
{
	(void)l;
	(void)sig;
	log_info("stopping all containers");
	engine_shutdown(arg);
}

static void on_hangup(struct loop *l, int sig, void *arg)
{
	(void)l;
	(void)sig;
	log_info("the configuration is read again");
	engine_reload(arg);
}

/* fd 3 is PID 1's pipe for readiness, if it gave one. */
static void report_ready(void)
{
	if (fcntl(3, F_GETFD) < 0)
		return;
	if (write(3, "\n", 1) == 1)
		close(3);
}

int main(int argc, char **argv)
{
	static struct engine engine;
	struct api *api = NULL;
	struct err e = { 0 };
	bool ready_pipe = fcntl(3, F_GETFD) >= 0;
	int rc;

	log_name("engine");
	signal(SIGPIPE, SIG_IGN);
	if (ready_pipe)
		fcntl(3, F_SETFD, FD_CLOEXEC);
	rc = engine_init(&engine, argc, argv, &e);
	if (!rc && (!loop_signal(engine.loop, SIGTERM, on_term, &engine) ||
		    !loop_signal(engine.loop, SIGINT, on_term, &engine) ||
		    !loop_signal(engine.loop, SIGHUP, on_hangup, &engine)))
		rc = err_set(&e, -ENOMEM, "signals: out of memory");
	if (rc < 0) {
		log_error("%s", e.text);
		return 1;
	}
	/* Containers first: the API is for people, who are slower. */
	engine_boot(&engine);
	rc = api_open(&api, &engine, &e);
	if (rc < 0)
		log_error("no API: %s", e.text);
	if (ready_pipe)
		report_ready();
	rc = loop_run(engine.loop);
	api_close(api);
	engine_free(&engine);
	return rc < 0;
}
