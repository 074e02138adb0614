/* /etc/passwd, group and shadow, home folders, and who may log in with which keys. All of it is
 * made anew at each boot: /etc lies in memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "bootcfg/apply.h"

enum {
	USER_FIRST = 1000,  /* as everywhere */
	GROUP_FIRST = 800,  /* groups that only have a name, in the order in which they are met */
	GROUPS_MAX = 256,
	GROUP_USERS = 100,
};

/* The image's own. */
static const char passwd_head[] = "root:%s:0:0:Administrator:/root:/bin/sh\n"
				  "nobody:*:65534:65534:Nobody:/:/bin/false\n";
static const struct {
	const char *name;
	unsigned gid;
} image_groups[] = { { "root", 0 }, { "tty", 5 }, { "users", GROUP_USERS }, { "nogroup", 65534 } };

struct group {
	const char *name; /* the configuration's */
	unsigned gid;
	struct buf members; /* "a,b" */
};

struct accounts {
	struct group groups[GROUPS_MAX];
	size_t group_count;
	unsigned next_gid;
	struct buf passwd;
};

static void accounts_free(struct accounts *a)
{
	for (size_t i = 0; i < a->group_count; i++)
		buf_free(&a->groups[i].members);
	buf_free(&a->passwd);
}

static const char *text_of(yyjson_mut_val *object, const char *key)
{
	return yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
}

/* root is there anyway: of a row for it only the keys count (schema_users.c). */
static bool is_root(yyjson_mut_val *user)
{
	return yyjson_mut_equals_str(yyjson_mut_obj_get(user, "name"), "root");
}

static void fault(struct apply *a, enum fault_level level, const char *name, const char *sentence)
{
	autobuf struct buf path = { 0 };

	buf_addf(&path, "users.%s", name);
	fault_add(a->faults, level, "", 0, 0, buf_text(&path), "%s", sentence);
}

/* ---- groups ---- */

/* gid 0: the next free one. NULL: there are too many. */
static struct group *find_group(struct accounts *s, const char *name, unsigned gid)
{
	struct group *g;

	for (size_t i = 0; i < s->group_count; i++)
		if (strcmp(s->groups[i].name, name) == 0)
			return &s->groups[i];
	if (s->group_count == GROUPS_MAX)
		return NULL;
	g = &s->groups[s->group_count++];
	*g = (struct group){ .name = name, .gid = gid ? gid : s->next_gid++ };
	return g;
}

static void add_member(struct accounts *s, const char *group, const char *user)
{
	struct group *g = find_group(s, group, 0);

	if (!g)
		return;
	if (g->members.len)
		buf_addc(&g->members, ',');
	buf_adds(&g->members, user);
}

static void add_image_groups(struct accounts *s)
{
	for (size_t i = 0; i < ARRAY_LEN(image_groups); i++) {
		struct group *g = find_group(s, image_groups[i].name, image_groups[i].gid);

		g->gid = image_groups[i].gid;
	}
	s->next_gid = GROUP_FIRST;
}

/* groups: [{NAME: [user]}] */
static void add_groups(struct apply *a, struct accounts *s)
{
	yyjson_mut_val *group, *name, *members, *member;
	size_t i, max, j, jmax, k, kmax;

	yyjson_mut_arr_foreach(yyjson_mut_obj_get(a->config, "groups"), i, max, group) {
		yyjson_mut_obj_foreach(group, j, jmax, name, members) {
			find_group(s, yyjson_mut_get_str(name), 0);
			yyjson_mut_arr_foreach(members, k, kmax, member) {
				add_member(s, yyjson_mut_get_str(name), yyjson_mut_get_str(member));
			}
		}
	}
}

/* ---- users ---- */
struct user {
	const char *name, *home, *shell;
	char default_home[48];
	uid_t uid;
	gid_t gid;
	bool has_home;
};

static bool uid_taken(yyjson_mut_val *users, unsigned uid)
{
	yyjson_mut_val *user;
	size_t i, max;

	yyjson_mut_arr_foreach(users, i, max, user) {
		if (yyjson_mut_get_sint(yyjson_mut_obj_get(user, "uid")) == uid)
			return true;
	}
	return false;
}

/* What the configuration says of a user, with what holds where it says nothing. */
static void understand_user(struct accounts *s, yyjson_mut_val *json, unsigned uid, struct user *u)
{
	const char *group = text_of(json, "primary_group");
	bool system = yyjson_mut_get_bool(yyjson_mut_obj_get(json, "system"));
	const struct group *g;

	*u = (struct user){ .name = text_of(json, "name"), .home = text_of(json, "homedir"),
			    .shell = text_of(json, "shell"), .uid = uid };
	snprintf(u->default_home, sizeof(u->default_home), "/home/%s", u->name);
	if (!u->home)
		u->home = u->default_home;
	if (!u->shell)
		u->shell = "/bin/sh";
	u->has_home = !system && !yyjson_mut_get_bool(yyjson_mut_obj_get(json, "no_create_home"));
	if (!group && yyjson_mut_get_bool(yyjson_mut_obj_get(json, "no_user_group")))
		group = "users";
	g = find_group(s, group ? group : u->name, group ? 0 : uid);
	u->gid = g ? g->gid : 65534;
}

/* The folder and its .ssh without ever following a link: the user may have put one there. */
static int make_home(struct apply *a, const struct user *u, int *home, struct err *e)
{
	const char *name = strrchr(u->home, '/') + 1;
	autofree char *above = strndup(u->home, (size_t)(name - u->home));
	autoclose int dir = above ? path_mkdirs_in(a->root, above, 0755, e) : -ENOMEM;
	autoclose int fd = -1;
	bool made;

	if (dir < 0)
		return dir;
	made = mkdirat(dir, name, 0755) == 0;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot make the home folder \"%s\"", u->home);
	if (made && (fchown(fd, u->uid, u->gid) < 0 || fchmod(fd, 0750) < 0))
		return err_sys(e, "cannot give \"%s\" to its owner", u->home);
	*home = take_fd(&fd);
	return 0;
}

static void add_keys(struct buf *out, yyjson_mut_val *keys)
{
	yyjson_mut_val *key;
	size_t i, max;

	yyjson_mut_arr_foreach(keys, i, max, key) {
		buf_addf(out, "%s\n", yyjson_mut_get_str(key));
	}
}

/* The file belongs to root, so that nothing that the user does can lead the next writing astray. */
static int write_keys(int home, yyjson_mut_val *keys, struct err *e)
{
	autobuf struct buf text = { 0 };
	autoclose int fd = -1;

	mkdirat(home, ".ssh", 0755);
	fd = openat(home, ".ssh", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot make the folder .ssh");
	add_keys(&text, keys);
	if (!buf_ok(&text))
		return err_set(e, -ENOMEM, "there is not enough memory");
	return file_replace_at(fd, "authorized_keys", buf_text(&text), text.len, 0644, e);
}

static void add_user(struct apply *a, struct accounts *s, yyjson_mut_val *json, unsigned uid)
{
	yyjson_mut_val *keys = yyjson_mut_obj_get(json, "ssh_authorized_keys"), *group;
	const char *gecos = text_of(json, "gecos");
	autoclose int home = -1;
	struct err e = { "" };
	struct user u;
	size_t i, max;
	int code = 0;

	understand_user(s, json, uid, &u);
	buf_addf(&s->passwd, "%s:*:%u:%u:%s:%s:%s\n", u.name, u.uid, u.gid, gecos ? gecos : "",
		 u.home, u.shell);
	yyjson_mut_arr_foreach(yyjson_mut_obj_get(json, "groups"), i, max, group) {
		add_member(s, yyjson_mut_get_str(group), u.name);
	}
	if (u.has_home)
		code = make_home(a, &u, &home, &e);
	if (home >= 0 && code == 0)
		code = write_keys(home, keys, &e);
	if (code < 0)
		fault(a, FAULT_ERROR, u.name, e.text);
	else if (keys && home < 0)
		fault(a, FAULT_ERROR, u.name, "keys need a home folder, and this user has none");
}

/* /home is a link to it, which leads nowhere on a new data partition. */
static void make_home_folder(struct apply *a, size_t users)
{
	int fd = users ? path_mkdirs_in(a->root, "/var/home", 0755, NULL) : -1;

	cleanup_fd(&fd);
}

static void add_users(struct apply *a, struct accounts *s)
{
	yyjson_mut_val *users = yyjson_mut_obj_get(a->config, "users"), *user;
	unsigned next = USER_FIRST;
	size_t i, max;

	make_home_folder(a, yyjson_mut_arr_size(users));
	yyjson_mut_arr_foreach(users, i, max, user) {
		yyjson_mut_val *uid = yyjson_mut_obj_get(user, "uid");

		if (is_root(user))
			continue;
		while (!uid && uid_taken(users, next))
			next++;
		add_user(a, s, user, uid ? (unsigned)yyjson_mut_get_sint(uid) : next++);
	}
}

/* ---- the files ---- */
static const char *root_hash(struct apply *a)
{
	yyjson_mut_val *list =
		yyjson_mut_obj_get(yyjson_mut_obj_get(a->config, "chpasswd"), "users"), *one;
	const char *hash = NULL;
	size_t i, max;

	yyjson_mut_arr_foreach(list, i, max, one) {
		hash = text_of(one, "password");
	}
	return hash;
}

/* The console's menu asks for this password (init/pid1/console); nothing else does. */
static int write_shadow(struct apply *a, struct err *e)
{
	const char *hash = root_hash(a);
	autobuf struct buf text = { 0 };

	buf_addf(&text, "root:%s:::::::\n", hash ? hash : "*");
	return apply_text(a, "/etc", 0755, "shadow", &text, 0600, e);
}

static int write_groups(struct apply *a, struct accounts *s, struct err *e)
{
	autobuf struct buf text = { 0 };

	for (size_t i = 0; i < s->group_count; i++)
		buf_addf(&text, "%s:x:%u:%s\n", s->groups[i].name, s->groups[i].gid,
			 buf_text(&s->groups[i].members));
	return apply_text(a, "/etc", 0755, "group", &text, 0644, e);
}

void apply_users(struct apply *a)
{
	struct accounts s = { .next_gid = 0 };
	struct err e = { "" };

	buf_addf(&s.passwd, passwd_head, root_hash(a) ? "x" : "*");
	add_image_groups(&s);
	add_groups(a, &s);
	add_users(a, &s);
	if (apply_text(a, "/etc", 0755, "passwd", &s.passwd, 0644, &e) < 0 ||
	    write_groups(a, &s, &e) < 0 || write_shadow(a, &e) < 0)
		fault_add(a->faults, FAULT_ERROR, "", 0, 0, "users", "%s", e.text);
	accounts_free(&s);
}

/* ---- root's keys ---- */
static bool another_can_log_in(struct apply *a)
{
	yyjson_mut_val *user;
	size_t i, max;

	yyjson_mut_arr_foreach(yyjson_mut_obj_get(a->config, "users"), i, max, user) {
		if (!is_root(user) && yyjson_mut_arr_size(yyjson_mut_obj_get(user, "ssh_authorized_keys")))
			return true;
	}
	return false;
}

static void add_root_keys(struct apply *a, struct buf *out)
{
	yyjson_mut_val *user;
	size_t i, max;

	add_keys(out, yyjson_mut_obj_get(a->config, "ssh_authorized_keys"));
	yyjson_mut_arr_foreach(yyjson_mut_obj_get(a->config, "users"), i, max, user) {
		if (is_root(user))
			add_keys(out, yyjson_mut_obj_get(user, "ssh_authorized_keys"));
	}
}

void apply_ssh_keys(struct apply *a)
{
	bool others = another_can_log_in(a);
	bool off = yyjson_mut_get_bool(yyjson_mut_obj_get(a->config, "disable_root"));
	autobuf struct buf text = { 0 };
	struct err e = { "" };

	if (off && !others)
		fault_add(a->faults, FAULT_ERROR, "", 0, 0, "disable_root",
			  "no user could log in then, so root's keys stay");
	if (!off || !others)
		add_root_keys(a, &text);
	if (apply_text(a, "/run/berth/ssh", 0700, "authorized_keys", &text, 0600, &e) < 0)
		fault_add(a->faults, FAULT_ERROR, "", 0, 0, "ssh_authorized_keys", "%s", e.text);
	else if (text.len == 0 && !others)
		fault_add(a->faults, FAULT_WARNING, "", 0, 0, "ssh_authorized_keys",
			  "there is no key, so nobody can log in over SSH");
}
