/* login and logout. */
#include "cli/login.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "cli/call.h"
#include "cli/cli.h"

enum { CONFIG_MAX = 1 << 20, SECRET_MAX = 64 * 1024 };

static const char hub[] = "https://index.docker.io/v1/";

/* Docker's rule: the first part is a registry only if nothing else could be meant. */
char *login_registry(const char *image, char out[LOGIN_HOST_MAX])
{
	size_t n = strcspn(image, "/");

	if (image[n] && n < LOGIN_HOST_MAX &&
	    (memchr(image, '.', n) || memchr(image, ':', n) ||
	     (n == 9 && !strncmp(image, "localhost", n))))
		snprintf(out, LOGIN_HOST_MAX, "%.*s", (int)n, image);
	else
		snprintf(out, LOGIN_HOST_MAX, "docker.io");
	return out;
}

/* With padding, as docker's clients write it. */
static void base64_add(struct buf *out, const char *data, size_t len, const char last[2])
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const unsigned char *p = (const unsigned char *)data;

	for (size_t i = 0; i < len; i += 3) {
		unsigned bits = (unsigned)p[i] << 16;

		bits |= i + 1 < len ? (unsigned)p[i + 1] << 8 : 0;
		bits |= i + 2 < len ? p[i + 2] : 0;
		for (int k = 0; k < 4; k++) {
			unsigned six = bits >> (18 - 6 * k) & 63;

			if (i + (size_t)k > len)
				buf_addc(out, '=');
			else
				buf_addc(out, six < 62 ? plain[six] : last[six - 62]);
		}
	}
}

void base64url_add(struct buf *out, const char *data, size_t len)
{
	base64_add(out, data, len, "-_");
}

/* ---- the file ---- */

static void config_path(char out[PATH_MAX], const char *file)
{
	const char *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME");

	if (dir && *dir)
		snprintf(out, PATH_MAX, "%s%s", dir, file);
	else
		snprintf(out, PATH_MAX, "%s/.docker%s", home ? home : "/root", file);
}

/* No file is an empty one. One that cannot be read is an error: it would be written over. */
static yyjson_mut_doc *read_config(struct err *e)
{
	autobuf struct buf text = { 0 };
	char path[PATH_MAX];
	yyjson_mut_doc *out;
	yyjson_doc *doc;
	int rc;

	config_path(path, "/config.json");
	rc = file_read_at(AT_FDCWD, path, CONFIG_MAX, &text, e);
	if (rc < 0 && rc != -ENOENT)
		return NULL;
	if (rc < 0)
		buf_adds(&text, "{}");
	doc = yyjson_read(buf_text(&text), text.len, 0);
	if (!yyjson_is_obj(yyjson_doc_get_root(doc))) {
		yyjson_doc_free(doc);
		err_set(e, -EBADMSG, "\"%s\" is no JSON object", path);
		return NULL;
	}
	out = yyjson_doc_mut_copy(doc, NULL);
	yyjson_doc_free(doc);
	if (!out)
		err_set(e, -ENOMEM, "out of memory");
	return out;
}

static int write_config(yyjson_mut_doc *doc, struct err *e)
{
	autofree char *text = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY, NULL);
	char path[PATH_MAX];
	int rc;

	if (!text)
		return err_set(e, -ENOMEM, "out of memory");
	config_path(path, "");
	rc = path_mkdirs(path, 0700, e);
	if (rc < 0)
		return rc;
	config_path(path, "/config.json");
	return file_replace_at(AT_FDCWD, path, text, strlen(text), 0600, e);
}

static const char *key_of(const char *registry)
{
	return !strcmp(registry, "docker.io") ? hub : registry;
}

void login_header(struct buf *out, const char *image)
{
	char registry[LOGIN_HOST_MAX];
	struct err e = { 0 };
	yyjson_mut_doc *doc = read_config(&e);
	yyjson_mut_val *auths = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "auths");
	yyjson_mut_val *one = yyjson_mut_obj_get(auths, key_of(login_registry(image, registry)));
	autofree char *json = one ? yyjson_mut_val_write(one, 0, NULL) : NULL;

	/* An image that anybody may have is had without it. */
	if (!doc)
		fprintf(stderr, "berth: no login is used: %s\n", e.text);
	buf_adds(out, "X-Registry-Auth: ");
	base64url_add(out, json ? json : "{}", json ? strlen(json) : 2);
	buf_adds(out, "\r\n");
	yyjson_mut_doc_free(doc);
}

/* ---- login ---- */

static int keep_login(const char *registry, const char *user, const char *password, struct err *e)
{
	autobuf struct buf plain = { 0 }, auth = { 0 };
	yyjson_mut_doc *doc = read_config(e);
	yyjson_mut_val *root = yyjson_mut_doc_get_root(doc), *auths, *one;
	int rc = -ENOMEM;

	if (!doc)
		return -EBADMSG;
	buf_addf(&plain, "%s:%s", user, password);
	base64_add(&auth, buf_text(&plain), plain.len, "+/");
	auths = yyjson_mut_obj_get(root, "auths");
	if (!yyjson_mut_is_obj(auths)) {
		yyjson_mut_obj_remove_key(root, "auths");
		auths = yyjson_mut_obj_add_obj(doc, root, "auths");
	}
	yyjson_mut_obj_remove_key(auths, key_of(registry));
	one = yyjson_mut_obj_add_obj(doc, auths, key_of(registry));
	if (one && yyjson_mut_obj_add_strcpy(doc, one, "auth", buf_text(&auth)))
		rc = write_config(doc, e);
	else
		err_set(e, rc, "out of memory");
	yyjson_mut_doc_free(doc);
	return rc;
}

static int ask_engine(const char *registry, const char *user, const char *password, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = doc ? yyjson_mut_obj(doc) : NULL;
	autofree char *body = NULL;
	yyjson_doc *answer;

	if (root) {
		yyjson_mut_doc_set_root(doc, root);
		yyjson_mut_obj_add_str(doc, root, "username", user);
		yyjson_mut_obj_add_str(doc, root, "password", password);
		yyjson_mut_obj_add_str(doc, root, "serveraddress", key_of(registry));
		body = yyjson_mut_write(doc, 0, NULL);
	}
	yyjson_mut_doc_free(doc);
	if (!body)
		return err_set(e, -ENOMEM, "out of memory");
	answer = call_json("POST", "/auth", body, e);
	if (!answer)
		return -EACCES;
	yyjson_doc_free(answer);
	return 0;
}

static int read_stdin(struct buf *out, struct err *e)
{
	int rc = file_read_fd(STDIN_FILENO, SECRET_MAX, out, e);

	while (out->len && strchr("\r\n", out->data[out->len - 1]))
		out->data[--out->len] = '\0';
	return rc;
}

/* A line of the terminal, the password's without an echo. */
static int read_line(const char *prompt, bool hidden, struct buf *out, struct err *e)
{
	struct termios plain, silent;
	bool terminal = tcgetattr(STDIN_FILENO, &plain) == 0;
	int c;

	if (!terminal)
		return err_set(e, -ENOTTY, "Cannot perform an interactive login from a non TTY device");
	fputs(prompt, stdout);
	fflush(stdout);
	silent = plain;
	silent.c_lflag &= (tcflag_t)~ECHO;
	if (hidden)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	while ((c = getchar()) != EOF && c != '\n' && out->len < SECRET_MAX)
		buf_addc(out, (char)c);
	if (hidden) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &plain);
		putchar('\n');
	}
	return buf_ok(out) ? 0 : err_set(e, -ENOMEM, "out of memory");
}

struct login {
	const char *user, *password;
	bool from_stdin;
};

static int gather(const struct login *l, struct buf *user, struct buf *password, struct err *e)
{
	int rc = 0;

	if (l->from_stdin && !l->user)
		return err_set(e, -EINVAL, "Must provide --username with --password-stdin");
	if (l->user)
		buf_adds(user, l->user);
	else
		rc = read_line("Username: ", false, user, e);
	if (rc < 0)
		return rc;
	if (l->password)
		buf_adds(password, l->password);
	else if (l->from_stdin)
		rc = read_stdin(password, e);
	else
		rc = read_line("Password: ", true, password, e);
	return rc;
}

int cmd_login(const struct cli_command *self, int argc, char **argv)
{
	struct login l = { .user = NULL };
	const struct cli_option options[] = {
		{ 'u', "username", "NAME", "Who logs in", NULL, &l.user, NULL },
		{ 'p', "password", "PASSWORD", "Seen by whoever lists processes", NULL, &l.password, NULL },
		{ 0, "password-stdin", NULL, "Read the password from standard input", &l.from_stdin, NULL,
		  NULL },
	};
	autobuf struct buf user = { 0 }, password = { 0 };
	struct err e = { 0 };
	int code, n = cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code), rc;
	const char *registry = n == 1 ? argv[0] : "docker.io";

	if (n < 0)
		return code;
	rc = gather(&l, &user, &password, &e);
	if (!rc)
		rc = ask_engine(registry, buf_text(&user), buf_text(&password), &e);
	if (!rc)
		rc = keep_login(registry, buf_text(&user), buf_text(&password), &e);
	if (rc < 0)
		return cli_fail(&e);
	puts("Login Succeeded");
	return EXIT_OK;
}

int cmd_logout(const struct cli_command *self, int argc, char **argv)
{
	struct err e = { 0 };
	int code, n = cli_options(self, NULL, 0, argc, argv, argv, &code), rc = 0;
	const char *registry = n == 1 ? argv[0] : "docker.io";
	yyjson_mut_doc *doc;
	yyjson_mut_val *auths;

	if (n < 0)
		return code;
	doc = read_config(&e);
	if (!doc)
		return cli_fail(&e);
	auths = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "auths");
	if (yyjson_mut_obj_remove_key(auths, key_of(registry))) {
		printf("Removing login credentials for %s\n", key_of(registry));
		rc = write_config(doc, &e);
	} else {
		printf("Not logged in to %s\n", key_of(registry));
	}
	yyjson_mut_doc_free(doc);
	return rc < 0 ? cli_fail(&e) : EXIT_OK;
}
