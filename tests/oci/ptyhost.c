/* Test tool: terminals.
 *   ptyhost SOCKET            the other side of a console socket: takes one terminal and copies what
 *                             it says to standard output until it is closed
 *   ptyhost --pidfd SOCKET    the same for a pidfd: prints which process it is
 *   ptyhost --run PROGRAM...  runs it at a terminal of 20 rows and 70 columns; types "q" and makes
 *                             that 30 and 90 when it has said "ready" */
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int run(char **argv)
{
	struct winsize size = { .ws_row = 20, .ws_col = 70 };
	char text[8192] = "";
	size_t len = 0;
	int terminal;
	pid_t pid = forkpty(&terminal, NULL, NULL, &size);
	ssize_t n;

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	while (len < sizeof(text) - 1 && (n = read(terminal, text + len, sizeof(text) - 1 - len)) > 0) {
		len += (size_t)n;
		text[len] = '\0';
		if (size.ws_row == 30 || !strstr(text, "ready"))
			continue;
		size = (struct winsize){ .ws_row = 30, .ws_col = 90 };
		if (ioctl(terminal, TIOCSWINSZ, &size) < 0 || write(terminal, "q", 1) != 1)
			return 1;
	}
	return fputs(text, stdout) < 0;
}

/* The number that the kernel gives for a pidfd. */
static int show_pid(int pidfd)
{
	char path[64], line[128];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pid: %d", &pid) == 1)
			return printf("%d", pid) < 0;
	return 1;
}

int main(int argc, char **argv)
{
	int wants_pid = argc == 3 && !strcmp(argv[1], "--pidfd");
	if (argc > 2 && !strcmp(argv[1], "--run"))
		return run(argv + 2);

	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), connection, terminal = -1;
	char data[512], control[64];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n;

	argc -= wants_pid;
	argv += wants_pid;
	if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
		return 2;
	strcpy(address.sun_path, argv[1]);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 1) < 0 || (connection = accept(listener, NULL, NULL)) < 0 ||
	    recvmsg(connection, &m, 0) < 0 || !CMSG_FIRSTHDR(&m))
		return 1;
	memcpy(&terminal, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(terminal));
	if (wants_pid)
		return show_pid(terminal);
	while ((n = read(terminal, data, sizeof(data))) > 0)
		if (write(1, data, (size_t)n) != n)
			return 1;
	return 0;
}
