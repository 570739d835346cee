// SPDX-License-Identifier: Apache-2.0
// A small support agent with the official openai SDK: for each turn the user asks for a refund, the model calls the
// tool, the tool's result goes back, and what the model then says is said to the user.
//   node agent.mjs '[{"order":"A17","mode":"real"}]'      modes: refund_tool.mjs
// From the environment: OPENAI_BASE_URL (https://api.provider.test/v1), AGENT_STREAM=1 for streamed answers.
import OpenAI from 'openai';

import { question, refund_order, refund_schema, tag_headers, turns_from_arguments } from './refund_tool.mjs';
import { SpanKind, SpanStatusCode, start_telemetry, trace_headers } from './telemetry.mjs';

const agent = 'refund-agent';
const model = 'gpt-5-mini';
const telemetry = start_telemetry(agent);
const base_url = new URL(process.env.OPENAI_BASE_URL ?? 'https://api.provider.test/v1');
const client = new OpenAI({ baseURL: base_url.href, apiKey: 'test-key', maxRetries: 0 });
const tools = [{ type: 'function', function: { name: 'refund_order', description: 'Refund an order.', parameters: refund_schema } }];

// Puts the pieces of a streamed answer together: the SDK's own accumulator does it.
async function complete(body, options) {
	if (process.env.AGENT_STREAM !== '1')
		return client.chat.completions.create(body, options);
	const stream = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } }, options);

	return stream.finalChatCompletion();
}

function chat(turn, messages) {
	const attributes = {
		'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': model,
		'gen_ai.conversation.id': turn.conversation,
		'server.address': base_url.hostname, 'server.port': Number(base_url.port || 443),
	};

	return telemetry.span(`chat ${model}`, SpanKind.CLIENT, attributes, async (span) => {
		const reply = await complete({ model, messages, tools }, { headers: { ...trace_headers(), ...tag_headers(turn, 'model') } });

		span.setAttributes({
			'gen_ai.response.id': reply.id, 'gen_ai.response.model': reply.model,
			'gen_ai.response.finish_reasons': reply.choices.map((choice) => choice.finish_reason),
			'gen_ai.usage.input_tokens': reply.usage.prompt_tokens, 'gen_ai.usage.output_tokens': reply.usage.completion_tokens,
		});
		return reply.choices[0].message;
	});
}

function run_turn(turn) {
	const attributes = {
		'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': agent, 'gen_ai.conversation.id': turn.conversation,
	};

	return telemetry.span(`invoke_agent ${agent}`, SpanKind.INTERNAL, attributes, async (root) => {
		const messages = [
			{ role: 'system', content: 'You handle refunds for an online shop.' },
			{ role: 'user', content: question(turn) },
		];

		for (;;) {
			const message = await chat(turn, messages);

			if (!message.tool_calls?.length) {
				root.setStatus({ code: SpanStatusCode.OK });
				return message.content;
			}
			messages.push(message);
			for (const { id, function: call } of message.tool_calls) {
				const content = await refund_order(telemetry, root, turn, id, JSON.parse(call.arguments));

				messages.push({ role: 'tool', tool_call_id: id, content });
			}
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
