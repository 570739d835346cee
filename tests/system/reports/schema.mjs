// SPDX-License-Identifier: Apache-2.0
// Checks JSON documents against the published schemas with ajv: schema.mjs SCHEMADIR NPM report|records|actions|why|path|stream|tables|policy FILE...
// records: NDJSON, each line against the schema of its kind. report: a payload, and each record's text in it.
// Strict on top of the published form: a member that the schemas do not name is an error here.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';

const [dir, npm, what, ...files] = process.argv.slice(2);
const require = createRequire(npm + '/');
const Ajv2020 = require('ajv/dist/2020').default;
const ajv = new Ajv2020({ allErrors: false, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });

// Every object that lists its members has no others.
function close(node) {
	if (Array.isArray(node)) {
		node.forEach(close);
	} else if (node && typeof node === 'object') {
		if (node.properties && node.additionalProperties === undefined && node.required)
			node.additionalProperties = false;
		Object.values(node).forEach(close);
	}
	return node;
}

const load = (path) => ajv.compile(close(JSON.parse(readFileSync(path, 'utf8'))));
const records = new Map();
for (const file of readdirSync(`${dir}/records`))
	records.set(file.replace('.json', ''), load(`${dir}/records/${file}`));
const lines = Object.fromEntries(['actions', 'why', 'path', 'stream', 'tables', 'policy'].map((name) => [name, load(`${dir}/${name}-v1.schema.json`)]));
const report = load(`${dir}/report-v1.schema.json`);

let bad = 0;
const seen = new Map();
function check(validate, value, where) {
	if (validate && validate(value))
		return;
	if (bad++ < 5)
		console.log(`${where}: ${validate ? ajv.errorsText(validate.errors) : 'no schema'}`);
}
// A line of the stream holds the record; a pruned one is null there.
function record(text, where) {
	const line = JSON.parse(text), value = line.record === undefined ? line : line.record;

	if (value === null)
		return;
	seen.set(value.kind, (seen.get(value.kind) ?? 0) + 1);
	check(records.get(value.kind), value, where);
}

for (const file of files) {
	const text = readFileSync(file, 'utf8');
	if (lines[what]) {
		text.split('\n').filter(Boolean).forEach((line, n) => {
			seen.set(what, (seen.get(what) ?? 0) + 1);
			check(lines[what], JSON.parse(line), `${file}:${n + 1}`);
		});
	} else if (what === 'records') {
		text.split('\n').filter(Boolean).forEach((line, n) => record(line, `${file}:${n + 1}`));
	} else {
		const value = JSON.parse(text);
		check(report, value, file);
		for (const r of value.predicate.records)
			if (r.record !== undefined)
				record(r.record, `${file}: record ${r.index}`);
	}
}
console.log([...seen].sort().map(([kind, n]) => `${kind} ${n}`).join(', '));
console.log(bad ? `${bad} do not fit` : 'all fit');
process.exit(bad ? 1 : 0);
