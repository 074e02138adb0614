#include "pid1/console/menu.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/initctl.h"
#include "base/spawn.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define BERTH "/usr/bin/berth"

enum {
	IDLE_MS = 120 * 1000, /* nobody is there any more: the banner comes back */
	WRONG_PASSWORD_S = 2,
	HASH_MAX = 256,
	ACCOUNTS_MAX = 64 * 1024,
};

static const struct item {
	char key;
	const char *text;
	const char *question;    /* NULL: it does no harm */
	const char *const *argv; /* a program that shows something, or asks by itself ... */
	bool asks;
	const char *request;     /* ... or what PID 1 is asked for */
} items[] = {
	{ '1', "how the machine is", NULL, ARGV(BERTH, "status"), false, NULL },
	{ '2', "its network", NULL,
	  ARGV("/usr/bin/sh", "-c", "ip addr; echo; ip route; echo; cat /etc/resolv.conf"), false, NULL },
	{ '3', "the last lines of its logs", NULL, ARGV(BERTH, "logs", "--tail", "40"), false, NULL },
	{ '4', "restart", "Containers are stopped, the machine starts again.", NULL, false, "reboot" },
	{ '5', "restart in rescue mode, once",
	  "No configuration is read and no container runs; this console has a root shell.", NULL, false,
	  "rescue" },
	{ '6', "reset: as it was installed", NULL, ARGV(BERTH, "reset"), true, NULL },
	{ '7', "switch off", "Containers are stopped, the machine goes off.", NULL, false, "poweroff" },
};

/* ---- the person ---- */

/* A line without its end. False: nobody answers, or the line has hung up. */
static bool read_line(char *line, size_t room)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, IDLE_MS) <= 0)
		return false;
	n = read(STDIN_FILENO, line, room - 1);
	if (n <= 0)
		return false;
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

static bool agrees(const char *question)
{
	char line[32];

	printf("%s\nType \"yes\" to go on: ", question);
	fflush(stdout);
	return read_line(line, sizeof(line)) && !strcmp(line, "yes");
}

bool menu_root_hash(const char *text, char *out, int room)
{
	const char *hash = NULL;
	size_t len;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncmp(line, "root:", 5)) {
			hash = line + 5;
			break;
		}
	if (!hash)
		return false;
	len = strcspn(hash, ":\n");
	/* "*", "x", "!..." and texts that no method of crypt(3) makes match nothing. */
	if (*hash != '$' || len >= (size_t)room)
		return false;
	snprintf(out, (size_t)room, "%.*s", (int)len, hash);
	return true;
}

static bool find_hash(char out[HASH_MAX])
{
	static const char *const paths[] = { "/etc/shadow", "/etc/passwd" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		autobuf struct buf text = { 0 };

		if (!file_read_at(AT_FDCWD, paths[i], ACCOUNTS_MAX, &text, NULL) &&
		    menu_root_hash(buf_text(&text), out, HASH_MAX))
			return true;
	}
	return false;
}

static void echo(bool on)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) < 0)
		return;
	t.c_lflag = on ? t.c_lflag | ECHO : t.c_lflag & ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

static bool knows_password(const char *hash)
{
	char line[256];
	const char *made;
	bool right;

	fputs("Password of root: ", stdout);
	fflush(stdout);
	echo(false);
	right = read_line(line, sizeof(line));
	echo(true);
	putchar('\n');
	made = right ? crypt(line, hash) : NULL;
	explicit_bzero(line, sizeof(line));
	if (made && !strcmp(made, hash))
		return true;
	sleep(WRONG_PASSWORD_S);
	if (right)
		fputs("That is not it.\n", stdout);
	return false;
}

/* ---- what is done ---- */

static void show(const struct item *item)
{
	struct spawn how = {
		.argv = item->argv,
		.fds = (struct spawn_fd[]){ { 1, 1 }, { 1, 2 }, { 0, 0 } },
		.fd_count = item->asks ? 3 : 2,
		.envp = ARGV("PATH=/usr/bin", "HOME=/root", "TERM=linux", "NO_COLOR=1"),
	};
	struct err e = { 0 };

	putchar('\n');
	fflush(stdout);
	if (spawn_run(&how, &e) < 0)
		printf("%s\n", e.text);
}

static void ask_pid1(const struct item *item)
{
	autobuf struct buf answer = { 0 };
	struct err e = { 0 };

	if (!agrees(item->question))
		return;
	if (initctl_ask(item->request, &answer, &e) < 0)
		printf("%s\n", e.text);
}

static const struct item *find(char key)
{
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		if (items[i].key == key)
			return &items[i];
	return NULL;
}

static void print_menu(bool shell)
{
	putchar('\n');
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		printf("  %c  %s\n", items[i].key, items[i].text);
	printf("%s\nA number, or Enter to leave: ", shell ? "  s  a root shell\n" : "");
	fflush(stdout);
}

bool menu_run(void)
{
	char hash[HASH_MAX], line[32];
	bool shell = find_hash(hash);

	if (shell && !knows_password(hash))
		return false;
	for (;;) {
		const struct item *item;

		print_menu(shell);
		if (!read_line(line, sizeof(line)) || !*line)
			return false;
		if (shell && !strcmp(line, "s"))
			return true;
		item = line[1] ? NULL : find(*line);
		if (!item)
			printf("There is no \"%s\" here.\n", line);
		else if (item->argv)
			show(item);
		else
			ask_pid1(item);
	}
}
