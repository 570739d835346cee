// SPDX-License-Identifier: Apache-2.0
// Writes the golden OTLP request bodies with the official SDK and its serializers, so that our decoder is
// tested against bytes that we did not make:
//   node otlp_golden.mjs OUTPUT-FOLDER       NAME.pb, NAME.json (one export request each) and NAME.txt
// The same output in every run: ids come from a counter, times from the script.
//
// NAME.txt is what a decoder must find in either encoding, spans in order of their end:
//   span TRACE SPAN PARENT|- kind=N status=N start=NS end=NS service=S scope=S name=REST OF LINE
//   attr TYPE KEY VALUE      TYPE: the field number of AnyValue; arrays and maps as JSON without spaces
//   claim ID ACTION TOOL CALL-ID done|will     for each event wirewitness.claim
import { mkdirSync, writeFileSync } from 'node:fs';

import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

const start_s = 1790000000;
const ns = ([s, n]) => (BigInt(s) * 1000000000n + BigInt(n)).toString();
const hex = (n, digits) => n.toString(16).padStart(digits, '0');

let ids = 0;
const idGenerator = {
	generateTraceId: () => hex(0xa1b2c3d4e5f60718n * 0x10000000000000001n + BigInt(++ids), 32).slice(-32),
	generateSpanId: () => hex(0xf1e2d3c4b5a69700n + BigInt(++ids), 16),
};

// One application: provider, tracer, and a clock that the script moves.
function application(service, scope, resource = {}) {
	const memory = new InMemorySpanExporter();
	const provider = new NodeTracerProvider({
		resource: resourceFromAttributes({ 'service.name': service, ...resource }), idGenerator,
		spanProcessors: [new SimpleSpanProcessor(memory)],
	});
	const tracer = provider.getTracer(scope, '1.0.0');
	let tick = 0;
	const clock = () => [start_s, 123456789 + 1000003 * ++tick];

	return {
		memory,
		open(name, options = {}, parent = null) {
			const span = tracer.startSpan(name, { startTime: clock(), ...options },
				parent ? trace.setSpan(context.active(), parent) : context.active());
			return {
				span,
				event: (event, attributes) => span.addEvent(event, attributes, clock()),
				close(status) {
					if (status)
						span.setStatus(status);
					span.end(clock());
				},
			};
		},
	};
}

function value_text(value) {
	if (Array.isArray(value))
		return JSON.stringify(value);
	return String(value);
}

function value_type(value) {
	if (Array.isArray(value))
		return 5;
	if (typeof value === 'number')
		return Number.isInteger(value) ? 3 : 4;
	return { string: 1, boolean: 2 }[typeof value];
}

function expected(span) {
	const { traceId, spanId } = span.spanContext();
	const lines = [
		`span ${traceId} ${spanId} ${span.parentSpanContext?.spanId ?? '-'} kind=${span.kind + 1} status=${span.status.code} ` +
		`start=${ns(span.startTime)} end=${ns(span.endTime)} service=${span.resource.attributes['service.name']} ` +
		`scope=${span.instrumentationScope.name} name=${span.name}`,
	];

	for (const [key, value] of Object.entries(span.attributes))
		lines.push(`attr ${value_type(value)} ${key} ${value_text(value)}`);
	for (const { name, attributes: a } of span.events)
		if (name === 'wirewitness.claim')
			lines.push(`claim ${a['claim.id']} ${a['claim.action']} ${a['claim.tool']} ${a['claim.tool_call_id']} ${a['claim.tense']}`);
	return lines.join('\n') + '\n';
}

const cases = {
	// What the demo agent exports in one turn.
	agent_turn() {
		const app = application('refund-agent', 'refund-agent', { 'process.pid': 4242 });
		const conversation = { 'gen_ai.conversation.id': 'conv-1' };
		const root = app.open('invoke_agent refund-agent',
			{ attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'refund-agent', ...conversation } });
		const chat = app.open('chat gpt-5-mini', {
			kind: SpanKind.CLIENT, attributes: {
				'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'gpt-5-mini',
				'server.address': 'api.provider.test', 'server.port': 443, ...conversation,
			},
		}, root.span);
		chat.span.setAttributes({
			'gen_ai.response.id': 'chatcmpl-519a832cabe936f41c25bb913158e', 'gen_ai.response.model': 'gpt-5-mini-2026-01-15',
			'gen_ai.response.finish_reasons': ['tool_calls'], 'gen_ai.usage.input_tokens': 38, 'gen_ai.usage.output_tokens': 10,
		});
		chat.close();
		const tool = app.open('execute_tool refund_order', {
			attributes: {
				'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'refund_order', 'gen_ai.tool.type': 'function',
				'gen_ai.tool.call.id': 'call_f9c6b55487e506db354bd118', ...conversation,
			},
		}, root.span);
		root.event('wirewitness.claim', {
			'claim.id': 'claim-call_f9c6b55487e506db354bd118', 'claim.action': 'refund', 'claim.tool': 'refund_order',
			'claim.tool_call_id': 'call_f9c6b55487e506db354bd118', 'claim.tense': 'done',
		});
		tool.close({ code: SpanStatusCode.OK });
		root.close({ code: SpanStatusCode.OK });
		return app.memory.getFinishedSpans();
	},

	// The same model call in the names of four generations of the conventions.
	generations() {
		const app = application('mixed-fleet', 'vendor.instrumentation');
		const generations = [
			{ 'gen_ai.system': 'openai', 'gen_ai.request.model': 'm', 'gen_ai.usage.prompt_tokens': 11, 'gen_ai.usage.completion_tokens': 7 },
			{ 'gen_ai.system': 'openai', 'gen_ai.operation.name': 'chat', 'gen_ai.usage.input_tokens': 11, 'gen_ai.usage.output_tokens': 7,
				'gen_ai.prompt': '[{"role":"user","content":"hello"}]' },
			{ 'gen_ai.provider.name': 'azure.ai.openai', 'gen_ai.operation.name': 'chat', 'gen_ai.response.model': 'm-2',
				'gen_ai.usage.input_tokens': 11, 'gen_ai.usage.output_tokens': 7, 'gen_ai.usage.cache_creation.input_tokens': 3 },
			{ 'gen_ai.provider.name': 'anthropic', 'gen_ai.operation.name': 'chat', 'gen_ai.usage.input_tokens': 11,
				'gen_ai.usage.output_tokens': 7, 'gen_ai.usage.cache_write.input_tokens': 3, 'gen_ai.response.id': 'msg_01' },
		];

		for (const [index, attributes] of generations.entries())
			app.open(`generation ${index + 1}`, { kind: SpanKind.CLIENT, attributes }).close();
		return app.memory.getFinishedSpans();
	},

	// Every kind of value, status, span kind and text.
	values() {
		const app = application('Grüße & 日本語', 'scope with spaces');
		const one = app.open('all values', {
			kind: SpanKind.SERVER, attributes: {
				text: 'plain', empty: '', quoted: 'a "quoted" \\ back\tslash', wide: 'ÄÖ€ 😀', yes: true, no: false, zero: 0, int: 42,
				negative: -7, large: Number.MAX_SAFE_INTEGER, half: 0.5, minus: -2.25, texts: ['a', 'b,c', ''], ints: [1, -2, 3],
				flags: [true, false], none: [],
			},
		});
		one.event('something happened', { detail: 'x' });
		one.close({ code: SpanStatusCode.ERROR, message: 'it failed' });
		const two = app.open('', { kind: SpanKind.PRODUCER, links: [{ context: one.span.spanContext(), attributes: { why: 'cause' } }] });
		two.close({ code: SpanStatusCode.OK });
		app.open('consumer', { kind: SpanKind.CONSUMER }, two.span).close();
		return app.memory.getFinishedSpans();
	},

	// Claims: two on one span, one of them about the future.
	claims() {
		const app = application('claims', 'claims');
		const root = app.open('invoke_agent x', { attributes: { 'gen_ai.operation.name': 'invoke_agent' } });

		for (const [id, tense] of [['c1', 'done'], ['c2', 'will']])
			root.event('wirewitness.claim', {
				'claim.id': id, 'claim.action': 'refund', 'claim.tool': 'refund_order', 'claim.tool_call_id': `call_${id}`,
				'claim.tense': tense,
			});
		root.close();
		return app.memory.getFinishedSpans();
	},

	// Two applications in one request, as a gateway sends it.
	two_resources() {
		const first = application('first', 'scope-a');
		const second = application('second', 'scope-b');

		first.open('one').close();
		second.open('two').close();
		return [...first.memory.getFinishedSpans(), ...second.memory.getFinishedSpans()];
	},

	empty: () => [],
};

const out = process.argv[2];

mkdirSync(out, { recursive: true });
for (const [name, make] of Object.entries(cases)) {
	const spans = make();

	writeFileSync(`${out}/${name}.pb`, ProtobufTraceSerializer.serializeRequest(spans));
	writeFileSync(`${out}/${name}.json`, JsonTraceSerializer.serializeRequest(spans));
	writeFileSync(`${out}/${name}.txt`, spans.map(expected).join(''));
}
