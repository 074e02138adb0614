#include "oci/sync.h"

#include <errno.h>
#include <sys/socket.h>

int sync_send(int fd, const struct sync_message *m)
{
	ssize_t n;

	do
		n = send(fd, m, sizeof(*m), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int sync_receive(int fd, struct sync_message *m)
{
	ssize_t n;

	do
		n = recv(fd, m, sizeof(*m), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n != (ssize_t)sizeof(*m))
		return -EPIPE;
	m->err.text[sizeof(m->err.text) - 1] = '\0';
	return 0;
}
