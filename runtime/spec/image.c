#include "spec/image.h"

#include <errno.h>

#include "spec/record_table.h"

static const struct record_field health_fields[] = {
	F_STRS(image_health, Test),
	F_INT(image_health, Interval),
	F_INT(image_health, Timeout),
	F_INT(image_health, StartPeriod),
	F_INT(image_health, StartInterval),
	F_INT(image_health, Retries),
	F_END,
};
RECORD_TYPE(health_type, image_health, health_fields);

static const struct record_field config_fields[] = {
	F_STRS(image_config, Entrypoint), F_STRS(image_config, Cmd),
	F_STRS(image_config, Env),	  F_STR(image_config, WorkingDir),
	F_STR(image_config, User),	  F_STR(image_config, StopSignal),
	F_KEYS(image_config, Volumes),	  F_KEYS(image_config, ExposedPorts),
	F_MAP(image_config, Labels),	  F_OBJ(image_config, Healthcheck, &health_type),
	F_STRS(image_config, Shell),	  F_END,
};
RECORD_TYPE(config_type, image_config, config_fields);

/* Both levels of the document fill one struct, so "config" lies at its beginning. It comes last:
 * freeing a record zeroes the whole struct. */
static const struct record_field image_fields[] = {
	F_STR(image_config, architecture),
	F_STR(image_config, os),
	F_STR(image_config, created),
	{ "config", RECORD_OBJECT, 0, &config_type, false },
	F_END,
};
RECORD_TYPE(image_type, image_config, image_fields);

int image_config_from_json(yyjson_val *object, struct image_config *out, struct err *e)
{
	struct image_config made;
	int rc = record_read(&image_type, object, "", &made, e);

	if (rc < 0)
		return rc;
	*out = made;
	return 0;
}

void image_config_free(struct image_config *config)
{
	record_free(&image_type, config);
}
