/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/attester_yaml.h"

static int take_name(struct ww_yaml *r, void *into)
{
	static const char expected[] = "a name of letters, digits, '.', '_' and '-', at most 63";
	struct ww_attester *a = into;

	if (!ww_yaml_is_text(r) || !ww_attester_name_ok(ww_yaml_scalar(r)))
		return ww_yaml_fail(r, expected);
	memcpy(a->name, ww_yaml_scalar(r).p, ww_yaml_scalar(r).n);
	return 0;
}

static int take_key(struct ww_yaml *r, void *into)
{
	if (!ww_yaml_is_text(r) || ww_attester_key_parse(ww_yaml_scalar(r), into) < 0)
		return ww_yaml_fail(r, "an Ed25519 or P-256 public key: its SubjectPublicKeyInfo "
				       "in base64, as between the lines of a PEM file");
	return 0;
}

static int take_attester(struct ww_yaml *r, void *into)
{
	static const struct ww_yaml_field fields[] = {
		{"name", take_name, true, 0},
		{"key", take_key, true, 0},
	};

	((struct ww_attester *)into)->line = ww_yaml_line(r);
	return ww_yaml_mapping(r, fields, WW_ARRAY_SIZE(fields), into);
}

int ww_attesters_take(struct ww_yaml *r, const char *once, struct ww_attester **list,
		      unsigned *count)
{
	if (ww_yaml_list(r, 1, WW_ATTESTERS_MAX, (void **)list, count, sizeof(**list),
			 take_attester) < 0)
		return r->err;
	for (unsigned i = 1; i < *count; i++) {
		for (unsigned k = 0; k < i; k++) {
			const struct ww_attester *a = *list + i, *b = *list + k;

			if (strcmp(a->name, b->name) == 0 || ww_attester_same_key(a, b))
				return ww_yaml_fail_at(r, a->line, once, "its name or key again");
		}
	}
	return 0;
}
