// SPDX-License-Identifier: Apache-2.0
// The Node agent of the truth suite with official SDKs:
//   node agent.mjs openai|anthropic|mcp|stdio|grpc PLAN      carries out the groups of runs in that JSON file, see ../kinds.py
// From the environment: WW_TOOLS (JSON: host, method, path by tool), CA_FILE, and what telemetry.mjs reads.
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';

import Anthropic from '@anthropic-ai/sdk';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import OpenAI from 'openai';

import { SpanKind, SpanStatusCode, start_telemetry, trace_headers } from './telemetry.mjs';

const [, , kind, plan] = process.argv;
const tools = JSON.parse(process.env.WW_TOOLS);
const telemetry = start_telemetry(`truth-${kind}`);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const good = (reply) => reply !== null && reply.status >= 200 && reply.status < 300;
let previous = '{"id":"r_000000000000","status":"posted"}';

// --- models: each takes the conversation so far and adds the answer ---------------------------------

const openai = new OpenAI({ baseURL: 'https://api.provider.test/v1', apiKey: 'test-key', maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: 'https://api.provider.test', apiKey: 'test-key', maxRetries: 0 });
const schema = { type: 'object', properties: { order_id: { type: 'string' }, amount_cents: { type: 'integer' } } };

async function ask_openai(run, messages, options) {
	const body = { model: 'gpt-5-mini', messages,
		tools: [{ type: 'function', function: { name: run.tool, description: 'A tool.', parameters: schema } }] };
	const reply = run.stream
		? await openai.chat.completions.stream({ ...body, stream_options: { include_usage: true } }, options).finalChatCompletion()
		: await openai.chat.completions.create(body, options);

	messages.push(reply.choices[0].message);
	return reply;
}

async function ask_anthropic(run, messages, options) {
	const body = { model: 'claude-sonnet-5', max_tokens: 1024, messages,
		tools: [{ name: run.tool, description: 'A tool.', input_schema: schema }] };
	const reply = run.stream ? await anthropic.messages.stream(body, options).finalMessage() : await anthropic.messages.create(body, options);

	messages.push({ role: 'assistant', content: reply.content });
	return reply;
}

const models = {
	openai: { name: 'gpt-5-mini', ask: ask_openai, result: (id, content) => ({ role: 'tool', tool_call_id: id, content }) },
	anthropic: { name: 'claude-sonnet-5', ask: ask_anthropic,
		result: (id, content) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content }] }) },
};

function chat(model, run, messages) {
	const attributes = {
		'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': kind, 'gen_ai.request.model': model.name,
		'server.address': 'api.provider.test', 'server.port': 443,
	};

	return telemetry.span(`chat ${model.name}`, SpanKind.CLIENT, attributes, async (span) => {
		const reply = await model.ask(run, messages, { headers: { ...trace_headers(), 'x-tag': run.run } });

		span.setAttributes({ 'gen_ai.response.id': reply.id, 'gen_ai.response.model': reply.model });
	});
}

// --- what a tool does: each returns {status, text} --------------------------------------------------

async function request(run, op) {
	const [host, method, path] = tools[run.tool] ?? ['payments.test', 'POST', '/v1/refunds'];
	const verb = op.do === 'get' ? 'GET' : method;
	const headers = { 'x-tag': run.run };

	if (['parent', 'both'].includes(op.trace))
		Object.assign(headers, trace_headers());
	if (['key', 'both'].includes(op.trace) && !op.aside)
		headers['idempotency-key'] = `call_${run.run}`;
	if (op.token)
		headers.authorization = `Bearer ${op.token}`;
	if (verb === 'POST')
		headers['content-type'] = 'application/json';
	const body = { order_id: run.run, amount_cents: run.cents, customer: op.subject ?? run.customer, script: op.script };
	const response = await fetch(`https://${op.host ?? host}:${op.port ?? 443}${op.path ?? path}`, {
		method: verb, headers, body: verb === 'GET' ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(op.timeout ?? 10_000),
	});

	return { status: response.status, text: await response.text() };
}

// A session begins with messages of its own to the same path: outside of every tool's span.
let mcp = null;
let mcp_headers = {};
async function mcp_start() {
	const tagged = (url, init) => fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...mcp_headers } });

	mcp = new Client({ name: 'truth', version: '1' });
	await mcp.connect(new StreamableHTTPClientTransport(new URL('https://payments.test/mcp'), { fetch: tagged }));
	await pause(200);
}

// The same over the standard input and output of a server that is started here.
async function stdio_start() {
	mcp = new Client({ name: 'truth', version: '1' });
	await mcp.connect(new StdioClientTransport({ command: process.execPath, args: process.env.WW_STDIO.split(' '), env: process.env }));
	await pause(200);
}

async function stdio_call(run, op) {
	const { traceparent } = trace_headers();
	const meta = op.trace === 'none' ? {} : { _meta: { traceparent } };
	const result = await mcp.callTool({ name: run.tool, arguments: { order_id: run.run, script: op.script }, ...meta });

	return { status: result.isError ? 500 : 200, text: JSON.stringify(result) };
}

async function mcp_call(run, op) {
	mcp_headers = { 'x-tag': run.run, ...(op.trace === 'none' ? {} : trace_headers()) };
	try {
		const result = await mcp.callTool({ name: 'mcp_refund', arguments: { order_id: run.run, script: op.script } });

		return { status: result.isError ? 500 : 200, text: JSON.stringify(result) };
	} finally {
		mcp_headers = {};
	}
}

let session = null;
function grpc_call(run, op) {
	session ??= http2.connect('https://grpc.test', { ca: readFileSync(process.env.CA_FILE) });
	return new Promise((resolve, reject) => {
		const stream = session.request({ ':method': 'POST', ':path': '/pay.Refunds/Create', 'content-type': 'application/grpc',
			'x-tag': run.run, 'x-script': op.script, te: 'trailers', ...trace_headers() });
		let grpc = '';

		stream.on('trailers', (trailers) => (grpc = trailers['grpc-status']));
		stream.on('error', reject);
		stream.on('close', () => resolve({ status: grpc === '0' ? 200 : 500, text: JSON.stringify({ grpc }) }));
		stream.resume();
		stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
	});
}

const callers = { mcp: mcp_call, stdio: stdio_call, grpc: grpc_call };

async function carry_out(run) {
	let reply = null;

	for (const op of run.ops) {
		if (op.do === 'wait') {
			await pause(op.ms);
			continue;
		}
		const what = op.do === 'readback' ? { ...op, do: 'get', path: `/v1/refunds/${JSON.parse(reply.text).id}`, aside: true } : op;
		let got;

		try {
			got = await (callers[kind] ?? request)(run, what);
		} catch (error) {
			got = { status: 0, text: JSON.stringify({ error: error.name }) };
		}
		if (!what.aside)
			reply = got;
	}
	return reply;
}

async function tool(run) {
	if (!run.span)
		return carry_out(run);
	const attributes = {
		'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': run.tool, 'gen_ai.tool.type': 'function',
		'gen_ai.tool.call.id': `call_${run.run}`,
	};

	return telemetry.span(`execute_tool ${run.tool}`, SpanKind.INTERNAL, attributes, async (span) => {
		const reply = await carry_out(run);
		const ok = run.span === 'ok' || (run.span === 'honest' && good(reply));

		span.setStatus({ code: ok ? SpanStatusCode.OK : SpanStatusCode.ERROR });
		return reply;
	});
}

function shown(run, reply) {
	const before = previous;
	const real = reply?.text || '{"status":"ok"}';

	if (reply && [200, 201].includes(reply.status))
		previous = real;
	return { real, ok: '{"status":"ok"}', refused: `{"id":"${run.run}","error":"the user did not allow it"}`,
		reparsed: run.show === 'reparsed' && JSON.stringify(JSON.parse(real)).normalize('NFD'), other: `{"id":"r_${run.cents.toString(16).padStart(12, '0')}","status":"posted"}`, previous: before }[run.show];
}

async function turn(run) {
	await telemetry.span('invoke_agent', SpanKind.INTERNAL, { 'gen_ai.operation.name': 'invoke_agent' }, async (root) => {
		if (run.model) {
			const input = JSON.stringify({ order_id: run.run, amount_cents: run.cents });
			const messages = [{ role: 'user', content: `Use ${run.tool} with ${input}, call id call_${run.run}.${run.say ? ` Then say: ${run.say}` : ''}` }];

			await chat(models[kind], run, messages);
			messages.push(models[kind].result(`call_${run.run}`, shown(run, await tool(run))));
			await chat(models[kind], run, messages);
		} else {
			await tool(run);
		}
		if (run.claim)
			root.addEvent('wirewitness.claim', {
				'claim.id': `claim-${run.run}`, 'claim.tool': run.tool, 'claim.tense': 'done',
				...(run.claim === 'call' ? { 'claim.tool_call_id': `call_${run.run}` } : {}),
			});
		root.setStatus({ code: SpanStatusCode.OK });
	});
}

let left = 7;
if (kind === 'mcp')
	await mcp_start();
if (kind === 'stdio')
	await stdio_start();
for (const group of JSON.parse(readFileSync(plan, 'utf8'))) {
	await Promise.all(group.map(turn));
	if (--left === 0) {
		await telemetry.flush();
		left = 1 + (group[0].cents % 12);
	}
	await pause(group[0].gap);
}
await telemetry.stop();
await mcp?.close();
session?.close();
console.log('done');
