#include "oci/user.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"

enum { LINE_MAX_BYTES = 64 * 1024, FILE_MAX_BYTES = 16 << 20, FIELDS = 7 };

/* A line reader over an fd. Static: one file is read at a time, and 64 KiB is much for a stack. */
struct lines {
	int fd;
	size_t start, end, total;
	bool skipping; /* inside of a line that is too long */
	char data[LINE_MAX_BYTES];
};

static struct lines lines;

static int open_list(int root, const char *path)
{
	autoclose int fd = path_open_in(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NULL);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	lines.fd = fd;
	lines.start = lines.end = lines.total = 0;
	lines.skipping = false;
	return take_fd(&fd);
}

/* The next line without its newline, or NULL. A line that is too long is left out. */
static char *next_line(void)
{
	for (;;) {
		char *line = lines.data + lines.start;
		char *newline = memchr(line, '\n', lines.end - lines.start);
		ssize_t n;

		if (newline) {
			bool skip = lines.skipping;

			*newline = '\0';
			lines.start = (size_t)(newline - lines.data) + 1;
			lines.skipping = false;
			if (!skip)
				return line;
			continue;
		}
		memmove(lines.data, line, lines.end - lines.start);
		lines.end -= lines.start;
		lines.start = 0;
		if (lines.end >= sizeof(lines.data) - 1) {
			lines.skipping = true;
			lines.end = 0;
		}
		n = lines.total < FILE_MAX_BYTES ?
			    read(lines.fd, lines.data + lines.end, sizeof(lines.data) - 1 - lines.end) :
			    0;
		if (n > 0) {
			lines.end += (size_t)n;
			lines.total += (size_t)n;
			continue;
		}
		if (!lines.end || lines.skipping)
			return NULL;
		lines.data[lines.end] = '\0'; /* the last line may lack its newline */
		lines.end = 0;
		return lines.data;
	}
}

static int split(char *line, char *fields[FIELDS])
{
	int count = 0;

	while (count < FIELDS) {
		fields[count++] = line;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return count;
}

/* Digits only, so that neither "-1" nor " 0" nor "0x0" is an id (CVE-2026-30892). */
static bool parse_id(const char *text, uint32_t *out)
{
	uint64_t id = 0;
	size_t len = strlen(text);

	if (!len || len > 10)
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		id = id * 10 + (uint64_t)(*text - '0');
	}
	*out = (uint32_t)id;
	return id < UINT32_MAX; /* the last one means "unchanged" to setresuid */
}

/* Looks for a user by name, or by number if `wish` is one. Returns whether it is listed; its name
 * goes to `name`. */
static bool find_user(int root, const char *wish, struct user *out, char *name, size_t room)
{
	autoclose int fd = open_list(root, "/etc/passwd");
	uint32_t number = 0, uid, gid;
	bool numeric = parse_id(wish, &number);
	char *line, *f[FIELDS];

	while (fd >= 0 && (line = next_line())) {
		if (split(line, f) < 6 || !parse_id(f[2], &uid) || !parse_id(f[3], &gid))
			continue;
		if (strcmp(f[0], wish) != 0 && !(numeric && uid == number))
			continue;
		out->uid = uid;
		out->gid = gid;
		snprintf(out->home, sizeof(out->home), "%s", f[5][0] ? f[5] : "/");
		snprintf(name, room, "%s", f[0]);
		return true;
	}
	return false;
}

static int add_group(struct user *u, uint32_t gid)
{
	for (int i = 0; i < u->group_count; i++)
		if (u->groups[i] == gid)
			return 0;
	if (u->group_count >= USER_GROUPS_MAX)
		return -E2BIG;
	u->groups[u->group_count++] = gid;
	return 0;
}

static bool lists_member(const char *members, const char *name)
{
	size_t len = strlen(name);

	for (; *members; members += strcspn(members, ","), members += *members == ',')
		if (strcspn(members, ",") == len && !strncmp(members, name, len))
			return true;
	return false;
}

static void find_memberships(int root, const char *name, struct user *out)
{
	autoclose int fd = open_list(root, "/etc/group");
	char *line, *f[FIELDS];
	uint32_t gid;

	while (fd >= 0 && (line = next_line()))
		if (split(line, f) >= 4 && parse_id(f[2], &gid) && lists_member(f[3], name))
			add_group(out, gid);
}

static int find_group(int root, const char *wish, uint32_t *out, struct err *e)
{
	autoclose int fd = open_list(root, "/etc/group");
	uint32_t number = 0, gid;
	bool numeric = parse_id(wish, &number);
	char *line, *f[FIELDS];

	while (fd >= 0 && (line = next_line())) {
		if (split(line, f) < 3 || !parse_id(f[2], &gid))
			continue;
		if (!strcmp(f[0], wish) || (numeric && gid == number)) {
			*out = gid;
			return 0;
		}
	}
	if (!numeric)
		return err_set(e, -ENOENT,
			       "unable to find group %s: no matching entries in group file", wish);
	*out = number;
	return 0;
}

int user_resolve(int root, const char *wish, struct user *out, struct err *e)
{
	char user[256], name[256] = "";
	size_t len = strcspn(wish, ":");
	const char *group = wish[len] ? wish + len + 1 : "";

	*out = (struct user){ .home = "/" };
	if (len >= sizeof(user))
		return err_set(e, -EINVAL, "the user's name is too long");
	snprintf(user, sizeof(user), "%.*s", (int)len, wish);
	if (!len)
		snprintf(user, sizeof(user), "0");
	if (!find_user(root, user, out, name, sizeof(name)) && !parse_id(user, &out->uid))
		return err_set(e, -ENOENT, "unable to find user %s: no matching entries in passwd file",
			       user);
	if (group[0])
		return find_group(root, group, &out->gid, e);
	if (name[0])
		find_memberships(root, name, out);
	return 0;
}

int user_add_groups(int root, const char *list, struct user *out, struct err *e)
{
	char word[256];

	while (*list) {
		size_t len = strcspn(list, ",");
		uint32_t gid;
		int rc;

		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		list += len + (list[len] == ',');
		if (!word[0])
			continue;
		rc = find_group(root, word, &gid, e);
		if (!rc && add_group(out, gid) < 0)
			rc = err_set(e, -E2BIG, "more than %d groups", USER_GROUPS_MAX);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void user_find_home(int root, struct user *out)
{
	struct user found = { .home = "/" };
	char wish[16], name[256];

	snprintf(wish, sizeof(wish), "%u", out->uid);
	find_user(root, wish, &found, name, sizeof(name));
	memcpy(out->home, found.home, sizeof(out->home));
}
