/* Who there is, and how one gets in: users, groups, passwords of the console, SSH
 * (cloud-init's modules users-groups, set-passwords, ssh, keys-to-console). */
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

/* ---- users ---- */
static const struct type user_name = {
	SCALAR(read_text), .name = "user name", .check = check_user_name,
	.expected = "a name such as \"core\"",
};
static const struct type group_name = {
	SCALAR(read_text), .name = "group name", .check = check_user_name,
	.expected = "a name such as \"docker\"",
};
static const struct type group_names = {
	.kind = TYPE_LIST, .name = "list of groups", .item = &group_name, .read = read_comma_list,
	.expected = "a list of groups, or one text with commas",
};
static const struct type one_line = {
	SCALAR(read_text), .name = "text", .check = check_one_line, .expected = "a text of one line",
};
static const struct type user_id = {
	SCALAR(read_int), .name = "integer", .min = 1000, .max = 59999,
	.expected = "a number from 1000 to 59999",
};
static const struct type path = {
	SCALAR(read_text), .name = "path", .check = check_passwd_path,
	.expected = "an absolute path without \":\"",
};
static const struct type password_hash = {
	SCALAR(read_text), .name = "hash of a password", .check = check_password_hash,
	.secret = true,
	.expected = "a hash such as mkpasswd --method=SHA-512 makes (\"$6$...\")",
};

static const struct type locked = {
	SCALAR(read_true), .name = "true", .expected = "true (only root has a password)",
};

#define ONLY_ROOT "not supported: SSH takes keys only, and the console asks for root's password; " \
	"see chpasswd"
#define OLD_SPELLING(now) "this is the old spelling: write \"" now "\""

static const struct key user_keys[] = {
	{ .name = "name", .type = &user_name, .required = true, .example = "core",
	  .help = "The name to log in with." },
	{ .name = "gecos", .type = &one_line, .normal = "nothing", .example = "Core Administrator",
	  .help = "Who that is." },
	{ .name = "ssh_authorized_keys", .type = &type_ssh_keys, .normal = "none",
	  .example = "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMZ5bCqDnBsgPZPrbFs4cyxbt0ny6nYv7hCp4"
		     "Yhwqk9a me@laptop\"]",
	  .help = "Public keys that may log in as this user." },
	{ .name = "groups", .type = &group_names, .normal = "none", .example = "[docker]",
	  .help = "Further groups. Who is in \"docker\" may use the engine, and so is as good as "
		  "root." },
	{ .name = "primary_group", .type = &group_name, .normal = "one of the user's own name",
	  .example = "staff", .help = "The group that files are made with." },
	{ .name = "no_user_group", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "No group of the user's own name: the group is \"users\"." },
	{ .name = "uid", .type = &user_id, .normal = "from 1000 on, in the order of the list",
	  .example = "1500", .help = "The user's number. Say it, so that files keep their owner." },
	{ .name = "shell", .type = &path, .normal = "/bin/sh", .example = "/bin/false",
	  .help = "The program of a log-in." },
	{ .name = "homedir", .type = &path, .normal = "/home/NAME", .example = "/home/core",
	  .help = "The home folder; below /home or /var it is kept over restarts." },
	{ .name = "no_create_home", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "Whether the home folder is not made." },
	{ .name = "lock_passwd", .type = &locked, .normal = "true", .example = "true",
	  .help = "That this user has no password." },
	{ .name = "system", .type = &type_bool, .normal = "false", .example = "true",
	  .help = "An account of a program: no home folder is made." },
	{ .name = "sudo", .refused = "not supported: nothing in Berth is setuid, so nobody becomes "
				     "root; give root's key to those who should be, or put them into the "
				     "group \"docker\"" },
	{ .name = "doas", .refused = "not supported: nothing in Berth is setuid, so nobody becomes "
				     "root" },
	{ .name = "passwd", .refused = ONLY_ROOT },
	{ .name = "hashed_passwd", .refused = ONLY_ROOT },
	{ .name = "hashed-passwd", .refused = ONLY_ROOT },
	{ .name = "plain_text_passwd", .refused = ONLY_ROOT },
	{ .name = "plain-text-passwd", .refused = ONLY_ROOT },
	{ .name = "create_groups", .refused = "groups that are named are always made; leave it out" },
	{ .name = "expiredate", .refused = "not supported: take the user out of the configuration" },
	{ .name = "inactive", .refused = "not supported: take the user out of the configuration" },
	{ .name = "no_log_init", .refused = "there is no log of log-ins to leave out; leave it out" },
	{ .name = "selinux_user", .refused = "not supported: Berth has no SELinux" },
	{ .name = "snapuser", .refused = "not supported: Berth has no snaps" },
	{ .name = "ssh_import_id", .refused = "not supported: nobody else's server decides who logs "
					      "in; use ssh_authorized_keys" },
	{ .name = "ssh_redirect_user", .refused = "not supported: leave the keys out instead" },
	{ .name = "ssh-authorized-keys", .refused = OLD_SPELLING("ssh_authorized_keys") },
	{ .name = "ssh-import-id", .refused = "not supported: use ssh_authorized_keys" },
	{ .name = "lock-passwd", .refused = OLD_SPELLING("lock_passwd") },
	{ .name = "primary-group", .refused = OLD_SPELLING("primary_group") },
	{ .name = "no-create-home", .refused = OLD_SPELLING("no_create_home") },
	{ .name = "no-user-group", .refused = OLD_SPELLING("no_user_group") },
};

/* A name alone; "default" is the user that an image has anyway, here root. */
static yyjson_mut_val *read_user(struct walk *w, const struct type *t, const struct node *n,
				 struct err *why)
{
	const char *reason = check_user_name(n->text);
	yyjson_mut_val *user;

	(void)t;
	if (reason) {
		err_set(why, -EINVAL, "%s", reason);
		return NULL;
	}
	user = yyjson_mut_obj(w->doc);
	yyjson_mut_obj_add_strcpy(w->doc, user, "name", n->text);
	return user;
}

static const struct type user_type = {
	OBJECT(user_keys), .name = "user", .read = read_user,
	.expected = "a mapping with \"name\", or \"default\"",
};

static const char *name_of(yyjson_mut_val *user)
{
	const char *name = yyjson_mut_get_str(yyjson_mut_obj_get(user, "name"));

	return name ? name : "";
}

static bool same_user(yyjson_mut_val *a, yyjson_mut_val *b)
{
	yyjson_mut_val *uid = yyjson_mut_obj_get(a, "uid");

	return strcmp(name_of(a), name_of(b)) == 0 ||
	       (uid && yyjson_mut_equals(uid, yyjson_mut_obj_get(b, "uid")));
}

/* The image's own: nobody is nobody's, and root is as it is, but for its keys. */
static const char *fault_of_image_user(yyjson_mut_val *user)
{
	yyjson_mut_val *key, *value;
	size_t i, max;

	if (strcmp(name_of(user), "nobody") == 0)
		return "the user \"nobody\" is the image's own";
	if (strcmp(name_of(user), "root") != 0)
		return NULL;
	yyjson_mut_obj_foreach(user, i, max, key, value) {
		if (!yyjson_mut_equals_str(key, "name") &&
		    !yyjson_mut_equals_str(key, "ssh_authorized_keys"))
			return "the user \"root\" is the image's own: only its \"ssh_authorized_keys\" "
			       "count here";
	}
	return NULL;
}

/* The first of two with one name or number counts; "default" is root, who is there. */
static void finish_users(struct walk *w, const struct node *n, yyjson_mut_val *users)
{
	for (size_t i = 0; i < yyjson_mut_arr_size(users);) {
		yyjson_mut_val *user_i = yyjson_mut_arr_get(users, i);
		bool gone = !*name_of(user_i) || strcmp(name_of(user_i), "default") == 0 ||
			    strcmp(name_of(user_i), "nobody") == 0;
		const char *sentence = fault_of_image_user(user_i);

		if (sentence)
			walk_fault(w, FAULT_ERROR, n, "%s", sentence);
		for (size_t j = 0; j < i && !gone; j++) {
			gone = same_user(user_i, yyjson_mut_arr_get(users, j));
			if (gone)
				walk_fault(w, FAULT_ERROR, n,
					   "the user \"%s\" has the name or the uid of one before",
					   name_of(user_i));
		}
		if (gone)
			yyjson_mut_arr_remove(users, i);
		else
			i++;
	}
}

const struct type type_users = {
	.kind = TYPE_LIST, .name = "list of users", .item = &user_type, .finish = finish_users,
	.expected = "a list of users, each with \"name\"", .count_max = 100,
};

/* ---- groups ---- */
static const struct type members = {
	.kind = TYPE_LIST, .name = "list of users", .item = &user_name, .single = true,
	.expected = "a list of users",
};
static const struct type group_members = {
	.kind = TYPE_MAP, .name = "group with its users", .item = &members, .count_max = 1,
	.read = read_group, .check = check_user_name,
	.expected = "a group's name, or one with its users: \"staff: [anna]\"",
};
const struct type type_groups = {
	.kind = TYPE_LIST, .name = "list of groups", .item = &group_members, .read = read_comma_groups,
	.count_max = 100,
	.expected = "a list of groups, or one text with commas",
};

/* ---- passwords of the console ---- */
static const char *const password_types[] = { "hash", NULL };
static const struct type password_type = {
	SCALAR(read_text), .name = "kind of password", .words = password_types,
	.expected = "\"hash\" (Berth takes no passwords in plain text and makes none up)",
};
static const struct key password_keys[] = {
	{ .name = "name", .type = &user_name, .required = true, .example = "root",
	  .help = "Whose password it is." },
	{ .name = "password", .type = &password_hash, .required = true,
	  .example = "\"$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSp"
		     "T0Y77vwPZN.Pq.H91p5hVO1\"",
	  .help = "Its hash." },
	{ .name = "type", .type = &password_type, .normal = "hash", .example = "hash",
	  .help = "That it is a hash." },
};
static const struct type password = {
	OBJECT(password_keys), .name = "password", .atomic = true,
	.expected = "a mapping with \"name\" and \"password\"",
};
static const struct type passwords = {
	.kind = TYPE_LIST, .name = "list of passwords", .item = &password,
	.expected = "a list of passwords, each with \"name\" and \"password\"",
};
static const struct type password_pair = {
	SCALAR(read_password_pair), .name = "USER:HASH", .secret = true,
	.expected = "\"USER:HASH\"",
};
static const struct type password_pairs = {
	.kind = TYPE_LIST, .name = "list of USER:HASH", .item = &password_pair,
	.read = read_password_lines, .expected = "a list of \"USER:HASH\", or lines of them",
	.secret = true,
};
static const struct type never = {
	SCALAR(read_false), .name = "false", .expected = "false (passwords do not expire here)",
};
static const struct key chpasswd_keys[] = {
	{ .name = "users", .type = &passwords, .normal = "none",
	  .example = "[{name: root, password: \"$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GL"
		     "c1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1\"}]",
	  .help = "Passwords with which one gets a shell at the console; never over SSH.",
	  .append = true },
	{ .name = "list", .json = "users", .type = &password_pairs, .normal = "none",
	  .example = "[\"root:$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S"
		     "5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1\"]",
	  .help = "The same in cloud-init's older form.", .append = true },
	{ .name = "expire", .type = &never, .normal = "false", .example = "false",
	  .help = "That nobody has to choose a new one." },
};
/* The console's menu knows root alone. */
static void finish_passwords(struct walk *w, const struct node *n, yyjson_mut_val *value)
{
	yyjson_mut_val *list = yyjson_mut_obj_get(value, "users");

	yyjson_mut_obj_remove_key(value, "expire");
	for (size_t i = 0; i < yyjson_mut_arr_size(list);) {
		if (strcmp(name_of(yyjson_mut_arr_get(list, i)), "root") == 0) {
			i++;
			continue;
		}
		walk_fault(w, FAULT_ERROR, n, "only root has a password, \"%s\" has none",
			   name_of(yyjson_mut_arr_get(list, i)));
		yyjson_mut_arr_remove(list, i);
	}
}

const struct type type_chpasswd = {
	OBJECT(chpasswd_keys), .name = "passwords", .finish = finish_passwords,
	.expected = "a mapping with \"users\"",
};

/* ---- SSH ---- */
static const struct type private_key = {
	SCALAR(read_host_key), .name = "SSH private key", .secret = true,
	.expected = "an unencrypted Ed25519 key as ssh-keygen -t ed25519 writes it",
};
static const struct type host_public_key = {
	SCALAR(read_text), .name = "SSH public key", .check = check_ssh_key,
	.expected = "a public key's line",
};
#define ONLY_ED25519 "not supported: Berth's host key is Ed25519; use ed25519_private"
static const struct key host_key_keys[] = {
	{ .name = "ed25519_private", .type = &private_key, .normal = "made at the first boot, and kept",
	  .example =
		"\"-----BEGIN OPENSSH PRIVATE KEY-----\\n"
		"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\\n"
		"QyNTUxOQAAACAhqQmPSTuQg89s42NQ96zYUaw3Xr5yi022+HNDorTWgQAAAIjfvSQ7370k\\n"
		"OwAAAAtzc2gtZWQyNTUxOQAAACAhqQmPSTuQg89s42NQ96zYUaw3Xr5yi022+HNDorTWgQ\\n"
		"AAAEDSXlyMr05IM1TjKTyOC9e5mNUelJq0woumtgcLWn57WCGpCY9JO5CDz2zjY1D3rNhR\\n"
		"rDdevnKLTbb4c0OitNaBAAAAAAECAwQF\\n"
		"-----END OPENSSH PRIVATE KEY-----\\n\"",
	  .help = "The key that this machine shows to who logs in. (The example's is known to everybody: "
		  "ssh-keygen -t ed25519 -N '' makes one.)" },
	{ .name = "ed25519_public", .type = &host_public_key, .normal = "told from the private one",
	  .example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICGpCY9JO5CDz2zjY1D3rNhRrDdevnKLTbb4c0OitNaB",
	  .help = "Its public half, which is checked and not needed." },
	{ .name = "rsa_private", .refused = ONLY_ED25519 },
	{ .name = "rsa_public", .refused = ONLY_ED25519 },
	{ .name = "rsa_certificate", .refused = ONLY_ED25519 },
	{ .name = "ecdsa_private", .refused = ONLY_ED25519 },
	{ .name = "ecdsa_public", .refused = ONLY_ED25519 },
	{ .name = "ecdsa_certificate", .refused = ONLY_ED25519 },
	{ .name = "dsa_private", .refused = ONLY_ED25519 },
	{ .name = "dsa_public", .refused = ONLY_ED25519 },
	{ .name = "dsa_certificate", .refused = ONLY_ED25519 },
	{ .name = "ed25519_certificate", .refused = "not supported: dropbear shows no certificates" },
};

static void finish_host_keys(struct walk *w, const struct node *n, yyjson_mut_val *keys)
{
	const char *public = yyjson_mut_get_str(yyjson_mut_obj_get(keys, "ed25519_public"));
	const char *half = yyjson_mut_get_str(yyjson_mut_obj_get(
		yyjson_mut_obj_get(keys, "ed25519_private"), "public"));

	if (public && half && !strstr(public, half)) {
		walk_fault(w, FAULT_ERROR, n,
			   "ed25519_public is not the public half of ed25519_private");
		yyjson_mut_obj_remove_key(keys, "ed25519_private");
	}
	yyjson_mut_obj_remove_key(keys, "ed25519_public");
}

const struct type type_host_keys = {
	OBJECT(host_key_keys), .name = "host keys", .finish = finish_host_keys,
	.expected = "a mapping with \"ed25519_private\"",
};

static const struct type no_keys_shown = {
	SCALAR(read_false), .name = "false", .expected = "false (the console shows no host keys)",
};
static void finish_ssh(struct walk *w, const struct node *n, yyjson_mut_val *ssh)
{
	(void)w, (void)n;
	yyjson_mut_obj_remove_key(ssh, "emit_keys_to_console");
}
static const struct key ssh_option_keys[] = {
	{ .name = "emit_keys_to_console", .type = &no_keys_shown, .normal = "false", .example = "false",
	  .help = "That the console shows no host keys." },
};
const struct type type_ssh = {
	OBJECT(ssh_option_keys), .name = "SSH settings", .expected = "a mapping", .finish = finish_ssh,
};
