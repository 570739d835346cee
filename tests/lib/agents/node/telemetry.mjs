// SPDX-License-Identifier: Apache-2.0
// The OpenTelemetry set-up of the demo agents, as an application would write it: one provider, W3C propagation, spans
// to OTEL_EXPORTER_OTLP_ENDPOINT (default http://127.0.0.1:4318) as protobuf, or JSON with
// OTEL_EXPORTER_OTLP_PROTOCOL=http/json. flush() sends what has ended, so that nothing waits for the batch timer.
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

export { SpanKind, SpanStatusCode };

export function start_telemetry(service) {
	const json = process.env.OTEL_EXPORTER_OTLP_PROTOCOL === 'http/json';
	const provider = new NodeTracerProvider({
		resource: resourceFromAttributes({ 'service.name': service, 'process.pid': process.pid }),
		spanProcessors: [new BatchSpanProcessor(json ? new JsonExporter() : new ProtobufExporter())],
	});
	provider.register();
	const tracer = trace.getTracer(service);

	return {
		flush: () => provider.forceFlush(),
		stop: () => provider.shutdown(),

		// Runs fn inside a new active span; a thrown error is recorded on it.
		span: (name, kind, attributes, fn) =>
			tracer.startActiveSpan(name, { kind, attributes }, async (span) => {
				try {
					return await fn(span);
				} catch (error) {
					span.setAttribute('error.type', error.name);
					span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
					throw error;
				} finally {
					span.end();
				}
			}),
	};
}

// The headers that carry the active span to the other side; none when AGENT_TRACEPARENT=0.
export function trace_headers() {
	const headers = {};

	if (process.env.AGENT_TRACEPARENT !== '0')
		propagation.inject(context.active(), headers);
	return headers;
}
