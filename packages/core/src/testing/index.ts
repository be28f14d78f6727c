// The public door of @steward/core/testing: what users test their assistants and drivers with.

// Models and servers that do as they are told
export {
  type ReplayingModel,
  type ReplayOptions,
  recordingModel,
  replayingModel,
} from './cassette.ts';
// Time, chance and death
export { type CrashPoints, crashPoints } from './crash-points.ts';
export { type FakeClock, fakeClock } from './fake-clock.ts';
export type { OpenAiReply, RawReply, ReplyError } from './openai-reply.ts';
export {
  type OpenAiReplyFunction,
  type OpenAiServer,
  type OpenAiServerOptions,
  type OpenAiServerRequest,
  startOpenAiServer,
} from './openai-server.ts';
export { type SeededRandom, seededRandom } from './random.ts';
export {
  type ScriptedModel,
  type ScriptedTurn,
  type ScriptedTurnFunction,
  scriptedModel,
} from './scripted-model.ts';
export { testArtifactStore } from './suites/artifact-store.ts';
export { testAuditLog } from './suites/audit-log.ts';
export { testConversationStore } from './suites/conversation-store.ts';
export { testLiveLog } from './suites/live-log.ts';
export { testRateLimiter } from './suites/rate-limiter.ts';
export { testRunEngine } from './suites/run-engine.ts';
export { testRunStore } from './suites/run-store.ts';
// Conformance suites, one per port
export type { SuiteContext, SuiteDriver } from './suites/suite.ts';
export { testToolServerStore } from './suites/tool-server-store.ts';
export { testUsageStore } from './suites/usage-store.ts';
export type { FakeToolCall, TurnContent } from './turn-content.ts';
