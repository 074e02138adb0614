#include "api/api.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/request.h"
#include "base/cleanup.h"
#include "base/log.h"

enum {
	CONNECTIONS_MOST = 256,
	CONNECTION_BYTES = 16 * 1024, /* headers and the address line have to fit */
	IDLE_SECONDS = 120,
	BODY_MAX = 4 << 20,
	BACKLOG = 128,
};

struct api {
	struct engine *engine;
	struct MHD_Daemon *daemon;
	struct loop_source *source, *timer;
	int listener;
};

#define NO_SWARM "This node is not a swarm manager. Berth has no swarm."

static const struct route routes[] = {
	{ "GET", "/_ping", handle_ping, NULL },
	{ "GET", "/version", handle_version, NULL },
	{ "GET", "/info", handle_info, NULL },
	{ "GET", "/events", handle_events, NULL },
	{ "GET", "/system/df", handle_df, NULL },
	{ "POST", "/build/prune", handle_build_prune, NULL },
	{ "GET", "/containers/json", handle_containers, NULL },
	{ "GET", "/containers/{}/json", handle_container, NULL },
	{ "GET", "/containers/{}/logs", handle_logs, NULL },
	{ "GET", "/containers/{}/top", handle_top, NULL },
	{ "POST", "/containers/create", handle_create, NULL },
	{ "POST", "/containers/{}/start", handle_start, NULL },
	{ "POST", "/containers/{}/attach", handle_attach, NULL },
	{ "POST", "/containers/{}/resize", handle_resize, NULL },
	{ "POST", "/containers/{}/exec", handle_exec_create, NULL },
	{ "POST", "/exec/{}/start", handle_exec_start, NULL },
	{ "POST", "/exec/{}/resize", handle_exec_resize, NULL },
	{ "GET", "/exec/{}/json", handle_exec, NULL },
	{ "POST", "/containers/{}/stop", handle_stop, NULL },
	{ "POST", "/containers/{}/restart", handle_restart, NULL },
	{ "POST", "/containers/{}/kill", handle_kill, NULL },
	{ "POST", "/containers/{}/wait", handle_wait, NULL },
	{ "POST", "/containers/prune", handle_prune, NULL },
	{ "POST", "/containers/{}/update", handle_update, NULL },
	{ "GET", "/containers/{}/stats", handle_stats, NULL },
	{ "POST", "/containers/{}/pause", handle_pause, NULL },
	{ "POST", "/containers/{}/unpause", handle_unpause, NULL },
	{ "POST", "/containers/{}/rename", handle_rename, NULL },
	{ "HEAD", "/containers/{}/archive", handle_archive_stat, NULL },
	{ "GET", "/containers/{}/archive", handle_archive_get, NULL },
	{ "GET", "/containers/{}/export", handle_export, NULL },
	{ "GET", "/containers/{}/changes", handle_changes, NULL },
	{ "DELETE", "/containers/{}", handle_remove, NULL },
	{ "GET", "/images/json", handle_images, NULL },
	{ "POST", "/auth", handle_auth, NULL },
	{ "GET", "/images/search", handle_search, NULL },
	{ "POST", "/commit", handle_commit, NULL },
	{ "GET", "/images/get", handle_images_get, NULL },
	{ "GET", "/images/{*}/get", handle_image_get, NULL },
	{ "POST", "/images/{*}/push", handle_image_push, NULL },
	{ "POST", "/images/{*}/tag", handle_image_tag, NULL },
	{ "POST", "/images/prune", handle_images_prune, NULL },
	{ "DELETE", "/images/{*}", handle_image_remove, NULL },
	{ "GET", "/images/{*}/history", handle_history, NULL },
	{ "GET", "/images/{*}/json", handle_image, NULL },
	{ "GET", "/volumes", handle_volumes, NULL },
	{ "POST", "/volumes/create", handle_volume_create, NULL },
	{ "POST", "/volumes/prune", handle_volumes_prune, NULL },
	{ "GET", "/volumes/{}", handle_volume, NULL },
	{ "DELETE", "/volumes/{}", handle_volume_remove, NULL },
	{ "GET", "/networks", handle_networks, NULL },
	{ "POST", "/networks/create", handle_network_create, NULL },
	{ "POST", "/networks/prune", handle_networks_prune, NULL },
	{ "POST", "/networks/{}/connect", handle_network_connect, NULL },
	{ "POST", "/networks/{}/disconnect", handle_network_disconnect, NULL },
	{ "GET", "/networks/{}", handle_network, NULL },
	{ "DELETE", "/networks/{}", handle_network_remove, NULL },
	{ "GET", "/swarm", NULL, NO_SWARM },
	{ "GET", "/nodes", NULL, NO_SWARM },
	{ "GET", "/services", NULL, NO_SWARM },
	{ "GET", "/tasks", NULL, NO_SWARM },
};

/* Their handlers are called when the head has come, and take the body as it does. */
static const struct route streamed_routes[] = {
	{ "PUT", "/containers/{}/archive", handle_archive_put, NULL },
	{ "POST", "/images/create", handle_image_create, NULL },
	{ "POST", "/images/load", handle_images_load, NULL },
};

static void find_route(struct request *r)
{
	bool wrong_method;
	const char *path = r->path;
	int minor = route_version(&path);

	if (minor < 0 || (minor && minor < API_MINOR_LEAST)) {
		reply_error(r, MHD_HTTP_BAD_REQUEST, "client version is too old. Minimum supported API "
			    "version is 1.%d, please upgrade your client to a newer version",
			    API_MINOR_LEAST);
		return;
	}
	if (minor > API_MINOR_MOST) {
		reply_error(r, MHD_HTTP_BAD_REQUEST, "client version 1.%d is too new. Maximum supported "
			    "API version is 1.%d", minor, API_MINOR_MOST);
		return;
	}
	r->minor = minor ? minor : API_MINOR_MOST;
	r->route = route_find(streamed_routes, ARRAY_LEN(streamed_routes), r->method, path, r->param,
			      &wrong_method);
	r->passed_on = r->route != NULL;
	if (!r->route)
		r->route = route_find(routes, ARRAY_LEN(routes), r->method, path, r->param,
				      &wrong_method);
	if (!r->route)
		reply_error(r, MHD_HTTP_NOT_IMPLEMENTED, "%s %s is not supported by this engine",
			    r->method, path);
}

static void dispatch(struct request *r)
{
	r->seen = true;
	if (r->route && r->route->handler)
		r->route->handler(r);
	else if (r->route)
		reply_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", r->route->why);
}

static struct request *request_new(struct api *api, struct MHD_Connection *connection,
				   const char *url, const char *method)
{
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->api = api;
	r->engine = api->engine;
	r->connection = connection;
	r->method = method;
	r->path = strdup(url);
	if (!r->path) {
		free(r);
		return NULL;
	}
	return r;
}

static enum MHD_Result send_answer(struct request *r)
{
	enum MHD_Result result = MHD_queue_response(r->connection, r->status, r->response);

	/* The connection holds its own reference now. */
	MHD_destroy_response(r->response);
	r->response = NULL;
	return result;
}

/* libmicrohttpd sends no answer before all of the body has come: what nobody wants any more is
 * passed over. */
static enum MHD_Result take_body(struct request *r, const char *data, size_t *len)
{
	size_t n = *len;

	if (!r->passed_on) {
		if (r->body.len + *len > BODY_MAX)
			return MHD_NO;
		buf_add(&r->body, data, *len);
	} else if (r->upload.data && !r->response) {
		n = r->upload.data(r, data, *len);
		if (!n)
			request_wait(r);
	}
	*len -= n;
	return buf_ok(&r->body) ? MHD_YES : MHD_NO;
}

static void end_body(struct request *r)
{
	void (*end)(struct request *r) = r->upload.end;

	r->upload.end = NULL;
	if (end && !r->response)
		end(r);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_len, void **state)
{
	struct request *r = *state;

	(void)version;
	if (!r) {
		*state = request_new(arg, connection, url, method);
		return *state ? MHD_YES : MHD_NO;
	}
	if (!r->routed) {
		r->routed = true;
		find_route(r);
	}
	if (!r->seen && (r->passed_on || !*data_len))
		dispatch(r);
	if (*data_len)
		return take_body(r, data, data_len);
	end_body(r);
	return r->response ? send_answer(r) : MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	struct request *r = *state;

	(void)arg;
	(void)connection;
	(void)code;
	if (!r)
		return;
	*state = NULL;
	engine_forget(r->engine, r);
	if (r->stream.end)
		r->stream.end(r);
	loop_remove(r->engine->loop, r->hangup);
	if (r->response)
		MHD_destroy_response(r->response);
	buf_free(&r->body);
	buf_free(&r->streamed);
	free(r->path);
	free(r);
}

/* ---- libmicrohttpd in our loop ---- */

static void run(struct api *api);

static void on_timer(struct loop *l, void *arg)
{
	struct api *api = arg;

	(void)l;
	api->timer = NULL;
	run(api);
}

static void run(struct api *api)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(api->daemon);
	loop_remove(api->engine->loop, api->timer);
	api->timer = NULL;
	if (MHD_get_timeout(api->daemon, &ms) == MHD_YES)
		api->timer = loop_timer(api->engine->loop, (int64_t)ms, on_timer, api);
}

void api_run_soon(struct api *api)
{
	loop_remove(api->engine->loop, api->timer);
	api->timer = loop_timer(api->engine->loop, 0, on_timer, api);
}

static void on_daemon(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)l;
	(void)fd;
	(void)events;
	run(arg);
}

static int listen_on(const char *path, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct group *docker;

	if (fd < 0)
		return err_sys(e, "make a socket");
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(e, -ENAMETOOLONG, "socket path \"%s\" is too long", path);
	strcpy(addr.sun_path, path);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || chmod(path, 0660) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return err_sys(e, "listen on \"%s\"", path);
	/* Its members are as good as root, and the boot configuration says who they are. */
	docker = getgrnam("docker");
	if (docker && chown(path, 0, docker->gr_gid) < 0)
		return err_sys(e, "give \"%s\" to the group docker", path);
	return take_fd(&fd);
}

static int start_daemon(struct api *api, struct err *e)
{
	const union MHD_DaemonInfo *info;

	api->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE,
		0, NULL, NULL, on_request, api,
		MHD_OPTION_LISTEN_SOCKET, api->listener,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MOST,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, api,
		MHD_OPTION_END);
	if (!api->daemon)
		return err_set(e, -EIO, "the HTTP server does not start");
	info = MHD_get_daemon_info(api->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return err_set(e, -EIO, "the HTTP server has no epoll");
	api->source = loop_fd(api->engine->loop, info->epoll_fd, EPOLLIN, on_daemon, api);
	return api->source ? 0 : err_sys(e, "the HTTP server");
}

int api_open(struct api **out, struct engine *engine, struct err *e)
{
	struct api *api = calloc(1, sizeof(*api));
	int rc;

	if (!api)
		return err_set(e, -ENOMEM, "out of memory");
	api->engine = engine;
	api->listener = listen_on(engine->paths.socket, e);
	rc = api->listener < 0 ? api->listener : start_daemon(api, e);
	if (rc < 0) {
		api_close(api);
		return rc;
	}
	/* Whoever has docker's own path in mind finds it; that it cannot be made is no failure. */
	unlink(engine->paths.socket_alias);
	if (symlink(engine->paths.socket, engine->paths.socket_alias) < 0)
		log_warn("no link \"%s\": %s", engine->paths.socket_alias, strerror(errno));
	*out = api;
	return 0;
}

void api_close(struct api *api)
{
	if (!api)
		return;
	loop_remove(api->engine->loop, api->source);
	loop_remove(api->engine->loop, api->timer);
	if (api->daemon)
		MHD_stop_daemon(api->daemon); /* closes the listener */
	else if (api->listener >= 0)
		close(api->listener);
	free(api);
}
