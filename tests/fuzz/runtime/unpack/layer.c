/* Layers: any blob, twice over one another, into a tar. Its own sums are taken as the right ones,
 * so that everything behind the check of digests is reached. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unpack/layer.h"
#include "unpack/tarout.h"

enum { BYTES_MAX = 4 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int sums_of(int fd, struct stream_sums *sums)
{
	struct stream *s;
	int rc;

	if (lseek(fd, 0, SEEK_SET) < 0 || stream_open(&s, fd, BYTES_MAX, NULL) < 0)
		return -1;
	rc = stream_finish(s, sums, NULL);
	stream_close(s);
	return rc;
}

static void unpack_twice(int fd, int out, const struct stream_sums *sums)
{
	struct layer layer = { .fd = fd, .digest = sums->blob, .diff_id = sums->diff_id };
	struct layer_result result;
	struct tarout *tar;
	struct sink sink;
	struct err e;

	if (tree_new(&layer.tree) < 0 || tarout_new(&tar, out, &e) < 0)
		abort();
	sink = tarout_sink(tar);
	layer.sink = &sink;
	for (; layer.number < 2 && layer_unpack(&layer, &result, &e) == 0; layer.number++)
		;
	tarout_end(tar, &e);
	tarout_free(tar);
	tree_free(layer.tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1, out = -1;
	struct stream_sums sums;

	if (fd < 0) {
		fd = memfd_create("layer", MFD_CLOEXEC);
		out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, len, 0) != (ssize_t)len)
		return 0;
	if (sums_of(fd, &sums) == 0)
		unpack_twice(fd, out, &sums);
	return 0;
}
