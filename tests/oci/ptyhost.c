/* Test tool: the other side of a console socket. Listens on argv[1], takes one terminal and copies
 * what it says to standard output until it is closed. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), connection, terminal = -1;
	char data[512], control[64];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 2;
	strcpy(address.sun_path, argv[1]);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 1) < 0 || (connection = accept(listener, NULL, NULL)) < 0 ||
	    recvmsg(connection, &m, 0) < 0 || !CMSG_FIRSTHDR(&m))
		return 1;
	memcpy(&terminal, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(terminal));
	while ((n = read(terminal, data, sizeof(data))) > 0)
		if (write(1, data, (size_t)n) != n)
			return 1;
	return 0;
}
