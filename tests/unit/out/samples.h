/* SPDX-License-Identifier: Apache-2.0 */
/* Records as their writers write them, shortened to the members that people see. */
#pragma once

#include "base/slice.h"

#define T "\"t\":\"2026-11-23T14:03:22.123456789Z\""

#define SAMPLE_VERDICT_MASKED                                                                      \
	"{\"kind\":\"verdict\",\"id\":\"v-00c0ffee-1\"," T                                         \
	",\"action\":\"a-00c0ffee\",\"engine\":"                                                   \
	"\"effect\",\"verdict\":\"MASKED_ERROR\",\"reason\":null,\"evidence\":\"E5\",\"tier\":"    \
	"\"T0\","                                                                                  \
	"\"join\":\"EXACT\",\"by\":\"traceparent\",\"tool\":\"refund_order\",\"toolCallId\":"      \
	"\"call_2\","                                                                              \
	"\"actor\":\"p77-1f\",\"root\":\"p77-1f\",\"cgroup\":\"0000000000000abc\",\"said\":{"      \
	"\"claim\":"                                                                               \
	"\"done\",\"claims\":[{\"claimId\":\"c1\",\"tense\":\"done\"," T ",\"span\":\"s-01\"}]},"  \
	"\"span\":{\"id\":\"s-02\",\"traceId\":\"0a\",\"status\":\"OK\",\"count\":1},\"wire\":{"   \
	"\"exchange\":\"x-5-1\",\"flow\":\"f-5\",\"wire\":\"failed\",\"status\":503,"              \
	"\"destination\":"                                                                         \
	"\"payments.test\",\"peer\":\"10.77.2.2:8443\",\"method\":\"POST\",\"path\":\"/v1/"        \
	"refunds\","                                                                               \
	"\"retryAfterS\":5,\"requestBytes\":300,\"responseBytes\":120,\"retries\":0,\"attempts\":" \
	"[{"                                                                                       \
	"\"exchange\":\"x-5-1\",\"wire\":\"failed\",\"status\":503}],\"nearMissTotal\":0,"         \
	"\"nearMiss\":"                                                                            \
	"[]},\"closedWorld\":[],\"contracts\":\"aa\",\"refs\":[\"s-02\",\"x-5-1\"],\"summary\":"   \
	"\"refund_order: POST /v1/refunds at payments.test answered 503 (measured)\"}"

#define SAMPLE_VERDICT_NO_ACTION                                                                   \
	"{\"kind\":\"verdict\",\"id\":\"v-00c0ffed-1\"," T                                         \
	",\"action\":\"a-00c0ffed\",\"engine\":"                                                   \
	"\"commit\",\"verdict\":\"NO_ACTION\",\"reason\":null,\"evidence\":\"E0\",\"join\":"       \
	"\"NONE\","                                                                                \
	"\"tool\":\"refund_order\",\"toolCallId\":\"call_3\",\"said\":{\"claim\":null,\"claims\":" \
	"[],"                                                                                      \
	"\"text\":{\"bytes\":34,\"digest\":\"bb\"}},\"span\":{\"id\":\"s-03\",\"status\":\"OK\"}," \
	"\"wire\":{\"attempts\":[],\"nearMissTotal\":0,\"nearMiss\":[]},\"closedWorld\":[{"        \
	"\"item\":"                                                                                \
	"\"clock\",\"pass\":true}],\"refs\":[\"s-03\"],\"summary\":\"x\"}"

#define SAMPLE_VERDICT_UNVERIFIABLE                                                              \
	"{\"kind\":\"verdict\",\"id\":\"v-00c0ffec-2\"," T                                       \
	",\"action\":\"a-00c0ffec\",\"engine\":"                                                 \
	"\"effect\",\"verdict\":\"UNVERIFIABLE\",\"reason\":\"TLS_OPAQUE\",\"join\":\"NONE\","   \
	"\"tool\":"                                                                              \
	"\"refund_order\",\"toolCallId\":null,\"said\":{\"claim\":null,\"claims\":[]},\"span\":" \
	"null,"                                                                                  \
	"\"wire\":{\"attempts\":[],\"undecoded\":{\"flow\":\"f-6\",\"destination\":\"payments."  \
	"test\","                                                                                \
	"\"peer\":\"10.77.2.2:8443\",\"tls\":true,\"bytesSent\":812}},\"refs\":[\"f-6\"],"       \
	"\"supersedes\":\"v-00c0ffec-1\"}"

#define SAMPLE_EXCHANGE                                                                            \
	"{\"kind\":\"exchange\",\"id\":\"x-5-1\"," T ",\"flow\":\"f-5\",\"index\":1,\"actor\":"    \
	"\"p77-1f\",\"outcome\":\"complete\",\"findings\":[],\"client\":true,\"local\":"           \
	"\"10.77.2.1:50000\",\"peer\":\"10.77.2.2:8443\",\"sni\":\"payments.test\",\"authority\":" \
	"\"payments.test:8443\",\"method\":\"POST\",\"path\":\"/v1/refunds\",\"status\":503,"      \
	"\"retryAfterS\":5,\"request\":{\"bytes\":300,\"firstBootNs\":1000000000},\"response\":{"  \
	"\"bytes\":120,\"lastBootNs\":1012300000}}"

#define SAMPLE_FLOW                                                                              \
	"{\"kind\":\"flow\",\"id\":\"f-5\"," T                                                   \
	",\"actor\":\"p77-1f\",\"proto\":\"tcp\",\"local\":"                                     \
	"\"10.77.2.1:50000\",\"peer\":\"10.77.2.2:8443\",\"close\":\"fin-local\",\"tls\":{"      \
	"\"sni\":"                                                                               \
	"\"payments.test\",\"bind\":\"random\"},\"account\":{\"out\":{\"payload\":1200,"         \
	"\"handshake\":"                                                                         \
	"400,\"tickets\":0,\"explained\":756,\"overhead\":44,\"remainder\":0,\"checked\":true}," \
	"\"in\":{\"payload\":3000,\"handshake\":2000,\"tickets\":500,\"explained\":400,"         \
	"\"overhead\":"                                                                          \
	"100,\"remainder\":0,\"checked\":true}},\"lostOut\":0,\"lostIn\":0,\"exchanges\":2}"

#define SAMPLE_SPAN                                                                              \
	"{\"kind\":\"span\",\"id\":\"s-02\"," T                                                  \
	",\"name\":\"execute_tool refund_order\",\"status\":"                                    \
	"\"OK\",\"service\":\"agent\",\"actor\":\"p77-1f\",\"role\":\"tool\",\"tool\":\"refund_" \
	"order\","                                                                               \
	"\"toolCallId\":\"call_2\",\"attrs\":{\"gen_ai.tool.name\":\"refund_order\"}}"

#define SAMPLE_ACTION                                                                              \
	"{\"kind\":\"action\",\"id\":\"a-00c0ffee\"," T                                            \
	",\"tool\":\"refund_order\",\"toolCallId\":"                                               \
	"\"call_2\",\"effect\":\"network\",\"said\":{\"claim\":\"done\",\"claims\":[]},\"span\":{" \
	"\"id\":\"s-02\",\"status\":\"OK\"},\"model\":null,\"wire\":{\"attempts\":[{\"exchange\":" \
	"\"x-5-1\"}],\"retries\":0}}"

#define SAMPLE_ACTOR                                                                             \
	"{\"kind\":\"actor\",\"id\":\"p77-1f\"," T ",\"pid\":77,\"parent\":\"p1-2\",\"cgroup\":" \
	"\"0000000000000abc\",\"uid\":1000,\"comm\":\"node\",\"exe\":\"/usr/bin/node\","         \
	"\"bornInSight\":true}"

#define SAMPLE_COVERAGE                                                                        \
	"{\"kind\":\"coverage\",\"id\":\"c-abc-1\"," T                                         \
	",\"cgroup\":\"0000000000000abc\",\"path\":"                                           \
	"\"/sys/fs/cgroup/wirewitness/"                                                        \
	"run-1\",\"fromBootNs\":1,\"toBootNs\":2,\"tcp\":true,\"udp\":"                        \
	"true,\"raw\":true,\"unix\":true,\"processes\":true,\"lostEvents\":0,\"lostBytes\":0," \
	"\"beyondCapBytes\":0,\"marksTotal\":0,\"marks\":[]}"

#define SAMPLE_COVERAGE_BAD                                                                        \
	"{\"kind\":\"coverage\",\"id\":\"c-abd-1\"," T                                             \
	",\"cgroup\":\"0000000000000abd\",\"path\":"                                               \
	"\"/"                                                                                      \
	"other\",\"fromBootNs\":1,\"toBootNs\":2,\"tcp\":true,\"udp\":true,\"raw\":true,\"unix\":" \
	"true,\"processes\":true,\"lostEvents\":3,\"lostBytes\":96,\"beyondCapBytes\":10,"         \
	"\"marksTotal\":2,\"marks\":[{\"what\":\"loss\",\"events\":3,\"bytes\":96,\"detail\":"     \
	"\"data "                                                                                  \
	"ring full\"},{\"what\":\"gap\",\"detail\":\"probe gone\"}]}"

#define SAMPLE_LOSS                                                                            \
	"{\"kind\":\"loss\",\"id\":\"l-1-2\"," T ",\"cgroup\":\"0000000000000abd\",\"cause\":" \
	"\"data ring full\",\"events\":3,\"bytes\":96}"

#define SAMPLE_FINDING \
	"{\"kind\":\"finding\",\"id\":\"x-5-1\"," T ",\"finding\":\"malformed-body\"}"

#define SAMPLE_LIFE                                                                              \
	"{\"kind\":\"life\",\"id\":\"d-1\"," T ",\"event\":\"start\",\"text\":null,\"version\":" \
	"\"0.1.0\"}"
