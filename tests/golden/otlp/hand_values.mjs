// SPDX-License-Identifier: Apache-2.0
// Writes hand_values.pb and hand_values.json: one request with values that the SDK's own API does not let through
// (bytes, maps, nesting, lone surrogates, very long texts), made by OpenTelemetry's JavaScript serializers.
//   node hand_values.mjs FOLDER     FOLDER/node_modules has @opentelemetry/otlp-transformer (made with 0.223.1)
// Then reads hand_partial.*, the receiver's answers in its unit test, with the same library.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { deepStrictEqual } from "node:assert";

const load = createRequire(resolve(process.argv[2] ?? ".", "x.js"));
const { ProtobufTraceSerializer, JsonTraceSerializer } = load("@opentelemetry/otlp-transformer");
const here = new URL(".", import.meta.url);
const long = "\u20ac".repeat(1400); // 4,200 bytes: the ceiling lies inside a character

const attributes = {
	string: "plain",
	empty: "",
	unicode: "Zürich \u20ac \ud83d\ude80 \u0000 \" \\ \n \u2028",
	lone: "a\ud800b",
	yes: true,
	no: false,
	int: 42,
	negative: -42,
	safe: Number.MAX_SAFE_INTEGER,
	tenth: 0.1,
	third: 1 / 3,
	tiny: 5e-324,
	huge: 1.7976931348623157e308,
	bytes: new Uint8Array([0, 1, 2, 253, 254, 255]),
	"no bytes": new Uint8Array([]),
	"many bytes": new Uint8Array(3100).fill(7),
	strings: ["a", "b \"quoted\"", "\ud83d\ude80"],
	numbers: [1, 2.5, -3],
	mixed: ["a", 1, true, 0.5, [1, [2, [3]]], { k: "v" }, new Uint8Array([1])],
	none: [],
	map: { a: 1, "b c": { d: ["e"], f: {} }, bytes: new Uint8Array([9, 9]) },
	nothing: null,
	long,
	"long list": new Array(700).fill("item"),
	"long in list": [long, "after"],
};

const span = {
	name: "values",
	kind: 0,
	spanContext: () => ({ traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", traceFlags: 1 }),
	startTime: [1795428000, 123456789],
	endTime: [1795428001, 987654321],
	status: { code: 0 },
	attributes,
	droppedAttributesCount: 0,
	events: [],
	droppedEventsCount: 0,
	links: [],
	droppedLinksCount: 0,
	resource: { attributes: {} },
	instrumentationScope: { name: "" },
};

writeFileSync(new URL("hand_values.pb", here), ProtobufTraceSerializer.serializeRequest([span]));
writeFileSync(new URL("hand_values.json", here), JsonTraceSerializer.serializeRequest([span]));

const partial = { partialSuccess: { rejectedSpans: "1", errorMessage: "span rejected: trace id is not 16 bytes" } };
const pb = ProtobufTraceSerializer.deserializeResponse(readFileSync(new URL("hand_partial.pb", here)));
deepStrictEqual(String(pb.partialSuccess.rejectedSpans), partial.partialSuccess.rejectedSpans);
deepStrictEqual(pb.partialSuccess.errorMessage, partial.partialSuccess.errorMessage);
const json = JsonTraceSerializer.deserializeResponse(readFileSync(new URL("hand_partial.json", here)));
deepStrictEqual(json, partial);
