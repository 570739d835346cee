// SPDX-License-Identifier: Apache-2.0
// Writes the golden conversations of the other dialects: official SDKs against answers in the published shape, through
// a server that records what goes over the connection.
//   npm ci, then: node dialects.mjs NPM-FOLDER OUTPUT-FOLDER        NPM-FOLDER holds node_modules (package.json beside this file)
// The files are as capture.mjs has them; ids that a dialect lacks are empty. A call of the provider's own says "remote".
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import http from 'node:http';
import net from 'node:net';
import { join, resolve } from 'node:path';

const [npm, out] = process.argv.slice(2);
const require = createRequire(join(resolve(npm), 'from.js'));
const OpenAI = require('openai');
const { AzureOpenAI } = OpenAI;
const { GoogleGenAI } = require('@google/genai');
const { Ollama } = require('ollama');
const aws = require('@aws-sdk/client-bedrock-runtime');
const { EventStreamCodec } = require('@smithy/core/event-streams');
const { NodeHttpHandler } = require('@smithy/node-http-handler');

const key = Buffer.alloc(32);
key.write('unit test key');
const sized = (text) => `${Buffer.byteLength(text)} ${createHmac('sha256', key).update(text).digest('hex')}`;

const asked = 'Please refund order A17: it was 2500 cents \u2013 \u201cbroken\u201d \u{1f4e6}.\nThanks';
const result = { id: 're_1', status: 'succeeded', note: '\u00e9' };
const result_text = JSON.stringify(result);
const args = { order_id: 'A17', amount_cents: 2500 };
const args_text = JSON.stringify(args);
const done = 'Done: order A17 \u2013 25.00 \u20ac.';
const system = 'You handle refunds.';
const schema = { type: 'object', properties: { order_id: { type: 'string' }, amount_cents: { type: 'integer' } } };
const halves = (text) => [text.slice(0, 9), text.slice(9)];

// --- what the servers answer; n is 0 for the call, 1 for the text --------------------------------------------------

const sse = (data, event) => `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const json = (body, headers) => ({ headers: { 'content-type': 'application/json', ...headers }, parts: [JSON.stringify(body)] });
const events = (parts, headers) => ({ headers: { 'content-type': 'text/event-stream', ...headers }, parts });

// vLLM: no prompt details unless asked, its own call ids, counts in each chunk, a member "stop_reason" of its own.
function vllm({ n, stream }) {
	const base = { id: `chatcmpl-5f0e${n}`, created: 1790000000, model: 'Qwen/Qwen3-32B' };
	const call = { id: 'chatcmpl-tool-8d1f', type: 'function', function: { name: 'refund_order', arguments: args_text } };
	const usage = { prompt_tokens: 211 + n, total_tokens: 240 + n, completion_tokens: 29, prompt_tokens_details: null };
	const finish_reason = n ? 'stop' : 'tool_calls';

	if (!stream)
		return json({ ...base, object: 'chat.completion', choices: [{ index: 0, message: { role: 'assistant', reasoning_content: 'hm', content: n ? done : null,
			tool_calls: n ? [] : [call] }, logprobs: null, finish_reason, stop_reason: null }], usage, prompt_logprobs: null });
	const chunk = (delta, finish = null) => ({ ...base, object: 'chat.completion.chunk',
		choices: [{ index: 0, delta, logprobs: null, finish_reason: finish, ...finish && { stop_reason: null } }],
		usage: { prompt_tokens: 211 + n, total_tokens: 212 + n, completion_tokens: 1 } });
	const deltas = n ? halves(done).map((content) => ({ content }))
		: [{ tool_calls: [{ ...call, index: 0, function: { name: call.function.name } }] },
			...halves(args_text).map((part) => ({ tool_calls: [{ index: 0, function: { arguments: part } }] }))];

	return events([chunk({ role: 'assistant', content: '' }), chunk({ reasoning_content: 'hm' }), ...deltas.map((d) => chunk(d)), chunk({}, finish_reason),
		{ ...base, object: 'chat.completion.chunk', choices: [], usage }, '[DONE]'].map((c) => sse(c)));
}

// Azure: the first chunk has the prompt's filter results and no choice; the deployment's name is not the model's.
function azure({ n, stream }) {
	const base = { id: `chatcmpl-Az${n}`, created: 1790000000, model: 'gpt-5.2-2026-01-15', system_fingerprint: 'fp_1' };
	const call = { id: 'call_Az1', type: 'function', function: { name: 'refund_order', arguments: args_text } };
	const prompt_filter_results = [{ prompt_index: 0, content_filter_results: { hate: { filtered: false, severity: 'safe' } } }];
	const usage = { prompt_tokens: 90 + n, completion_tokens: 12, total_tokens: 102 + n, prompt_tokens_details: { cached_tokens: 64 } };
	const headers = { 'apim-request-id': `0b9a0c1e-${n}`, 'x-ms-region': 'Sweden Central' };
	const finish_reason = n ? 'stop' : 'tool_calls';

	if (!stream)
		return json({ ...base, object: 'chat.completion', prompt_filter_results, choices: [{ index: 0, finish_reason, logprobs: null, content_filter_results: {},
			message: { role: 'assistant', content: n ? done : null, ...n ? {} : { tool_calls: [call] } } }], usage }, headers);
	const chunk = (delta, finish = null) => ({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, logprobs: null, finish_reason: finish, content_filter_results: {} }] });
	const deltas = n ? halves(done).map((content) => ({ content }))
		: [{ tool_calls: [{ ...call, index: 0, function: { name: call.function.name, arguments: '' } }] },
			...halves(args_text).map((part) => ({ tool_calls: [{ index: 0, function: { arguments: part } }] }))];

	return events([{ choices: [], created: 0, id: '', model: '', object: '', prompt_filter_results }, chunk({ role: 'assistant', content: n ? '' : null }),
		...deltas.map((d) => chunk(d)), chunk({}, finish_reason), { ...base, object: 'chat.completion.chunk', choices: [], usage }, '[DONE]'].map((c) => sse(c)), headers);
}

function responses({ n, stream }) {
	const search = { id: 'ws_1', type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'refunds' } };
	const items = n
		? [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: done, annotations: [] }] }]
		: [{ id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] }, search,
			{ id: 'fc_1', type: 'function_call', status: 'completed', call_id: 'call_R1', name: 'refund_order', arguments: args_text }];
	const response = { id: `resp_${n}`, object: 'response', created_at: 1790000000, status: 'completed', error: null, incomplete_details: null, model: 'gpt-5.2-2026-01-15',
		output: items, previous_response_id: null, parallel_tool_calls: true, tools: [], tool_choice: 'auto', metadata: {},
		usage: { input_tokens: 300 + n, input_tokens_details: { cached_tokens: 256 }, output_tokens: 40, output_tokens_details: { reasoning_tokens: 8 }, total_tokens: 340 + n } };
	const headers = { 'x-request-id': `req_R${n}` };

	if (!stream)
		return json(response, headers);
	const list = [['response.created', { response: { ...response, status: 'in_progress', output: [], usage: null } }]];

	for (const [output_index, item] of items.entries()) {
		const at = { output_index, item_id: item.id };

		list.push(['response.output_item.added', { output_index, item: { ...item, status: 'in_progress', ...item.content && { content: [] },
			...item.arguments && { arguments: '' }, ...item.summary && { summary: [] } } }]);
		if (item.type === 'message') {
			list.push(['response.content_part.added', { ...at, content_index: 0, part: { type: 'output_text', text: '', annotations: [] } }]);
			for (const delta of halves(done))
				list.push(['response.output_text.delta', { ...at, content_index: 0, delta, logprobs: [] }]);
			list.push(['response.output_text.done', { ...at, content_index: 0, text: done, logprobs: [] }],
				['response.content_part.done', { ...at, content_index: 0, part: item.content[0] }]);
		}
		if (item.type === 'function_call') {
			for (const delta of halves(args_text))
				list.push(['response.function_call_arguments.delta', { ...at, delta }]);
			list.push(['response.function_call_arguments.done', { ...at, name: item.name, arguments: args_text }]);
		}
		list.push(['response.output_item.done', { output_index, item }]);
	}
	list.push(['response.completed', { response }]);
	return events(list.map(([type, rest], sequence_number) => sse({ type, sequence_number, ...rest }, type)), headers);
}

// Counts are in each answer of a stream, and grow.
function gemini({ n, stream }) {
	const head = { modelVersion: 'gemini-3-pro-001', responseId: `gem-${n}` };
	const usage = (candidatesTokenCount) => ({ promptTokenCount: 120 + n, cachedContentTokenCount: 100, ...candidatesTokenCount && { candidatesTokenCount }, thoughtsTokenCount: 31,
		totalTokenCount: 151 + n + (candidatesTokenCount ?? 0), promptTokensDetails: [{ modality: 'TEXT', tokenCount: 120 + n }], trafficType: 'ON_DEMAND' });
	const answer = (parts, finishReason, count) => ({ candidates: [{ content: { parts, role: 'model' }, ...finishReason && { finishReason }, index: 0 }], usageMetadata: usage(count), ...head });
	const thought = { text: 'hm', thought: true };
	const call = { functionCall: { name: 'refund_order', args }, thoughtSignature: 'c2ln' };

	if (!stream)
		return json(answer(n ? [thought, { text: done }] : [thought, call], 'STOP', 17));
	return events((n ? [answer([thought]), ...halves(done).map((text, i) => answer([{ text }], '', 9 + i)), answer([{ text: '' }], 'STOP', 17)]
		: [answer([thought]), answer([call], '', 17), answer([{ text: '' }], 'STOP', 17)]).map((a) => sse(a)));
}

const codec = new EventStreamCodec((b) => Buffer.from(b).toString('utf8'), (s) => Buffer.from(s, 'utf8'));
const frame = (type, body) => Buffer.from(codec.encode({ headers: { ':event-type': { type: 'string', value: type },
	':content-type': { type: 'string', value: 'application/json' }, ':message-type': { type: 'string', value: 'event' } }, body: Buffer.from(JSON.stringify(body)) }));

function converse({ n, stream }) {
	const headers = { 'x-amzn-requestid': `7b0f8f0e-${n}` };
	const usage = { inputTokens: 50 + n, outputTokens: 20, totalTokens: 1094 + n, cacheReadInputTokens: 1024, cacheWriteInputTokens: 0 };
	const stopReason = n ? 'end_turn' : 'tool_use';
	const use = { toolUseId: 'tooluse_B1', name: 'refund_order' };

	if (!stream)
		return json({ metrics: { latencyMs: 7 }, output: { message: { role: 'assistant', content: n ? [{ text: done }] : [{ text: 'I will.' }, { toolUse: { ...use, input: args } }] } },
			stopReason, usage }, headers);
	const deltas = n ? halves(done).map((text) => ({ text })) : halves(args_text).map((input) => ({ toolUse: { input } }));

	return { headers: { 'content-type': 'application/vnd.amazon.eventstream', ...headers }, parts: [
		frame('messageStart', { role: 'assistant', p: 'ab' }),
		...n ? [] : [frame('contentBlockStart', { contentBlockIndex: 0, start: { toolUse: use }, p: 'abc' })],
		...deltas.map((delta) => frame('contentBlockDelta', { contentBlockIndex: 0, delta, p: 'a' })),
		frame('contentBlockStop', { contentBlockIndex: 0 }), frame('messageStop', { stopReason }), frame('metadata', { metrics: { latencyMs: 7 }, usage })] };
}

function invoke({ n, stream }) {
	const headers = { 'x-amzn-requestid': `8c1f8f0e-${n}`, 'x-amzn-bedrock-input-token-count': '70' };
	const block = n ? { type: 'text', text: done } : { type: 'tool_use', id: 'toolu_bdrk_01', name: 'refund_order', input: args };
	const message = { id: `msg_bdrk_0${n}`, type: 'message', role: 'assistant', model: 'claude-sonnet-5-20260115', content: [block], stop_reason: n ? 'end_turn' : 'tool_use', stop_sequence: null,
		usage: { input_tokens: 70 + n, cache_creation_input_tokens: 12, cache_read_input_tokens: 2048, output_tokens: 15 } };

	if (!stream)
		return json(message, headers);
	const deltas = n ? halves(done).map((text) => ({ type: 'text_delta', text })) : halves(args_text).map((partial_json) => ({ type: 'input_json_delta', partial_json }));
	const chunks = [{ type: 'message_start', message: { ...message, content: [], stop_reason: null, usage: { ...message.usage, output_tokens: 1 } } },
		{ type: 'content_block_start', index: 0, content_block: n ? { type: 'text', text: '' } : { ...block, input: {} } },
		...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })), { type: 'content_block_stop', index: 0 },
		{ type: 'message_delta', delta: { stop_reason: message.stop_reason, stop_sequence: null }, usage: { output_tokens: 15 } },
		{ type: 'message_stop', 'amazon-bedrock-invocationMetrics': { inputTokenCount: 70, outputTokenCount: 15 } }];

	return { headers: { 'content-type': 'application/vnd.amazon.eventstream', ...headers },
		parts: chunks.map((c) => frame('chunk', { bytes: Buffer.from(JSON.stringify(c)).toString('base64'), p: 'ab' })) };
}

const timing = { total_duration: 52, load_duration: 1, prompt_eval_duration: 20, eval_duration: 30 };

function ollama_chat({ n, stream }) {
	const head = { model: 'qwen3:8b', created_at: '2026-09-21T10:00:00.1Z' };
	const tool_calls = [{ function: { name: 'refund_order', arguments: args } }];
	const last = { done: true, done_reason: 'stop', ...timing, ...n ? { prompt_eval_count: 130 } : {}, eval_count: 22 };
	const line = (message, rest = { done: false }) => `${JSON.stringify({ ...head, message: { role: 'assistant', content: '', ...message }, ...rest })}\n`;

	if (!stream)
		return json({ ...head, message: { role: 'assistant', content: n ? done : '', thinking: 'hm', ...n ? {} : { tool_calls } }, ...last });
	return { headers: { 'content-type': 'application/x-ndjson' },
		parts: [line({ thinking: 'hm' }), ...n ? halves(done).map((content) => line({ content })) : [line({ tool_calls })], line({}, last)] };
}

function ollama_generate({ n, stream }) {
	const head = { model: 'qwen3:8b', created_at: '2026-09-21T10:00:00.1Z' };
	const last = { done: true, done_reason: n ? 'length' : 'stop', context: [1, 2, 3], ...timing, prompt_eval_count: 30 + n, eval_count: 6 };

	if (!stream)
		return json({ ...head, response: done, ...last });
	return { headers: { 'content-type': 'application/x-ndjson' },
		parts: [...halves(done).map((response) => ({ ...head, response, done: false })), { ...head, response: '', ...last }].map((l) => `${JSON.stringify(l)}\n`) };
}

// --- what the SDKs make of it: {model, response, request, stop, usage, tools: [[id, name, text, remote]], text} -----

const chat_view = ({ id, model, choices: [{ message, finish_reason }], usage: u }, request) => ({
	model, response: id, request, stop: finish_reason, message, text: message.content,
	usage: { input: u.prompt_tokens, output: u.completion_tokens, cacheRead: u.prompt_tokens_details?.cached_tokens, total: u.total_tokens },
	tools: (message.tool_calls ?? []).map((t) => [t.id, t.function.name, t.function.arguments]),
});

async function chat(client, model, stream, request_header) {
	let header;
	const note = async (...a) => { const r = await fetch(...a); header = r.headers.get(request_header) ?? ''; return r; };
	const messages = [{ role: 'system', content: system }, { role: 'user', content: asked }];
	const body = { model, messages, tools: [{ type: 'function', function: { name: 'refund_order', parameters: schema } }] };
	const api = client(note);

	return async (results) => {
		for (const [id, text] of results)
			messages.push({ role: 'tool', tool_call_id: id, content: text });
		const reply = stream ? await api.chat.completions.stream({ ...body, stream_options: { include_usage: true } }).finalChatCompletion() : await api.chat.completions.create(body);
		const view = chat_view(reply, header);

		messages.push({ role: 'assistant', content: view.message.content, ...view.tools.length && { tool_calls: view.message.tool_calls } });
		return view;
	};
}

const talks = {
	vllm: { dialect: 'openai.chat', asked: 'Qwen/Qwen3-32B', server: vllm, talk: (url, stream) =>
		chat((noting) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'SECRET-KEY', maxRetries: 0, fetch: noting }), 'Qwen/Qwen3-32B', stream, 'x-request-id') },
	gateway: { dialect: 'openai.chat', asked: 'Qwen/Qwen3-32B', server: vllm, talk: (url, stream) =>
		chat((noting) => new OpenAI({ baseURL: `${url}/inference`, apiKey: 'SECRET-KEY', maxRetries: 0, fetch: noting }), 'Qwen/Qwen3-32B', stream, 'x-request-id') },
	azure: { dialect: 'azure.openai.chat', asked: 'refunds-prod', server: azure, talk: (url, stream) =>
		chat((noting) => new AzureOpenAI({ endpoint: url, apiKey: 'SECRET-KEY', apiVersion: '2026-01-01', deployment: 'refunds-prod', maxRetries: 0, fetch: noting }),
			'refunds-prod', stream, 'apim-request-id') },

	responses: { dialect: 'openai.responses', asked: 'gpt-5.2', server: responses, async talk(url, stream) {
		let header;
		const api = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'SECRET-KEY', maxRetries: 0,
			fetch: async (...a) => { const r = await fetch(...a); header = r.headers.get('x-request-id'); return r; } });
		const input = [{ role: 'user', content: [{ type: 'input_text', text: asked }] }];
		const body = { model: 'gpt-5.2', instructions: system, input, store: false, tools: [{ type: 'function', name: 'refund_order', parameters: schema, strict: false }, { type: 'web_search' }] };

		return async (results) => {
			for (const [id, text] of results)
				input.push({ type: 'function_call_output', call_id: id, output: text });
			const r = stream ? await api.responses.stream(body).finalResponse() : await api.responses.create(body);
			const u = r.usage;

			input.push(...r.output);
			return { model: r.model, response: r.id, request: header, stop: r.status,
				text: r.output.filter((i) => i.type === 'message').flatMap((i) => i.content).map((c) => c.text).join(''),
				usage: { input: u.input_tokens, output: u.output_tokens, cacheRead: u.input_tokens_details.cached_tokens, total: u.total_tokens },
				tools: r.output.filter((i) => /_call$/.test(i.type)).map((i) => (i.type === 'function_call' ? [i.call_id, i.name, i.arguments]
					: [i.id, i.type, JSON.stringify(i.action), true])) };
		};
	} },

	gemini: { dialect: 'gemini.generate_content', asked: 'gemini-3-pro', server: gemini, async talk(url, stream) {
		const api = new GoogleGenAI({ apiKey: 'SECRET-KEY', httpOptions: { baseUrl: url } });
		const contents = [{ role: 'user', parts: [{ text: asked }] }];
		const body = { model: 'gemini-3-pro', contents, config: { systemInstruction: system, tools: [{ functionDeclarations: [{ name: 'refund_order', parametersJsonSchema: schema }] }] } };

		return async (results) => {
			if (results.length)
				contents.push({ role: 'user', parts: results.map(() => ({ functionResponse: { name: 'refund_order', response: result } })) });
			const all = [];

			if (stream)
				for await (const r of await api.models.generateContentStream(body))
					all.push(r);
			else
				all.push(await api.models.generateContent(body));
			const last = all.at(-1), u = last.usageMetadata;
			const parts = all.flatMap((r) => r.candidates[0].content.parts);

			contents.push({ role: 'model', parts: parts.filter((q) => q.text !== '') });
			return { model: last.modelVersion, response: last.responseId, request: '', stop: last.candidates[0].finishReason,
				text: parts.filter((q) => q.text && !q.thought).map((q) => q.text).join(''),
				usage: { input: u.promptTokenCount, output: u.candidatesTokenCount, cacheRead: u.cachedContentTokenCount, reasoning: u.thoughtsTokenCount, total: u.totalTokenCount },
				tools: parts.filter((q) => q.functionCall).map(({ functionCall: f }) => [f.id ?? '', f.name, JSON.stringify(f.args)]) };
		};
	} },

	converse: { dialect: 'bedrock.converse', asked: 'eu.anthropic.claude-sonnet-5-v1:0', server: converse, async talk(url, stream) {
		const api = bedrock(url);
		const messages = [{ role: 'user', content: [{ text: asked }] }];
		const body = { modelId: 'eu.anthropic.claude-sonnet-5-v1:0', messages, system: [{ text: system }],
			toolConfig: { tools: [{ toolSpec: { name: 'refund_order', inputSchema: { json: schema } } }] } };

		return async (results) => {
			if (results.length)
				messages.push({ role: 'user', content: results.map(([toolUseId]) => ({ toolResult: { toolUseId, content: [{ json: result }] } })) });
			const r = await api.send(stream ? new aws.ConverseStreamCommand(body) : new aws.ConverseCommand(body));
			let { stopReason, usage: u } = r, content = r.output?.message.content;

			if (stream) {
				content = [];
				for await (const e of r.stream) {
					const block = () => (content[e.contentBlockDelta.contentBlockIndex] ??= { text: '' });

					if (e.contentBlockStart)
						content[e.contentBlockStart.contentBlockIndex] = { toolUse: { ...e.contentBlockStart.start.toolUse, input: '' } };
					if (e.contentBlockDelta?.delta.text)
						block().text += e.contentBlockDelta.delta.text;
					if (e.contentBlockDelta?.delta.toolUse)
						block().toolUse.input += e.contentBlockDelta.delta.toolUse.input;
					stopReason = e.messageStop?.stopReason ?? stopReason;
					u = e.metadata?.usage ?? u;
				}
				for (const b of content)
					if (b.toolUse)
						b.toolUse.input = JSON.parse(b.toolUse.input);
			}
			messages.push({ role: 'assistant', content });
			return { model: '', response: '', request: r.$metadata.requestId, stop: stopReason, text: content.map((b) => b.text ?? '').join(''),
				usage: { input: u.inputTokens, output: u.outputTokens, cacheRead: u.cacheReadInputTokens, cacheWrite: u.cacheWriteInputTokens, total: u.totalTokens },
				tools: content.filter((b) => b.toolUse).map(({ toolUse: t }) => [t.toolUseId, t.name, JSON.stringify(t.input)]) };
		};
	} },

	invoke: { dialect: 'bedrock.anthropic', asked: 'anthropic.claude-sonnet-5-v1:0', server: invoke, async talk(url, stream) {
		const api = bedrock(url);
		const messages = [{ role: 'user', content: asked }];

		return async (results) => {
			if (results.length)
				messages.push({ role: 'user', content: results.map(([tool_use_id, content]) => ({ type: 'tool_result', tool_use_id, content })) });
			const body = { modelId: 'anthropic.claude-sonnet-5-v1:0', contentType: 'application/json', body: JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 512, system,
				tools: [{ name: 'refund_order', input_schema: schema }], messages }) };
			const r = await api.send(stream ? new aws.InvokeModelWithResponseStreamCommand(body) : new aws.InvokeModelCommand(body));
			let m;

			if (stream) {
				let pieces = '';

				for await (const { chunk } of r.body) {
					const e = JSON.parse(Buffer.from(chunk.bytes).toString());

					if (e.type === 'message_start')
						m = e.message;
					if (e.type === 'content_block_start')
						m.content.push(e.content_block);
					pieces += e.delta?.text ?? e.delta?.partial_json ?? '';
					if (e.type === 'message_delta')
						Object.assign(m, e.delta, { usage: { ...m.usage, ...e.usage } });
				}
				if (m.content[0].type === 'text')
					m.content[0].text = pieces;
				else
					m.content[0].input = JSON.parse(pieces);
			} else {
				m = JSON.parse(Buffer.from(r.body).toString());
			}
			messages.push({ role: 'assistant', content: m.content });
			return { model: m.model, response: m.id, request: r.$metadata.requestId, stop: m.stop_reason, text: m.content.map((b) => b.text ?? '').join(''),
				usage: { input: m.usage.input_tokens, output: m.usage.output_tokens, cacheRead: m.usage.cache_read_input_tokens, cacheWrite: m.usage.cache_creation_input_tokens },
				tools: m.content.filter((b) => b.type === 'tool_use').map((t) => [t.id, t.name, JSON.stringify(t.input)]) };
		};
	} },

	ollama_chat: { dialect: 'ollama.chat', asked: 'qwen3:8b', server: ollama_chat, async talk(url, stream) {
		const api = new Ollama({ host: url });
		const messages = [{ role: 'system', content: system }, { role: 'user', content: asked }];

		return async (results) => {
			for (const [, text] of results)
				messages.push({ role: 'tool', tool_name: 'refund_order', content: text });
			const body = { model: 'qwen3:8b', messages, tools: [{ type: 'function', function: { name: 'refund_order', parameters: schema } }] };
			const all = [];

			if (stream)
				for await (const r of await api.chat({ ...body, stream: true }))
					all.push(r);
			else
				all.push(await api.chat(body));
			const last = all.at(-1);
			const tool_calls = all.flatMap((r) => r.message.tool_calls ?? []);
			const content = all.map((r) => r.message.content).join('');

			messages.push({ role: 'assistant', content, ...tool_calls.length && { tool_calls } });
			return { model: last.model, response: '', request: '', stop: last.done_reason, text: content, usage: { input: last.prompt_eval_count, output: last.eval_count },
				tools: tool_calls.map((t) => ['', t.function.name, JSON.stringify(t.function.arguments)]) };
		};
	} },

	ollama_generate: { dialect: 'ollama.generate', asked: 'qwen3:8b', server: ollama_generate, async talk(url, stream) {
		const api = new Ollama({ host: url });

		return async () => {
			const all = [];

			if (stream)
				for await (const r of await api.generate({ model: 'qwen3:8b', system, prompt: asked, stream: true }))
					all.push(r);
			else
				all.push(await api.generate({ model: 'qwen3:8b', system, prompt: asked }));
			const last = all.at(-1);

			return { model: last.model, response: '', request: '', stop: last.done_reason, text: all.map((r) => r.response).join(''),
				usage: { input: last.prompt_eval_count, output: last.eval_count }, tools: [] };
		};
	} },
};

function bedrock(endpoint) {
	return new aws.BedrockRuntimeClient({ region: 'eu-west-1', endpoint, maxAttempts: 1, requestHandler: new NodeHttpHandler(),
		credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'SECRET-KEY' } });
}

// --- recording --------------------------------------------------------------------------------------------------------

async function record(name, { dialect, asked: model, server: answer, talk }, stream) {
	const lines = [], said = [];
	let n = 0, connections = 0;
	const server = http.createServer(async (request, response) => {
		request.resume();
		await once(request, 'end');
		const { headers, parts } = answer({ n: n++, stream });

		response.writeHead(200, headers);
		for (const part of parts)
			response.write(part);
		response.end();
	});

	const relay = net.createServer((client) => {
		const upstream = net.connect(server.address().port, '127.0.0.1');

		connections++;
		client.on('data', (b) => { lines.push(`> ${b.toString('base64')}`); upstream.write(b); });
		upstream.on('data', (b) => { lines.push(`< ${b.toString('base64')}`); client.write(b); });
		for (const [x, y] of [[client, upstream], [upstream, client]]) {
			x.on('end', () => y.end());
			x.on('error', () => y.destroy());
		}
	});

	for (const one of [server, relay])
		await new Promise((ready) => one.listen(0, '127.0.0.1', ready));
	const step = await talk(`http://127.0.0.1:${relay.address().port}`, stream);

	for (let results = [], i = 0; i < 2; i++) {
		const v = await step(results);

		await new Promise(setImmediate); // the client takes its connection back

		const usage = Object.entries(v.usage).filter(([, count]) => count !== undefined && count !== null);

		said.push(`call ${dialect} streamed=${Number(stream)} asked=${model} served=${v.model} response=${v.response} request=${v.request} stop=${v.stop}`,
			['usage', ...usage.map(([what, count]) => `${what}=${count}`)].join(' '));
		for (const [id, tool, text, remote] of v.tools)
			said.push(`tool ${id} ${tool} ${sized(text)}${remote ? ' remote' : ''}`);
		for (const [id, text] of results)
			said.push(`result ${id}${id ? '' : '(refund_order)'} ${sized(text)}`);
		if (v.text)
			said.push(`text ${sized(v.text)}`);
		said.push(`prompt ${sized(asked)}`);
		results = v.tools.filter(([, , , remote]) => !remote).map(([id]) => [id, result_text]);
	}
	relay.close();
	server.close();
	if (connections !== 1 || n !== 2)
		throw new Error(`${name}: ${connections} connections, ${n} calls`);
	writeFileSync(join(out, `${name}.talk`), lines.join('\n') + '\n');
	writeFileSync(join(out, `${name}.txt`), said.join('\n') + '\n');
}

for (const [name, one] of Object.entries(talks))
	for (const stream of [false, true])
		await record(`${name}_${stream ? 'stream' : 'json'}`, one, stream);
process.exit(0);
