// SPDX-License-Identifier: Apache-2.0
// The agent of agent.mjs with the official Anthropic SDK, streaming. From the environment: ANTHROPIC_BASE_URL
// (https://api.provider.test).
import Anthropic from '@anthropic-ai/sdk';

import { question, refund_order, refund_schema, tag_headers, turns_from_arguments } from './refund_tool.mjs';
import { SpanKind, SpanStatusCode, start_telemetry, trace_headers } from './telemetry.mjs';

const agent = 'refund-agent';
const model = 'claude-sonnet-5';
const telemetry = start_telemetry(agent);
const base_url = new URL(process.env.ANTHROPIC_BASE_URL ?? 'https://api.provider.test');
const client = new Anthropic({ baseURL: base_url.href, apiKey: 'test-key', maxRetries: 0 });
const tools = [{ name: 'refund_order', description: 'Refund an order.', input_schema: refund_schema }];

function chat(turn, messages) {
	const attributes = {
		'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'anthropic', 'gen_ai.request.model': model,
		'gen_ai.conversation.id': turn.conversation,
		'server.address': base_url.hostname, 'server.port': Number(base_url.port || 443),
	};

	return telemetry.span(`chat ${model}`, SpanKind.CLIENT, attributes, async (span) => {
		const reply = await client.messages
			.stream(
				{ model, max_tokens: 1024, system: 'You handle refunds for an online shop.', tools, messages },
				{ headers: { ...trace_headers(), ...tag_headers(turn, 'model') } },
			)
			.finalMessage();

		// The conventions count cached tokens as input, the API counts them apart.
		const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = reply.usage;

		span.setAttributes({
			'gen_ai.response.id': reply.id, 'gen_ai.response.model': reply.model,
			'gen_ai.response.finish_reasons': [reply.stop_reason],
			'gen_ai.usage.input_tokens': input_tokens + (cache_creation_input_tokens ?? 0) + (cache_read_input_tokens ?? 0),
			'gen_ai.usage.output_tokens': output_tokens,
		});
		return reply;
	});
}

function run_turn(turn) {
	const attributes = {
		'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent, 'gen_ai.conversation.id': turn.conversation,
	};

	return telemetry.span(`invoke_agent ${agent}`, SpanKind.INTERNAL, attributes, async (root) => {
		const messages = [{ role: 'user', content: question(turn) }];

		for (;;) {
			const reply = await chat(turn, messages);

			if (reply.stop_reason !== 'tool_use') {
				root.setStatus({ code: SpanStatusCode.OK });
				return reply.content.filter((block) => block.type === 'text').map((block) => block.text).join('');
			}
			const results = [];

			for (const { id, input } of reply.content.filter((block) => block.type === 'tool_use'))
				results.push({ type: 'tool_result', tool_use_id: id, content: await refund_order(telemetry, root, turn, id, input) });
			messages.push({ role: 'assistant', content: reply.content }, { role: 'user', content: results });
		}
	});
}

for (const [index, turn] of turns_from_arguments().entries()) {
	turn.conversation = `conv-${process.pid}-${index + 1}`;
	console.log(`asked: ${question(turn)}`);
	console.log(`said: ${await run_turn(turn)}`);
	await telemetry.flush();
}
await telemetry.stop();
