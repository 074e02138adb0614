/* Test tool: container spec (and image config) -> OCI config.json, as the engine makes it.
 * specgen ID ROOTFS IDMAP_BASE IDMAP_SIZE SPEC.json [IMAGE.json] */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "spec/oci_make.h"

static yyjson_doc *load(const char *path)
{
	struct buf text = { 0 };
	struct err e = { 0 };

	if (file_read_at(AT_FDCWD, path, 1 << 20, &text, &e) < 0) {
		fprintf(stderr, "specgen: %s\n", e.text);
		exit(1);
	}
	return yyjson_read(buf_text(&text), text.len, 0);
}

int main(int argc, char **argv)
{
	struct container_spec spec;
	struct image_config image = { 0 };
	struct buf out = { 0 };
	struct err e = { 0 };
	char cgroup[300];

	if (argc < 6)
		return 2;
	snprintf(cgroup, sizeof(cgroup), "/containers/%s", argv[1]);
	struct oci_context context = { .id = argv[1],
				       .rootfs = argv[2],
				       .cgroup = cgroup,
				       .idmap_base = (uint32_t)strtoul(argv[3], NULL, 10),
				       .idmap_size = (uint32_t)strtoul(argv[4], NULL, 10) };
	const char **paths;

	if (container_spec_from_json(yyjson_doc_get_root(load(argv[5])), &spec, &e) < 0 ||
	    (argc > 6 &&
	     image_config_from_json(yyjson_doc_get_root(load(argv[6])), &image, &e) < 0)) {
		fprintf(stderr, "specgen: %s\n", e.text);
		return 1;
	}
	/* The engine would find or make a volume; here its source is the path. */
	paths = calloc(spec.volumes.count + 1, sizeof(*paths));
	for (size_t i = 0; i < spec.volumes.count; i++)
		paths[i] = spec.volumes.items[i].source;
	context.volume_paths = paths;
	if (container_spec_to_oci(&spec, &image, &context, &out, &e) < 0) {
		fprintf(stderr, "specgen: %s\n", e.text);
		return 1;
	}
	puts(buf_text(&out));
	return 0;
}
