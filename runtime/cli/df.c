/* system df, system prune: what takes room, and its removal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/cleanup.h"
#include "cli/call.h"
#include "cli/df.h"
#include "cli/format.h"
#include "cli/human.h"
#include "cli/json.h"
#include "cli/query.h"
#include "cli/table.h"

static uint64_t number_of(yyjson_val *object, const char *key)
{
	int64_t number = yyjson_get_sint(yyjson_obj_get(object, key));

	return number > 0 ? (uint64_t)number : 0;
}

/* ---- system df ---- */

struct total {
	const char *type;
	uint64_t count, active, bytes, free;
};

static struct total sum_images(yyjson_val *root)
{
	struct total t = { .type = "Images", .bytes = number_of(root, "LayersSize") };
	uint64_t used = 0;
	yyjson_val *one;
	size_t i, n;

	yyjson_arr_foreach(yyjson_obj_get(root, "Images"), i, n, one) {
		t.count++;
		if (!number_of(one, "Containers"))
			continue;
		t.active++;
		used += number_of(one, "Size") - number_of(one, "SharedSize");
	}
	t.free = t.bytes > used ? t.bytes - used : 0;
	return t;
}

static struct total sum_containers(yyjson_val *root)
{
	struct total t = { .type = "Containers" };
	yyjson_val *one;
	size_t i, n;

	yyjson_arr_foreach(yyjson_obj_get(root, "Containers"), i, n, one) {
		const char *state = text_of(one, "State");
		bool active = !strcmp(state, "running") || !strcmp(state, "paused") ||
			      !strcmp(state, "restarting");

		t.count++;
		t.active += active;
		t.bytes += number_of(one, "SizeRw");
		t.free += active ? 0 : number_of(one, "SizeRw");
	}
	return t;
}

static struct total sum_volumes(yyjson_val *root)
{
	struct total t = { .type = "Local Volumes" };
	yyjson_val *one;
	size_t i, n;

	yyjson_arr_foreach(yyjson_obj_get(root, "Volumes"), i, n, one) {
		yyjson_val *usage = yyjson_obj_get(one, "UsageData");
		bool active = number_of(usage, "RefCount") > 0;

		t.count++;
		t.active += active;
		t.bytes += number_of(usage, "Size");
		t.free += active ? 0 : number_of(usage, "Size");
	}
	return t;
}

static const struct format_field fields[] = {
	{ "Type", "TYPE" }, { "TotalCount", "TOTAL" }, { "Active", "ACTIVE" }, { "Size", "SIZE" },
	{ "Reclaimable", "RECLAIMABLE" },
};

static void add_total(yyjson_mut_doc *doc, yyjson_mut_val *rows, const struct total *t)
{
	yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
	char text[HUMAN_MAX + 16], size[HUMAN_MAX];

	yyjson_mut_obj_add_str(doc, row, "Type", t->type);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)t->count);
	yyjson_mut_obj_add_strcpy(doc, row, "TotalCount", text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)t->active);
	yyjson_mut_obj_add_strcpy(doc, row, "Active", text);
	yyjson_mut_obj_add_strcpy(doc, row, "Size", human_size(t->bytes, size));
	human_size(t->free, size);
	if (t->bytes)
		snprintf(text, sizeof(text), "%s (%llu%%)", size,
			 (unsigned long long)(t->free * 100 / t->bytes));
	else
		snprintf(text, sizeof(text), "%s", size);
	yyjson_mut_obj_add_strcpy(doc, row, "Reclaimable", text);
}

static int print_totals(yyjson_val *root, const char *format, struct err *e)
{
	const struct total totals[] = { sum_images(root), sum_containers(root), sum_volumes(root),
					{ .type = "Build Cache" } };
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *rows = yyjson_mut_arr(doc);
	yyjson_doc *frozen;
	int rc;

	yyjson_mut_doc_set_root(doc, rows);
	for (size_t i = 0; i < ARRAY_LEN(totals); i++)
		add_total(doc, rows, &totals[i]);
	frozen = yyjson_mut_doc_imut_copy(doc, NULL);
	rc = format_print(format, fields, ARRAY_LEN(fields), yyjson_doc_get_root(frozen), e);
	yyjson_doc_free(frozen);
	yyjson_mut_doc_free(doc);
	return rc;
}

/* ---- -v ---- */

static void image_row(struct table *t, yyjson_val *image)
{
	char id[13], whole[HUMAN_MAX], shared[HUMAN_MAX], own[HUMAN_MAX], users[24];
	yyjson_val *tags = yyjson_obj_get(image, "RepoTags");
	const char *tag = yyjson_get_str(yyjson_arr_get_first(tags)), *digest = text_of(image, "Id");

	snprintf(id, sizeof(id), "%.12s", strncmp(digest, "sha256:", 7) ? digest : digest + 7);
	human_size(number_of(image, "Size"), whole);
	human_size(number_of(image, "SharedSize"), shared);
	human_size(number_of(image, "Size") - number_of(image, "SharedSize"), own);
	snprintf(users, sizeof(users), "%llu", (unsigned long long)number_of(image, "Containers"));
	table_row(t, (const char *[]){ tag ? tag : "<none>", id, whole, shared, own, users });
}

static void container_row(struct table *t, yyjson_val *container)
{
	yyjson_val *name = yyjson_arr_get_first(yyjson_obj_get(container, "Names"));
	const char *text = yyjson_get_str(name) ? yyjson_get_str(name) : "/";
	char id[13], size[HUMAN_MAX];

	snprintf(id, sizeof(id), "%.12s", text_of(container, "Id"));
	table_row(t, (const char *[]){ id, text_of(container, "Image"),
				       human_size(number_of(container, "SizeRw"), size),
				       text_of(container, "Status"), text + 1 });
}

static void volume_row(struct table *t, yyjson_val *volume)
{
	yyjson_val *usage = yyjson_obj_get(volume, "UsageData");
	char links[24], size[HUMAN_MAX];

	snprintf(links, sizeof(links), "%llu", (unsigned long long)number_of(usage, "RefCount"));
	table_row(t, (const char *[]){ text_of(volume, "Name"), links,
				       human_size(number_of(usage, "Size"), size) });
}

static void print_list(const char *title, yyjson_val *list, const char *const *head, size_t columns,
		       void (*row)(struct table *t, yyjson_val *one))
{
	struct table *t = table_new(head, columns);
	yyjson_val *one;
	size_t i, n;

	printf("%s space usage:\n\n", title);
	yyjson_arr_foreach(list, i, n, one)
		row(t, one);
	table_print(t);
	table_free(t);
	putchar('\n');
}

static void print_all(yyjson_val *root)
{
	static const char *const images[] = { "IMAGE", "IMAGE ID", "SIZE", "SHARED SIZE", "UNIQUE SIZE",
					      "CONTAINERS" };
	static const char *const containers[] = { "CONTAINER ID", "IMAGE", "SIZE", "STATUS", "NAMES" };
	static const char *const volumes[] = { "VOLUME NAME", "LINKS", "SIZE" };

	print_list("Images", yyjson_obj_get(root, "Images"), images, ARRAY_LEN(images), image_row);
	print_list("Containers", yyjson_obj_get(root, "Containers"), containers, ARRAY_LEN(containers),
		   container_row);
	print_list("Local Volumes", yyjson_obj_get(root, "Volumes"), volumes, ARRAY_LEN(volumes),
		   volume_row);
}

int run_system_df(const struct cli_command *self, int argc, char **argv)
{
	bool verbose = false;
	const char *format = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";
	const struct cli_option options[] = {
		{ 0, "format", "TEMPLATE", "json, or a template", NULL, &format, NULL },
		{ 'v', "verbose", NULL, "Each image, container and volume", &verbose, NULL, NULL },
	};
	autodoc yyjson_doc *doc = NULL;
	struct err e = { 0 };
	int code;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	doc = call_json("GET", "/system/df", NULL, &e);
	if (!doc)
		return cli_fail(&e);
	if (verbose)
		print_all(yyjson_doc_get_root(doc));
	else if (print_totals(yyjson_doc_get_root(doc), format, &e) < 0)
		return cli_fail(&e);
	return EXIT_OK;
}

/* ---- system prune ---- */

struct prune {
	bool all, volumes;
	struct cli_list filters;
	uint64_t freed;
};

/* `more` is a filter of this kind's own. */
static int prune(struct prune *p, const char *kind, const char *key, const char *title,
		 const char *more, struct err *e)
{
	autobuf struct buf target = { 0 };
	autodoc yyjson_doc *doc = NULL;
	struct cli_list *filters = &p->filters;
	yyjson_val *list, *one;
	size_t i, n, before = filters->count;

	if (more && filters->count < CLI_LIST_MOST)
		filters->items[filters->count++] = more;
	buf_addf(&target, "/%s/prune?", kind);
	if (query_filters(&target, filters, e) < 0)
		return -EINVAL;
	filters->count = before;
	doc = call_json("POST", buf_text(&target), NULL, e);
	if (!doc)
		return -EIO;
	p->freed += number_of(yyjson_doc_get_root(doc), "SpaceReclaimed");
	list = yyjson_obj_get(yyjson_doc_get_root(doc), key);
	if (yyjson_arr_size(list))
		printf("Deleted %s:\n", title);
	yyjson_arr_foreach(list, i, n, one) {
		if (yyjson_is_str(one))
			puts(yyjson_get_str(one));
		else if (yyjson_obj_get(one, "Deleted"))
			printf("deleted: %s\n", text_of(one, "Deleted"));
		else
			printf("untagged: %s\n", text_of(one, "Untagged"));
	}
	if (yyjson_arr_size(list))
		putchar('\n');
	return 0;
}

int run_system_prune(const struct cli_command *self, int argc, char **argv)
{
	static struct prune p;
	bool force = false;
	const struct cli_option options[] = {
		{ 'a', "all", NULL, "All images that nobody uses, not only those without a name", &p.all, NULL,
		  NULL },
		{ 0, "filter", "NAME=VALUE", "Only those (until, label, label!)", NULL, NULL, &p.filters },
		{ 'f', "force", NULL, "Do not ask", &force, NULL, NULL },
		{ 0, "volumes", NULL, "Volumes without a name, too", &p.volumes, NULL, NULL },
	};
	struct err e = { 0 };
	char size[HUMAN_MAX];
	int code, rc;

	if (cli_options(self, options, ARRAY_LEN(options), argc, argv, argv, &code) < 0)
		return code;
	if (!force && !cli_sure("stopped containers, networks and images that nobody uses"))
		return EXIT_OK;
	rc = prune(&p, "containers", "ContainersDeleted", "Containers", NULL, &e);
	if (!rc)
		rc = prune(&p, "networks", "NetworksDeleted", "Networks", NULL, &e);
	if (!rc && p.volumes)
		rc = prune(&p, "volumes", "VolumesDeleted", "Volumes", NULL, &e);
	if (!rc)
		rc = prune(&p, "images", "ImagesDeleted", "Images", p.all ? "dangling=false" : "dangling=true",
			   &e);
	if (rc < 0)
		return cli_fail(&e);
	printf("Total reclaimed space: %s\n", human_size(p.freed, size));
	return EXIT_OK;
}
