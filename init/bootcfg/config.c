#include "bootcfg/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jail.h"
#include "bootcfg/salvage.h"
#include "bootcfg/schema.h"
#include "bootcfg/walk.h"

enum { ANSWER_MAX = 8 * 1024 * 1024, PARSE_MS = 20000 };

/* Texts that cloud-init would take and Berth does not, by how they begin. (Wrappings are off:
 * parts.h.) */
static const struct {
	const char *start;
	size_t len;
	const char *sentence;
} foreign[] = {
	{ "#!", 2, "this is a script; Berth runs none from its configuration, use a container" },
	{ "## template:", 12, "templates are not supported; only \"#cloud-config\" is" },
	{ "#cloud-boothook", 15, "boot hooks are not supported; only \"#cloud-config\" is" },
	{ "#part-handler", 13, "part handlers are not supported; only \"#cloud-config\" is" },
};

static const char *foreign_format(const struct config_text *in)
{
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		if (in->len >= foreign[i].len &&
		    memcmp(in->text, foreign[i].start, foreign[i].len) == 0)
			return foreign[i].sentence;
	return NULL;
}

static bool is_blank(const struct config_text *in)
{
	return strspn(in->text, " \t\r\n") >= in->len;
}

static void check_header(struct walk *w, const struct config_text *in)
{
	static const char header[] = "#cloud-config";
	const char *text = in->text;

	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	if (in->schema || is_blank(in) || strncmp(text, header, sizeof(header) - 1) == 0)
		return;
	fault_add(w->faults, FAULT_WARNING, in->file, 1, 1, "",
		  "the first line should be \"#cloud-config\"; it is read as if it were");
}

/* The configuration of the whole text, NULL if it is none. */
static yyjson_mut_val *read_document(struct walk *w, const struct config_text *in)
{
	const char *refused = foreign_format(in);
	const struct node *root;
	struct node_tree *tree;
	struct node_error error;
	yyjson_mut_val *config;

	if (refused) {
		fault_add(w->faults, FAULT_ERROR, in->file, 1, 1, "", "%s", refused);
		return NULL;
	}
	if (node_parse(in->text, in->len, &tree, &root, &error) < 0) {
		fault_add(w->faults, FAULT_ERROR, in->file, error.line, error.column, "", "%s",
			  error.err.text);
		return NULL;
	}
	check_header(w, in);
	config = walk_value(w, in->schema ? in->schema : &schema_root, root);
	node_tree_free(tree);
	return config;
}

static yyjson_mut_val *keys_alone(struct walk *w, const struct config_text *in)
{
	yyjson_mut_val *config = yyjson_mut_obj(w->doc), *key;
	yyjson_mut_val *keys = salvage_ssh_keys(w->doc, in->text, in->len);
	size_t i, max;

	yyjson_mut_arr_foreach(keys, i, max, key)
		origins_note(&w->origins, key, 0);
	yyjson_mut_obj_add_val(w->doc, config, "ssh_authorized_keys", keys);
	return config;
}

int config_read(const struct config_text *in, struct buf *out, struct err *e)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *answer = yyjson_mut_obj(doc), *config;
	autofaults struct faults faults = { 0 };
	struct walk w = { .doc = doc, .faults = &faults, .file = in->file,
			  .dropped = yyjson_mut_arr(doc) };
	autofree char *json = NULL;
	size_t len = 0;

	config = read_document(&w, in);
	yyjson_mut_obj_add_bool(doc, answer, "usable", config != NULL);
	if (!config)
		config = keys_alone(&w, in);
	origins_put(&w.origins, doc, config, in->file);
	yyjson_mut_obj_add_val(doc, config, "dropped", w.dropped);
	yyjson_mut_obj_add_val(doc, answer, "config", config);
	yyjson_mut_obj_add_val(doc, answer, "faults", faults_to_json(&faults, doc));
	yyjson_mut_doc_set_root(doc, answer);
	json = yyjson_mut_write(doc, 0, &len);
	yyjson_mut_doc_free(doc);
	buf_free(&w.path);
	origins_free(&w.origins);
	if (!json)
		return err_set(e, -ENOMEM, "there is not enough memory for the configuration");
	buf_add(out, json, len);
	return 0;
}

static int read_jailed(void *arg, struct buf *out, struct err *e)
{
	return config_read(arg, out, e);
}

static int take_answer(const struct buf *answer, yyjson_mut_doc **out, struct faults *faults)
{
	yyjson_doc *doc = yyjson_read(buf_text(answer), answer->len, 0);
	yyjson_val *root = yyjson_doc_get_root(doc);
	yyjson_mut_doc *config = yyjson_mut_doc_new(NULL);
	bool usable = yyjson_get_bool(yyjson_obj_get(root, "usable"));
	yyjson_mut_val *copy = yyjson_val_mut_copy(config, yyjson_obj_get(root, "config"));

	faults_from_json(faults, yyjson_obj_get(root, "faults"));
	yyjson_doc_free(doc);
	if (!yyjson_mut_is_obj(copy)) {
		yyjson_mut_doc_free(config);
		return -ENOMEM;
	}
	yyjson_mut_doc_set_root(config, copy);
	*out = config;
	return usable ? 0 : -EBADMSG;
}

/* When the parser itself died: its child's answer is missing, the keys are looked for here. */
static int take_keys(const struct config_text *in, yyjson_mut_doc **out)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc);

	yyjson_mut_obj_add_val(doc, root, "ssh_authorized_keys",
			       salvage_ssh_keys(doc, in->text, in->len));
	yyjson_mut_doc_set_root(doc, root);
	*out = doc;
	return -EBADMSG;
}

int config_parse(const struct config_text *in, yyjson_mut_doc **out, struct faults *faults)
{
	struct jail_task task = {
		.jail = JAIL_PARSE,
		.fn = read_jailed,
		.arg = (void *)in,
		.max_bytes = ANSWER_MAX,
		.timeout_ms = PARSE_MS,
	};
	autobuf struct buf answer = { 0 };
	struct err e = { "" };
	int code = jail_run(&task, &answer, &e);

	if (code == 0)
		code = take_answer(&answer, out, faults);
	if (code == 0 || code == -EBADMSG)
		return code;
	fault_add(faults, FAULT_ERROR, in->file, 0, 0, "", "the text cannot be read: %s",
		  e.text[0] ? e.text : strerror(-code));
	return take_keys(in, out);
}
