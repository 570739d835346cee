/* SPDX-License-Identifier: Apache-2.0 */
#include "out/paths.h"

#include <string.h>

#include "base/own.h"

#define K(kind) WW_PATH_KIND(WW_RECORD_##kind)
#define ALL     WW_PATH_KINDS_ALL

static const struct ww_path paths[] = {
	{"account.in.captured", K(FLOW)},
	{"account.in.checked", K(FLOW)},
	{"account.in.explained", K(FLOW)},
	{"account.in.handshake", K(FLOW)},
	{"account.in.overhead", K(FLOW)},
	{"account.in.overheadMax", K(FLOW)},
	{"account.in.payload", K(FLOW)},
	{"account.in.remainder", K(FLOW)},
	{"account.in.tickets", K(FLOW)},
	{"account.out.captured", K(FLOW)},
	{"account.out.checked", K(FLOW)},
	{"account.out.explained", K(FLOW)},
	{"account.out.handshake", K(FLOW)},
	{"account.out.overhead", K(FLOW)},
	{"account.out.overheadMax", K(FLOW)},
	{"account.out.payload", K(FLOW)},
	{"account.out.remainder", K(FLOW)},
	{"account.out.tickets", K(FLOW)},
	{"action", K(VERDICT)},
	{"actor",
	 K(FLOW) | K(EXCHANGE) | K(MODEL_CALL) | K(SPAN) | K(ACTION) | K(VERDICT) | K(MCP_CALL)},
	{"agent", K(SPAN)},
	{"answer", K(MCP_CALL)},
	{"arguments.bytes", K(MCP_CALL)},
	{"arguments.digest", K(MCP_CALL)},
	{"attrs.", K(SPAN)},
	{"attrsDropped", K(SPAN)},
	{"attrsOmitted", K(SPAN)},
	{"authority", K(EXCHANGE)},
	{"beyondCapBytes", K(COVERAGE)},
	{"bootId", K(LIFE)},
	{"bootNs", K(LIFE) | K(ACTOR)},
	{"bornInSight", K(ACTOR)},
	{"bpf.programs.name", K(LIFE)},
	{"bpf.programs.tag", K(LIFE)},
	{"bpf.sha256", K(LIFE)},
	{"by", K(VERDICT) | K(PRUNE)},
	{"bytes", K(LOSS)},
	{"captureCapBytes", K(LIFE)},
	{"cause", K(LOSS)},
	{"cgroup", K(LIFE) | K(ACTOR) | K(FLOW) | K(EXCHANGE) | K(SPAN) | K(ACTION) | K(VERDICT) |
			   K(COVERAGE) | K(LOSS)},
	{"choices", K(MODEL_CALL)},
	{"claims.action", K(SPAN)},
	{"claims.at", K(SPAN)},
	{"claims.claimId", K(SPAN)},
	{"claims.deadline", K(SPAN)},
	{"claims.tense", K(SPAN)},
	{"claims.tool", K(SPAN)},
	{"claims.toolCallId", K(SPAN)},
	{"claimsDropped", K(SPAN)},
	{"client", K(EXCHANGE)},
	{"close", K(FLOW)},
	{"closeBootNs", K(FLOW)},
	{"closedWorld.detail", K(VERDICT)},
	{"closedWorld.item", K(VERDICT)},
	{"closedWorld.pass", K(VERDICT)},
	{"comm", K(ACTOR)},
	{"commitment", K(LIFE)},
	{"conflicts", K(SPAN)},
	{"contracts", K(LIFE) | K(VERDICT)},
	{"control.action", K(VERDICT)},
	{"control.actionSubject", K(VERDICT)},
	{"control.denied", K(VERDICT)},
	{"control.exchange", K(VERDICT)},
	{"control.gapMs", K(VERDICT)},
	{"control.name", K(VERDICT)},
	{"control.narrated", K(VERDICT)},
	{"control.runs", K(VERDICT)},
	{"control.same", K(VERDICT)},
	{"control.says", K(VERDICT)},
	{"control.status", K(VERDICT)},
	{"control.subject", K(VERDICT)},
	{"control.subjects", K(VERDICT)},
	{"control.t", K(VERDICT)},
	{"control.uses", K(VERDICT)},
	{"conversation", K(MODEL_CALL) | K(SPAN)},
	{"counts.", K(PRUNE)},
	{"coverage.fromBootNs", K(VERDICT)},
	{"coverage.gaps", K(VERDICT)},
	{"coverage.known", K(VERDICT)},
	{"coverage.loopbackPeers", K(VERDICT)},
	{"coverage.lostBytes", K(VERDICT)},
	{"coverage.lostCause", K(VERDICT)},
	{"coverage.lostEvents", K(VERDICT)},
	{"coverage.opaqueProcesses", K(VERDICT)},
	{"coverage.rawSockets", K(VERDICT)},
	{"coverage.toBootNs", K(VERDICT)},
	{"coverage.unboundCalls", K(VERDICT)},
	{"coverage.unixPeers", K(VERDICT)},
	{"coverage.wholeWindow", K(VERDICT)},
	{"cutoff", K(PRUNE)},
	{"deadline", K(VERDICT)},
	{"effect", K(ACTION)},
	{"egress.bytesSent", K(VERDICT)},
	{"egress.destination", K(VERDICT)},
	{"egress.flow", K(VERDICT)},
	{"egress.model", K(VERDICT)},
	{"egress.peer", K(VERDICT)},
	{"egressTotal", K(VERDICT)},
	{"end", K(SPAN)},
	{"engine", K(VERDICT)},
	{"entry.apiVersion", K(REPORT)},
	{"entry.kind", K(REPORT)},
	{"entry.spec.dsseV002.payloadHash.algorithm", K(REPORT)},
	{"entry.spec.dsseV002.payloadHash.digest", K(REPORT)},
	{"entry.spec.dsseV002.signatures.content", K(REPORT)},
	{"entry.spec.dsseV002.signatures.verifier.keyDetails", K(REPORT)},
	{"entry.spec.dsseV002.signatures.verifier.publicKey.rawBytes", K(REPORT)},
	{"epoch", K(LIFE)},
	{"errorCode", K(MCP_CALL)},
	{"errorType", K(MODEL_CALL) | K(SPAN)},
	{"establishedBootNs", K(FLOW)},
	{"event", K(LIFE)},
	{"events", K(LOSS)},
	{"eventsDropped", K(SPAN)},
	{"evidence", K(VERDICT)},
	{"exchange", K(MODEL_CALL) | K(MCP_CALL)},
	{"exchanges", K(FLOW)},
	{"exe", K(ACTOR)},
	{"exitCode", K(ACTOR)},
	{"exitedBootNs", K(ACTOR)},
	{"finding", K(FINDING)},
	{"findings", K(EXCHANGE) | K(MODEL_CALL)},
	{"findings.exchange", K(VERDICT)},
	{"findings.finding", K(VERDICT)},
	{"findings.retryAfterS", K(VERDICT)},
	{"findings.waitedMs", K(VERDICT)},
	{"first", K(PRUNE)},
	{"flow", K(EXCHANGE)},
	{"forced", K(PRUNE)},
	{"fromBootNs", K(COVERAGE)},
	{"generation", K(SPAN)},
	{"grounds.almost", K(VERDICT)},
	{"grounds.announcedBootNs", K(VERDICT)},
	{"grounds.answers.rounded", K(VERDICT)},
	{"grounds.answers.values", K(VERDICT)},
	{"grounds.answers.whole", K(VERDICT)},
	{"grounds.asked", K(VERDICT)},
	{"grounds.attempts", K(VERDICT)},
	{"grounds.beside", K(VERDICT)},
	{"grounds.callKeyDigest", K(VERDICT)},
	{"grounds.clockBad", K(VERDICT)},
	{"grounds.control.doubt", K(VERDICT)},
	{"grounds.control.fromBootNs", K(VERDICT)},
	{"grounds.control.runs.exchange", K(VERDICT)},
	{"grounds.control.runs.says", K(VERDICT)},
	{"grounds.control.runs.stray", K(VERDICT)},
	{"grounds.control.runs.subject", K(VERDICT)},
	{"grounds.control.runs.uses", K(VERDICT)},
	{"grounds.control.runs.usesUnknown", K(VERDICT)},
	{"grounds.control.stray", K(VERDICT)},
	{"grounds.control.untilBootNs", K(VERDICT)},
	{"grounds.finished", K(VERDICT)},
	{"grounds.flows.bytesAcked", K(VERDICT)},
	{"grounds.flows.bytesSent", K(VERDICT)},
	{"grounds.flows.checked", K(VERDICT)},
	{"grounds.flows.closed", K(VERDICT)},
	{"grounds.flows.closedBootNs", K(VERDICT)},
	{"grounds.flows.flow", K(VERDICT)},
	{"grounds.flows.setupBytes", K(VERDICT)},
	{"grounds.flows.tls", K(VERDICT)},
	{"grounds.flows.unexplainedIn", K(VERDICT)},
	{"grounds.flows.unexplainedOut", K(VERDICT)},
	{"grounds.flows.unread", K(VERDICT)},
	{"grounds.fromBootNs", K(VERDICT)},
	{"grounds.givenUp", K(VERDICT)},
	{"grounds.judgedBootNs", K(VERDICT)},
	{"grounds.late.afterBootNs", K(VERDICT)},
	{"grounds.late.by", K(VERDICT)},
	{"grounds.late.contested", K(VERDICT)},
	{"grounds.late.exchange", K(VERDICT)},
	{"grounds.late.join", K(VERDICT)},
	{"grounds.late.wire", K(VERDICT)},
	{"grounds.likeAnswers.read", K(VERDICT)},
	{"grounds.likeAnswers.rounded", K(VERDICT)},
	{"grounds.likeAnswers.values", K(VERDICT)},
	{"grounds.likeAnswers.whole", K(VERDICT)},
	{"grounds.mayMean.terms", K(VERDICT)},
	{"grounds.mayMean.tool", K(VERDICT)},
	{"grounds.notHeld", K(VERDICT)},
	{"grounds.partners", K(VERDICT)},
	{"grounds.readsOver", K(VERDICT)},
	{"grounds.remote", K(VERDICT)},
	{"grounds.shown", K(VERDICT)},
	{"grounds.shownElsewhere", K(VERDICT)},
	{"grounds.shownFailure", K(VERDICT)},
	{"grounds.shownRounded", K(VERDICT)},
	{"grounds.showsUntilBootNs", K(VERDICT)},
	{"grounds.spanKeyDigest", K(VERDICT)},
	{"grounds.stillOpen", K(VERDICT)},
	{"grounds.terms.answerPaths", K(VERDICT)},
	{"grounds.terms.bodyRules", K(VERDICT)},
	{"grounds.terms.bulkItems", K(VERDICT)},
	{"grounds.terms.controls.bodyRules", K(VERDICT)},
	{"grounds.terms.controls.destinations.cidr", K(VERDICT)},
	{"grounds.terms.controls.destinations.loopback", K(VERDICT)},
	{"grounds.terms.controls.destinations.name", K(VERDICT)},
	{"grounds.terms.controls.destinations.port", K(VERDICT)},
	{"grounds.terms.controls.maxAgeS", K(VERDICT)},
	{"grounds.terms.controls.maxUses", K(VERDICT)},
	{"grounds.terms.controls.methods", K(VERDICT)},
	{"grounds.terms.controls.name", K(VERDICT)},
	{"grounds.terms.controls.paths", K(VERDICT)},
	{"grounds.terms.controls.same", K(VERDICT)},
	{"grounds.terms.controls.statusMax", K(VERDICT)},
	{"grounds.terms.controls.statusMin", K(VERDICT)},
	{"grounds.terms.controls.subject", K(VERDICT)},
	{"grounds.terms.deadlineS", K(VERDICT)},
	{"grounds.terms.deferred", K(VERDICT)},
	{"grounds.terms.destinations.cidr", K(VERDICT)},
	{"grounds.terms.destinations.loopback", K(VERDICT)},
	{"grounds.terms.destinations.name", K(VERDICT)},
	{"grounds.terms.destinations.port", K(VERDICT)},
	{"grounds.terms.effect", K(VERDICT)},
	{"grounds.terms.idPath", K(VERDICT)},
	{"grounds.terms.mcpTool", K(VERDICT)},
	{"grounds.terms.methods", K(VERDICT)},
	{"grounds.terms.paths", K(VERDICT)},
	{"grounds.terms.readback.bodyRules", K(VERDICT)},
	{"grounds.terms.readback.method", K(VERDICT)},
	{"grounds.terms.readback.path", K(VERDICT)},
	{"grounds.terms.readback.statusMax", K(VERDICT)},
	{"grounds.terms.readback.statusMin", K(VERDICT)},
	{"grounds.terms.statusMax", K(VERDICT)},
	{"grounds.terms.statusMin", K(VERDICT)},
	{"grounds.toBootNs", K(VERDICT)},
	{"grounds.undecoded.count", K(VERDICT)},
	{"grounds.undecoded.evidence", K(VERDICT)},
	{"grounds.undecoded.inside", K(VERDICT)},
	{"grounds.undecoded.opaque", K(VERDICT)},
	{"grounds.undecoded.rivals", K(VERDICT)},
	{"grounds.undecoded.torn", K(VERDICT)},
	{"grounds.worldWhole", K(VERDICT)},
	{"host", K(LIFE)},
	{"id", ALL},
	{"idempotencyKeyDigest", K(EXCHANGE)},
	{"index", K(EXCHANGE) | K(KEY_ROTATION)},
	{"join", K(VERDICT)},
	{"k", K(VERDICT)},
	{"kernel", K(LIFE)},
	{"kernel.bytesAcked", K(FLOW)},
	{"kernel.bytesReceived", K(FLOW)},
	{"kernel.bytesRetransmitted", K(FLOW)},
	{"kernel.bytesSent", K(FLOW)},
	{"kernel.minRttUs", K(FLOW)},
	{"kernel.smoothedRttUs", K(FLOW)},
	{"kind", ALL},
	{"kinds", K(PRUNE)},
	{"last", K(PRUNE)},
	{"lateMs", K(VERDICT)},
	{"libraries.", K(LIFE)},
	{"library.buildId", K(LIFE)},
	{"library.bytes", K(LIFE)},
	{"library.sha256", K(LIFE)},
	{"library.why", K(LIFE)},
	{"local", K(FLOW) | K(EXCHANGE)},
	{"lostBytes", K(COVERAGE)},
	{"lostEvents", K(COVERAGE)},
	{"lostIn", K(FLOW)},
	{"lostOut", K(FLOW)},
	{"machine", K(LIFE)},
	{"marks.bytes", K(COVERAGE)},
	{"marks.detail", K(COVERAGE)},
	{"marks.events", K(COVERAGE)},
	{"marks.fromBootNs", K(COVERAGE)},
	{"marks.toBootNs", K(COVERAGE)},
	{"marks.what", K(COVERAGE)},
	{"marksTotal", K(COVERAGE)},
	{"messages", K(MODEL_CALL)},
	{"method", K(EXCHANGE)},
	{"model.argumentsDigest", K(ACTION)},
	{"model.by", K(ACTION)},
	{"model.exchange", K(ACTION)},
	{"model.join", K(ACTION)},
	{"model.responseId", K(ACTION)},
	{"model.span", K(ACTION)},
	{"model.turn", K(ACTION)},
	{"modelAsked", K(MODEL_CALL) | K(SPAN)},
	{"modelServed", K(MODEL_CALL) | K(SPAN)},
	{"n", K(VERDICT)},
	{"name", K(SPAN)},
	{"newKey", K(KEY_ROTATION)},
	{"note", K(KEY_ROTATION)},
	{"nsPid", K(ACTOR)},
	{"oldKey", K(KEY_ROTATION)},
	{"olderThanS", K(PRUNE)},
	{"openBootNs", K(FLOW)},
	{"operation", K(SPAN)},
	{"outcome", K(EXCHANGE)},
	{"ownerChanges", K(FLOW)},
	{"parent", K(ACTOR) | K(MODEL_CALL)},
	{"parentId", K(SPAN)},
	{"path", K(EXCHANGE) | K(COVERAGE)},
	{"peer", K(FLOW) | K(EXCHANGE)},
	{"peerAddress", K(SPAN)},
	{"phrases", K(VERDICT)},
	{"pid", K(ACTOR)},
	{"processes", K(COVERAGE)},
	{"program.sha256", K(LIFE)},
	{"prompt.bytes", K(MODEL_CALL)},
	{"prompt.digest", K(MODEL_CALL)},
	{"prose.claims.at", K(MODEL_CALL)},
	{"prose.claims.bytes", K(MODEL_CALL)},
	{"prose.claims.digest", K(MODEL_CALL)},
	{"prose.claims.kind", K(MODEL_CALL)},
	{"prose.claims.rule", K(MODEL_CALL)},
	{"prose.claims.topic", K(MODEL_CALL)},
	{"prose.earlierTools", K(MODEL_CALL)},
	{"prose.historyOver", K(MODEL_CALL)},
	{"prose.turnCalls", K(MODEL_CALL)},
	{"prose.whole", K(MODEL_CALL)},
	{"proto", K(FLOW)},
	{"protoNumber", K(FLOW)},
	{"provider", K(MODEL_CALL) | K(SPAN)},
	{"raw", K(COVERAGE)},
	{"reason", K(VERDICT)},
	{"reasoning.claims.at", K(MODEL_CALL)},
	{"reasoning.claims.bytes", K(MODEL_CALL)},
	{"reasoning.claims.digest", K(MODEL_CALL)},
	{"reasoning.claims.kind", K(MODEL_CALL)},
	{"reasoning.claims.rule", K(MODEL_CALL)},
	{"reasoning.claims.topic", K(MODEL_CALL)},
	{"reasoning.whole", K(MODEL_CALL)},
	{"receivedBootNs", K(SPAN)},
	{"records", K(PRUNE)},
	{"reevaluates.contracts", K(ACTION) | K(VERDICT)},
	{"reevaluates.record", K(ACTION) | K(VERDICT)},
	{"reevaluates.verdict", K(ACTION) | K(VERDICT)},
	{"refs", K(VERDICT)},
	{"refused", K(VERDICT)},
	{"request.body.coding", K(EXCHANGE)},
	{"request.body.contentType", K(EXCHANGE)},
	{"request.body.decodedBytes", K(EXCHANGE)},
	{"request.body.digest", K(EXCHANGE)},
	{"request.body.keptBytes", K(EXCHANGE)},
	{"request.body.whole", K(EXCHANGE)},
	{"request.body.wireBytes", K(EXCHANGE)},
	{"request.bytes", K(EXCHANGE)},
	{"request.firstBootNs", K(EXCHANGE)},
	{"request.lastBootNs", K(EXCHANGE)},
	{"request.offset", K(EXCHANGE)},
	{"requestId", K(EXCHANGE) | K(MODEL_CALL) | K(SPAN)},
	{"requestWhole", K(MODEL_CALL)},
	{"response.body.coding", K(EXCHANGE)},
	{"response.body.contentType", K(EXCHANGE)},
	{"response.body.decodedBytes", K(EXCHANGE)},
	{"response.body.digest", K(EXCHANGE)},
	{"response.body.keptBytes", K(EXCHANGE)},
	{"response.body.whole", K(EXCHANGE)},
	{"response.body.wireBytes", K(EXCHANGE)},
	{"response.bytes", K(EXCHANGE)},
	{"response.firstBootNs", K(EXCHANGE)},
	{"response.lastBootNs", K(EXCHANGE)},
	{"response.offset", K(EXCHANGE)},
	{"responseId", K(MODEL_CALL) | K(SPAN)},
	{"responseWhole", K(MODEL_CALL)},
	{"result.bytes", K(MCP_CALL)},
	{"result.digest", K(MCP_CALL)},
	{"retryAfterS", K(EXCHANGE)},
	{"role", K(FLOW) | K(SPAN)},
	{"root", K(EXCHANGE) | K(SPAN) | K(ACTION) | K(VERDICT)},
	{"said.blind", K(ACTION) | K(VERDICT)},
	{"said.claim", K(ACTION) | K(VERDICT)},
	{"said.claims.claimId", K(ACTION) | K(VERDICT)},
	{"said.claims.deadline", K(ACTION) | K(VERDICT)},
	{"said.claims.span", K(ACTION) | K(VERDICT)},
	{"said.claims.t", K(ACTION) | K(VERDICT)},
	{"said.claims.tense", K(ACTION) | K(VERDICT)},
	{"said.due", K(ACTION) | K(VERDICT)},
	{"said.earlier", K(ACTION) | K(VERDICT)},
	{"said.narrated.at", K(ACTION) | K(VERDICT)},
	{"said.narrated.bytes", K(ACTION) | K(VERDICT)},
	{"said.narrated.digest", K(ACTION) | K(VERDICT)},
	{"said.narrated.exchange", K(ACTION) | K(VERDICT)},
	{"said.narrated.kind", K(ACTION) | K(VERDICT)},
	{"said.narrated.rule", K(ACTION) | K(VERDICT)},
	{"said.narrated.topic", K(ACTION) | K(VERDICT)},
	{"said.prose.at", K(ACTION) | K(VERDICT)},
	{"said.prose.bytes", K(ACTION) | K(VERDICT)},
	{"said.prose.digest", K(ACTION) | K(VERDICT)},
	{"said.prose.exchange", K(ACTION) | K(VERDICT)},
	{"said.prose.kind", K(ACTION) | K(VERDICT)},
	{"said.prose.rule", K(ACTION) | K(VERDICT)},
	{"said.prose.topic", K(ACTION) | K(VERDICT)},
	{"said.proseOnly", K(ACTION) | K(VERDICT)},
	{"said.text.bytes", K(ACTION) | K(VERDICT)},
	{"said.text.digest", K(ACTION) | K(VERDICT)},
	{"said.toolResult.differs", K(ACTION) | K(VERDICT)},
	{"said.toolResult.digest", K(ACTION) | K(VERDICT)},
	{"said.toolResult.exchange", K(ACTION) | K(VERDICT)},
	{"said.toolResult.isError", K(ACTION) | K(VERDICT)},
	{"said.toolResult.shows", K(ACTION) | K(VERDICT)},
	{"said.tools", K(ACTION) | K(VERDICT)},
	{"saidPid", K(SPAN)},
	{"sampled", K(SPAN)},
	{"scope", K(SPAN)},
	{"seenBirth", K(FLOW)},
	{"serverAddress", K(SPAN)},
	{"serverPort", K(SPAN)},
	{"service", K(SPAN)},
	{"sni", K(EXCHANGE)},
	{"span.count", K(ACTION) | K(VERDICT)},
	{"span.end", K(ACTION) | K(VERDICT)},
	{"span.errorType", K(ACTION) | K(VERDICT)},
	{"span.id", K(ACTION) | K(VERDICT)},
	{"span.start", K(ACTION) | K(VERDICT)},
	{"span.status", K(ACTION) | K(VERDICT)},
	{"span.traceId", K(ACTION) | K(VERDICT)},
	{"spanId", K(EXCHANGE) | K(SPAN) | K(MCP_CALL)},
	{"spanKind", K(SPAN)},
	{"status", K(EXCHANGE) | K(MODEL_CALL) | K(SPAN)},
	{"stopReason", K(MODEL_CALL)},
	{"streamAsked", K(MODEL_CALL)},
	{"streamed", K(MODEL_CALL) | K(MCP_CALL)},
	{"summary", K(VERDICT)},
	{"supersedes", K(VERDICT)},
	{"system.bytes", K(MODEL_CALL)},
	{"system.digest", K(MODEL_CALL)},
	{"t", ALL},
	{"tape.bootId", K(LIFE)},
	{"tape.contracts", K(LIFE)},
	{"tape.end", K(LIFE)},
	{"tape.kernel", K(LIFE)},
	{"tape.sha256", K(LIFE)},
	{"tape.version", K(LIFE)},
	{"tcp", K(COVERAGE)},
	{"text", K(LIFE)},
	{"text.bytes", K(MODEL_CALL)},
	{"text.digest", K(MODEL_CALL)},
	{"tier", K(VERDICT)},
	{"tls.alpn", K(FLOW)},
	{"tls.bind", K(FLOW)},
	{"tls.cipher", K(FLOW)},
	{"tls.sni", K(FLOW)},
	{"tls.version", K(FLOW)},
	{"toBootNs", K(COVERAGE)},
	{"tool", K(SPAN) | K(ACTION) | K(VERDICT) | K(MCP_CALL)},
	{"toolCallId", K(SPAN) | K(ACTION) | K(VERDICT)},
	{"toolCalls.argumentBytes", K(MODEL_CALL)},
	{"toolCalls.arguments", K(MODEL_CALL)},
	{"toolCalls.complete", K(MODEL_CALL)},
	{"toolCalls.id", K(MODEL_CALL)},
	{"toolCalls.name", K(MODEL_CALL)},
	{"toolCalls.remote", K(MODEL_CALL)},
	{"toolCallsDropped", K(MODEL_CALL)},
	{"toolResults.bytes", K(MODEL_CALL)},
	{"toolResults.digest", K(MODEL_CALL)},
	{"toolResults.id", K(MODEL_CALL)},
	{"toolResults.isError", K(MODEL_CALL)},
	{"toolResultsDropped", K(MODEL_CALL)},
	{"tools.bytes", K(MODEL_CALL)},
	{"tools.digest", K(MODEL_CALL)},
	{"traceId", K(EXCHANGE) | K(SPAN) | K(MCP_CALL)},
	{"turn", K(MODEL_CALL)},
	{"turn.egress", K(VERDICT)},
	{"turn.egressTotal", K(VERDICT)},
	{"turn.fromBootNs", K(VERDICT)},
	{"turn.toBootNs", K(VERDICT)},
	{"udp", K(COVERAGE)},
	{"uid", K(ACTOR)},
	{"unix", K(COVERAGE)},
	{"usage.", K(MODEL_CALL)},
	{"usageIn", K(SPAN)},
	{"usageOut", K(SPAN)},
	{"verdict", K(VERDICT)},
	{"version", K(LIFE)},
	{"wire.attempts.by", K(ACTION) | K(VERDICT)},
	{"wire.attempts.exchange", K(ACTION) | K(VERDICT)},
	{"wire.attempts.idKnown", K(ACTION) | K(VERDICT)},
	{"wire.attempts.items", K(ACTION) | K(VERDICT)},
	{"wire.attempts.itemsGood", K(ACTION) | K(VERDICT)},
	{"wire.attempts.join", K(ACTION) | K(VERDICT)},
	{"wire.attempts.retryAfterS", K(ACTION) | K(VERDICT)},
	{"wire.attempts.status", K(ACTION) | K(VERDICT)},
	{"wire.attempts.t", K(ACTION) | K(VERDICT)},
	{"wire.attempts.waitedMs", K(ACTION) | K(VERDICT)},
	{"wire.attempts.wire", K(ACTION) | K(VERDICT)},
	{"wire.candidates.by", K(ACTION) | K(VERDICT)},
	{"wire.candidates.exchange", K(ACTION) | K(VERDICT)},
	{"wire.candidates.idKnown", K(ACTION) | K(VERDICT)},
	{"wire.candidates.items", K(ACTION) | K(VERDICT)},
	{"wire.candidates.itemsGood", K(ACTION) | K(VERDICT)},
	{"wire.candidates.join", K(ACTION) | K(VERDICT)},
	{"wire.candidates.retryAfterS", K(ACTION) | K(VERDICT)},
	{"wire.candidates.status", K(ACTION) | K(VERDICT)},
	{"wire.candidates.t", K(ACTION) | K(VERDICT)},
	{"wire.candidates.waitedMs", K(ACTION) | K(VERDICT)},
	{"wire.candidates.wire", K(ACTION) | K(VERDICT)},
	{"wire.destination", K(ACTION) | K(VERDICT)},
	{"wire.elsewhere.destination", K(ACTION) | K(VERDICT)},
	{"wire.elsewhere.exchange", K(ACTION) | K(VERDICT)},
	{"wire.elsewhere.method", K(ACTION) | K(VERDICT)},
	{"wire.elsewhere.path", K(ACTION) | K(VERDICT)},
	{"wire.elsewhere.peer", K(ACTION) | K(VERDICT)},
	{"wire.elsewhere.retryAfterS", K(ACTION) | K(VERDICT)},
	{"wire.elsewhere.status", K(ACTION) | K(VERDICT)},
	{"wire.exchange", K(ACTION) | K(VERDICT)},
	{"wire.flow", K(ACTION) | K(VERDICT)},
	{"wire.idDigest", K(ACTION) | K(VERDICT)},
	{"wire.method", K(ACTION) | K(VERDICT)},
	{"wire.nearMiss.destination", K(ACTION) | K(VERDICT)},
	{"wire.nearMiss.exchange", K(ACTION) | K(VERDICT)},
	{"wire.nearMiss.method", K(ACTION) | K(VERDICT)},
	{"wire.nearMiss.path", K(ACTION) | K(VERDICT)},
	{"wire.nearMiss.peer", K(ACTION) | K(VERDICT)},
	{"wire.nearMiss.retryAfterS", K(ACTION) | K(VERDICT)},
	{"wire.nearMiss.status", K(ACTION) | K(VERDICT)},
	{"wire.nearMiss.why", K(ACTION) | K(VERDICT)},
	{"wire.nearMissTotal", K(ACTION) | K(VERDICT)},
	{"wire.path", K(ACTION) | K(VERDICT)},
	{"wire.peer", K(ACTION) | K(VERDICT)},
	{"wire.readback", K(ACTION) | K(VERDICT)},
	{"wire.readbackTotal", K(ACTION) | K(VERDICT)},
	{"wire.readbacks.away", K(ACTION) | K(VERDICT)},
	{"wire.readbacks.exchange", K(ACTION) | K(VERDICT)},
	{"wire.readbacks.of", K(ACTION) | K(VERDICT)},
	{"wire.readbacks.otherCaller", K(ACTION) | K(VERDICT)},
	{"wire.readbacks.peer", K(ACTION) | K(VERDICT)},
	{"wire.readbacks.read", K(ACTION) | K(VERDICT)},
	{"wire.readbacks.status", K(ACTION) | K(VERDICT)},
	{"wire.readbacks.t", K(ACTION) | K(VERDICT)},
	{"wire.requestBytes", K(ACTION) | K(VERDICT)},
	{"wire.responseBytes", K(ACTION) | K(VERDICT)},
	{"wire.retries", K(ACTION) | K(VERDICT)},
	{"wire.retryAfterS", K(ACTION) | K(VERDICT)},
	{"wire.rule", K(ACTION) | K(VERDICT)},
	{"wire.status", K(ACTION) | K(VERDICT)},
	{"wire.undecoded.bytesAcked", K(ACTION) | K(VERDICT)},
	{"wire.undecoded.bytesReceived", K(ACTION) | K(VERDICT)},
	{"wire.undecoded.bytesSent", K(ACTION) | K(VERDICT)},
	{"wire.undecoded.destination", K(ACTION) | K(VERDICT)},
	{"wire.undecoded.flow", K(ACTION) | K(VERDICT)},
	{"wire.undecoded.peer", K(ACTION) | K(VERDICT)},
	{"wire.undecoded.tls", K(ACTION) | K(VERDICT)},
	{"wire.wire", K(ACTION) | K(VERDICT)},
};

const struct ww_path *ww_path_at(unsigned i)
{
	return i < WW_ARRAY_SIZE(paths) ? &paths[i] : NULL;
}

ww_path_kinds ww_path_find(struct ww_slice path)
{
	for (unsigned i = 0; i < WW_ARRAY_SIZE(paths); i++) {
		struct ww_slice known = ww_slice_str(paths[i].path);
		bool open = known.p[known.n - 1] == '.';

		if (open ? path.n > known.n && ww_slice_starts(path, known)
			 : ww_slice_eq(path, known))
			return paths[i].kinds;
	}
	return 0;
}

/* --- what was meant -----------------------------------------------------------------------------
 */

#define NEAR_BYTES_MAX 64 /* longer ones are nobody's slip of the finger */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to add, leave out, change or swap with their neighbour until one text is the other, case
 * aside. Both are short. */
static unsigned distance(struct ww_slice a, struct ww_slice b)
{
	uint8_t rows[3][NEAR_BYTES_MAX + 1];

	for (size_t k = 0; k <= b.n; k++)
		rows[0][k] = (uint8_t)k;
	for (size_t i = 1; i <= a.n; i++) {
		uint8_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = (uint8_t)i;
		for (size_t k = 1; k <= b.n; k++) {
			bool same = lower(a.p[i - 1]) == lower(b.p[k - 1]);
			unsigned d = least(least(last[k], now[k - 1]) + 1u, last[k - 1] + !same);

			if (i > 1 && k > 1 && lower(a.p[i - 1]) == lower(b.p[k - 2]) &&
			    lower(a.p[i - 2]) == lower(b.p[k - 1]))
				d = least(d, before[k - 2] + 1u);
			now[k] = (uint8_t)d;
		}
	}
	return rows[a.n % 3][b.n];
}

/* How far a text is from a known one; UINT32_MAX: too far to have been meant. */
static unsigned how_far(struct ww_slice text, struct ww_slice known)
{
	unsigned d;

	if (text.n == 0 || text.n > NEAR_BYTES_MAX || known.n > NEAR_BYTES_MAX)
		return UINT32_MAX;
	d = distance(text, known);
	return d <= 1 + text.n / 4 && d < text.n && d < known.n ? d : UINT32_MAX;
}

/* What stands behind the last dot. */
static struct ww_slice last_name(struct ww_slice path)
{
	size_t at = path.n;

	while (at > 0 && path.p[at - 1] != '.')
		at--;
	return ww_slice_sub(path, at, path.n);
}

/*
 * A whole path with slips; else a name that stands further down ("status" for wire.status), which
 * counts as two slips more. Of equals the shortest, then the first.
 */
const char *ww_path_near(struct ww_slice path, ww_path_kinds kinds)
{
	unsigned best = UINT32_MAX;
	const char *found = NULL;

	for (unsigned i = 0; i < WW_ARRAY_SIZE(paths); i++) {
		struct ww_slice known = ww_slice_str(paths[i].path);
		struct ww_slice name = last_name(known);
		unsigned d;

		if (!(paths[i].kinds & kinds))
			continue;
		d = how_far(path, known);
		if (d == UINT32_MAX && name.n > 0 && name.n < known.n) {
			d = how_far(path, name);
			d += d == UINT32_MAX ? 0 : 2;
		}
		if (d < best || (d == best && found && known.n < strlen(found))) {
			best = d;
			found = paths[i].path;
		}
	}
	return best == UINT32_MAX ? NULL : found;
}

const char *ww_path_near_word(struct ww_slice text, const char *const *words, unsigned count)
{
	unsigned best = UINT32_MAX;
	const char *found = NULL;

	for (unsigned i = 0; i < count; i++) {
		unsigned d = words[i] ? how_far(text, ww_slice_str(words[i])) : UINT32_MAX;

		if (d < best) {
			best = d;
			found = words[i];
		}
	}
	return found;
}
