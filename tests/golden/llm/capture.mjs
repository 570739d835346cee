// SPDX-License-Identifier: Apache-2.0
// Writes the golden model conversations: the official SDKs talk to the test provider through a recording TCP relay.
//   node capture.mjs NPM-FOLDER OUTPUT-FOLDER        NPM-FOLDER holds node_modules with both SDKs
//
// NAME.talk is what went over the connection, in order: "> BASE64" from the client, "< BASE64" from the server.
// NAME.txt is what the SDK made of it, one call after the other; digests are HMAC-SHA-256 under the unit tests' key:
//   call PROVIDER streamed=0|1 asked=M served=M response=ID request=ID stop=S
//   usage input=N output=N cacheRead=N cacheWrite=N total=N     (those that are there)
//   tool ID NAME BYTES DIGEST · result ID BYTES DIGEST · text BYTES DIGEST · prompt BYTES DIGEST
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [npm, out] = process.argv.slice(2);
const require = createRequire(join(resolve(npm), 'from.js'));
const OpenAI = require('openai');
const Anthropic = require('@anthropic-ai/sdk');

const key = Buffer.alloc(32);
key.write('unit test key');
const sized = (text) => `${Buffer.byteLength(text)} ${createHmac('sha256', key).update(text).digest('hex')}`;

let request_id; // of the last response: the helpers for streams do not tell it
async function noting_fetch(...args) {
	const response = await fetch(...args);

	request_id = response.headers.get('x-request-id') ?? response.headers.get('request-id');
	return response;
}

const asked = 'Please refund order A17: it was 2500 cents \u2013 \u201cbroken\u201d \u{1f4e6}.\nThanks';
const result = '{"id":"re_1","status":"succeeded","note":"\u00e9"}';
const schema = { type: 'object', properties: { order_id: { type: 'string' }, amount_cents: { type: 'integer' } } };

function usage_line(counts) {
	const present = Object.entries(counts).filter(([, n]) => n !== undefined && n !== null);

	return ['usage', ...present.map(([name, n]) => `${name}=${n}`)].join(' ');
}

async function openai(baseURL, stream) {
	const client = new OpenAI({ baseURL: `${baseURL}/v1`, apiKey: 'SECRET-KEY', maxRetries: 0, fetch: noting_fetch });
	const tools = [{ type: 'function', function: { name: 'refund_order', parameters: schema } }];
	const messages = [{ role: 'system', content: 'You handle refunds.' }, { role: 'user', content: asked }];
	const lines = [];

	for (let results = []; ;) {
		const body = { model: 'gpt-5.2', messages, tools };
		const reply = stream
			? await client.chat.completions.stream({ ...body, stream_options: { include_usage: true } }).finalChatCompletion()
			: await client.chat.completions.create(body);
		const { message, finish_reason } = reply.choices[0];
		const u = reply.usage;

		lines.push(`call openai.chat streamed=${Number(stream)} asked=${body.model} served=${reply.model} ` +
			`response=${reply.id} request=${request_id} stop=${finish_reason}`);
		lines.push(usage_line({ input: u.prompt_tokens, output: u.completion_tokens,
			cacheRead: u.prompt_tokens_details?.cached_tokens, total: u.total_tokens }));
		for (const t of message.tool_calls ?? [])
			lines.push(`tool ${t.id} ${t.function.name} ${sized(t.function.arguments)}`);
		for (const [id, text] of results)
			lines.push(`result ${id} ${sized(text)}`);
		if (message.content)
			lines.push(`text ${sized(message.content)}`);
		lines.push(`prompt ${sized(asked)}`);
		if (!message.tool_calls?.length)
			return lines;
		results = message.tool_calls.map((t) => [t.id, result]);
		messages.push({ role: 'assistant', content: message.content, tool_calls: message.tool_calls });
		for (const [tool_call_id, content] of results)
			messages.push({ role: 'tool', tool_call_id, content });
	}
}

async function anthropic(baseURL, stream) {
	const client = new Anthropic({ baseURL, apiKey: 'SECRET-KEY', maxRetries: 0, fetch: noting_fetch });
	const tools = [{ name: 'refund_order', input_schema: schema }];
	const messages = [{ role: 'user', content: [{ type: 'text', text: asked }] }];
	const lines = [];

	for (let results = []; ;) {
		const body = { model: 'claude-sonnet-5', max_tokens: 512, system: 'You handle refunds.', tools, messages };
		const reply = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body);
		const text = reply.content.filter((b) => b.type === 'text').map((b) => b.text).join('');
		const calls = reply.content.filter((b) => b.type === 'tool_use');
		const u = reply.usage;

		lines.push(`call anthropic.messages streamed=${Number(stream)} asked=${body.model} served=${reply.model} ` +
			`response=${reply.id} request=${request_id} stop=${reply.stop_reason}`);
		lines.push(usage_line({ input: u.input_tokens, output: u.output_tokens,
			cacheRead: u.cache_read_input_tokens, cacheWrite: u.cache_creation_input_tokens }));
		for (const t of calls)
			lines.push(`tool ${t.id} ${t.name} ${sized(JSON.stringify(t.input))}`);
		for (const [id, content] of results)
			lines.push(`result ${id} ${sized(content)}`);
		if (text)
			lines.push(`text ${sized(text)}`);
		lines.push(`prompt ${sized(asked)}`);
		if (!calls.length)
			return lines;
		results = calls.map((t) => [t.id, result]);
		messages.push({ role: 'assistant', content: reply.content }, { role: 'user',
			content: results.map(([tool_use_id, content]) => ({ type: 'tool_result', tool_use_id, content })) });
	}
}

// One relay per recording; all connections of a client go into one file, so the client must keep one alive.
function relay(port, record) {
	return new Promise((done) => {
		const server = net.createServer((client) => {
			const upstream = net.connect(port, '127.0.0.1');

			record.connections++;
			client.on('data', (b) => { record.lines.push(`> ${b.toString('base64')}`); upstream.write(b); });
			upstream.on('data', (b) => { record.lines.push(`< ${b.toString('base64')}`); client.write(b); });
			for (const [a, b] of [[client, upstream], [upstream, client]]) {
				a.on('end', () => b.end());
				a.on('error', () => b.destroy());
			}
		});

		server.listen(0, '127.0.0.1', () => done(server));
	});
}

const work = mkdtempSync(join(tmpdir(), 'capture-'));
const provider = spawn(process.execPath, [fileURLToPath(new URL('../../lib/servers/provider.mjs', import.meta.url)),
	'--plain', '--addr', '127.0.0.1', '--port', '0', '--log', join(work, 'log')], { stdio: ['ignore', 'pipe', 'inherit'] });
const port = await new Promise((done) => provider.stdout.once('data', (b) => done(Number(/ready (\d+)/.exec(b)[1]))));

try {
	for (const [name, talk] of [['openai', openai], ['anthropic', anthropic]]) {
		for (const stream of [false, true]) {
			const record = { lines: [], connections: 0 };
			const server = await relay(port, record);
			const expected = await talk(`http://127.0.0.1:${server.address().port}`, stream);
			const file = join(out, `${name}_${stream ? 'stream' : 'json'}`);

			server.close();
			if (record.connections !== 1)
				throw new Error(`${name}: ${record.connections} connections`);
			writeFileSync(`${file}.talk`, record.lines.join('\n') + '\n');
			writeFileSync(`${file}.txt`, expected.join('\n') + '\n');
		}
	}
} finally {
	provider.kill('SIGTERM');
	await once(provider, 'exit');
	rmSync(work, { recursive: true });
}
process.exit(0);
