#include "net/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { TABLE_MAX = 1 << 20, TCP_LISTEN_STATE = 10 };

unsigned long socket_inode(const char *table, bool udp, uint16_t port)
{
	for (const char *line = strchr(table, '\n'); line; line = strchr(line, '\n')) {
		unsigned int local, state;
		unsigned long inode;

		line++;
		/* sl local:port remote:port state queues timers retries uid timeout inode */
		if (sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu",
			   &local, &state, &inode) != 3)
			continue;
		if (local == port && (udp || state == TCP_LISTEN_STATE))
			return inode;
	}
	return 0;
}

static bool process_holds(const char *pid, const char *target)
{
	char path[64];
	autodir DIR *fds = NULL;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	fds = opendir(path);
	while (fds && (entry = readdir(fds))) {
		char link[64];
		ssize_t n = readlinkat(dirfd(fds), entry->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		if (!strcmp(link, target))
			return true;
	}
	return false;
}

static int name_process(const char *pid, char out[HOLDER_TEXT_MAX])
{
	char path[64];
	autobuf struct buf comm = { 0 };

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	if (file_read_at(AT_FDCWD, path, 256, &comm, NULL) < 0 || !comm.len)
		return -ENOENT;
	snprintf(out, HOLDER_TEXT_MAX, "\"%.*s\" (pid %.20s)", (int)comm.len - 1, comm.data, pid);
	return 0;
}

int port_holder(bool udp, uint16_t port, char out[HOLDER_TEXT_MAX])
{
	static const char *const tables[2][2] = {
		{ "/proc/net/tcp", "/proc/net/tcp6" },
		{ "/proc/net/udp", "/proc/net/udp6" },
	};
	unsigned long inode = 0;
	char target[48];
	autodir DIR *proc = opendir("/proc");
	struct dirent *entry;

	for (int i = 0; i < 2 && !inode; i++) {
		autobuf struct buf text = { 0 };

		if (!file_read_at(AT_FDCWD, tables[udp][i], TABLE_MAX, &text, NULL))
			inode = socket_inode(buf_text(&text), udp, port);
	}
	if (!inode || !proc)
		return -ENOENT;
	snprintf(target, sizeof(target), "socket:[%lu]", inode);
	while ((entry = readdir(proc)))
		if (*entry->d_name >= '1' && *entry->d_name <= '9' &&
		    process_holds(entry->d_name, target))
			return name_process(entry->d_name, out);
	return -ENOENT;
}
