/* GET /_ping, /version, /info. */
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/json.h"
#include "api/request.h"
#include "base/clock.h"
#include "base/file.h"
#include "engine/version.h"

void handle_ping(struct request *r)
{
	static const char *const headers[][2] = {
		{ "Builder-Version", "1" },
		{ "Cache-Control", "no-cache, no-store, must-revalidate" },
		{ "Content-Type", "text/plain; charset=utf-8" },
		{ "Pragma", "no-cache" },
		{ "Swarm", "inactive" },
	};
	struct buf text = { 0 };

	/* libmicrohttpd leaves the body of a HEAD away by itself. */
	buf_adds(&text, "OK");
	reply_json(r, MHD_HTTP_OK, &text);
	MHD_del_response_header(r->response, "Content-Type", "application/json");
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(r->response, headers[i][0], headers[i][1]);
}

static const char *architecture(const char *machine, bool go)
{
	static const struct { const char *kernel, *go; } table[] = {
		{ "x86_64", "amd64" },
		{ "aarch64", "arm64" },
	};

	for (size_t i = 0; go && i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].kernel, machine))
			return table[i].go;
	return machine;
}

static void add_versions(struct buf *b, const struct utsname *u)
{
	json_string(b, "ApiVersion", "1.51");
	json_string(b, "MinAPIVersion", "1.24");
	json_string(b, "GitCommit", "");
	json_string(b, "GoVersion", "none");
	json_string(b, "Os", "linux");
	json_string(b, "Arch", architecture(u->machine, true));
	json_string(b, "KernelVersion", u->release);
	json_string(b, "BuildTime", "");
}

void handle_version(struct request *r)
{
	struct buf json = { 0 };
	struct utsname u = { 0 };

	uname(&u);
	json_open(&json, NULL, '{');
	json_raw(&json, "Platform", "{\"Name\":\"Berth\"}");
	json_open(&json, "Components", '[');
	json_open(&json, NULL, '{');
	json_string(&json, "Name", "Engine");
	json_string(&json, "Version", BERTH_VERSION);
	json_open(&json, "Details", '{');
	json_string(&json, "ApiVersion", "1.51");
	json_string(&json, "MinAPIVersion", "1.24");
	json_string(&json, "Os", "linux");
	json_string(&json, "Arch", architecture(u.machine, true));
	json_string(&json, "KernelVersion", u.release);
	json_string(&json, "Experimental", "false");
	json_string(&json, "GitCommit", "");
	json_string(&json, "GoVersion", "none");
	json_string(&json, "BuildTime", "");
	json_close(&json, '}');
	json_close(&json, '}');
	json_close(&json, ']');
	json_string(&json, "Version", BERTH_VERSION);
	add_versions(&json, &u);
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}

static void add_counts(struct buf *b, const struct engine *en)
{
	int64_t running = 0, paused = 0;

	for (size_t i = 0; i < en->count; i++) {
		enum container_state s = en->containers[i]->state;

		running += s == STATE_RUNNING || s == STATE_STOPPING;
		paused += s == STATE_PAUSED;
	}
	json_int(b, "Containers", (int64_t)en->count);
	json_int(b, "ContainersRunning", running);
	json_int(b, "ContainersPaused", paused);
	json_int(b, "ContainersStopped", (int64_t)en->count - running - paused);
	json_int(b, "Images", (int64_t)store_count(en->store));
}

static bool forwarding(void)
{
	struct buf text = { 0 };
	bool on = !file_read_at(AT_FDCWD, "/proc/sys/net/ipv4/ip_forward", 16, &text, NULL) &&
		  *buf_text(&text) == '1';

	buf_free(&text);
	return on;
}

static void add_fixed(struct buf *b)
{
	static const char *const yes[] = {
		"MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet",
		"PidsLimit",
	};
	static const char *const no[] = { "KernelMemoryTCP", "OomKillDisable", "Debug" };

	json_string(b, "Driver", "overlay2");
	json_raw(b, "DriverStatus", "[[\"Backing Filesystem\",\"extfs\"],[\"userxattr\",\"false\"]]");
	json_raw(b, "Plugins",
		 "{\"Volume\":[\"local\"],\"Network\":[\"bridge\",\"host\",\"null\"],"
		 "\"Authorization\":null,\"Log\":[\"json-file\",\"local\",\"none\",\"syslog\"]}");
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		json_bool(b, yes[i], true);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		json_bool(b, no[i], false);
	json_bool(b, "IPv4Forwarding", forwarding());
	json_string(b, "LoggingDriver", "json-file");
	json_string(b, "CgroupDriver", "cgroupfs");
	json_string(b, "CgroupVersion", "2");
}

static void add_machine(struct buf *b, const struct engine *en)
{
	struct utsname u = { 0 };

	uname(&u);
	json_string(b, "ID", en->boot_id);
	json_time(b, "SystemTime", clock_wall_ns());
	json_int(b, "NEventsListener", (int64_t)events_listeners(en->events));
	json_string(b, "KernelVersion", u.release);
	json_string(b, "OperatingSystem", "Berth " BERTH_VERSION);
	json_string(b, "OSVersion", BERTH_VERSION);
	json_string(b, "OSType", "linux");
	json_string(b, "Architecture", u.machine);
	json_string(b, "IndexServerAddress", "https://index.docker.io/v1/");
	json_raw(b, "RegistryConfig",
		 "{\"IndexConfigs\":{},\"InsecureRegistryCIDRs\":[],\"Mirrors\":null}");
	json_int(b, "NCPU", sysconf(_SC_NPROCESSORS_ONLN));
	json_int(b, "MemTotal", memory_bytes("MemTotal"));
	json_raw(b, "GenericResources", "null");
	json_string(b, "DockerRootDir", en->paths.data);
	json_string(b, "HttpProxy", "");
	json_string(b, "HttpsProxy", "");
	json_string(b, "NoProxy", "");
	json_string(b, "Name", u.nodename);
	json_raw(b, "Labels", "[]");
	json_bool(b, "ExperimentalBuild", false);
	json_string(b, "ServerVersion", BERTH_VERSION);
}

void handle_info(struct request *r)
{
	const struct engine *en = r->engine;
	struct buf json = { 0 };

	json_open(&json, NULL, '{');
	add_counts(&json, en);
	add_fixed(&json);
	add_machine(&json, en);
	json_raw(&json, "Runtimes", "{\"berth-oci\":{\"path\":\"berth-oci\"}}");
	json_string(&json, "DefaultRuntime", "berth-oci");
	json_raw(&json, "Swarm",
		 "{\"NodeID\":\"\",\"NodeAddr\":\"\",\"LocalNodeState\":\"inactive\","
		 "\"ControlAvailable\":false,\"Error\":\"\",\"RemoteManagers\":null}");
	json_bool(&json, "LiveRestoreEnabled", true);
	json_string(&json, "Isolation", "");
	json_string(&json, "InitBinary", "");
	json_raw(&json, "ContainerdCommit", "{\"ID\":\"\"}");
	json_raw(&json, "RuncCommit", "{\"ID\":\"\"}");
	json_raw(&json, "InitCommit", "{\"ID\":\"\"}");
	json_raw(&json, "SecurityOptions",
		 "[\"name=seccomp,profile=builtin\",\"name=userns\",\"name=cgroupns\"]");
	json_open(&json, "Warnings", '[');
	if (en->state_unsaved)
		json_string(&json, NULL, en->state_fault.text);
	json_close(&json, ']');
	json_close(&json, '}');
	buf_addc(&json, '\n');
	reply_json(r, MHD_HTTP_OK, &json);
}
