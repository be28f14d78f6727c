// The public door of @steward/core/testing: what users test their assistants and drivers with.

// Models and servers that do as they are told
export { type ScriptedModel, type ScriptedTurnFunction, scriptedModel } from './scripted-model.ts';
export type { ScriptedTurn } from './scripted-turn.ts';
export type { FakeToolCall, TurnContent } from './turn-content.ts';
export {
  type ReplayingModel,
  type ReplayOptions,
  recordingModel,
  replayingModel,
} from './cassette.ts';
export {
  type OpenAiReplyFunction,
  type OpenAiServer,
  type OpenAiServerOptions,
  startOpenAiServer,
} from './openai-server.ts';
export type { OpenAiServerRequest } from './openai-request.ts';
export type { BackgroundAnswer } from './openai-background.ts';
export type { OpenAiReply, RawReply, ReplyError } from './openai-reply.ts';

// Time, chance and death
export { type FakeClock, fakeClock } from './fake-clock.ts';
export { type SeededRandom, seededRandom } from './random.ts';
export { type CrashPoints, crashPointFromEnvironment, crashPoints } from './crash-points.ts';
export { type FaultProxy, type FaultProxyOptions, faultProxy } from './fault-proxy.ts';
export type { FlowDirection, NetworkFault } from './network-fault.ts';

// Your own set-up, in processes that die
export {
  type ApproveOnceOptions,
  type ApproveOnceReport,
  approveOnce,
} from './replicas/approve-once.ts';
export { failOver, type FailOverOptions, type FailOverReport } from './replicas/fail-over.ts';
export { Outside, type OutsideRequest } from './replicas/outside.ts';
export { planned, type ReplicaPlan } from './replicas/plan.ts';
export {
  type ProcessEnd,
  type Replica,
  ReplicaGone,
  type ReplicaOptions,
  startReplica,
} from './replicas/replica.ts';
export type { SetUp, SetUpOptions } from './replicas/set-up.ts';

// What has to hold afterwards
export { brokenPromises } from './oracle/broken-promises.ts';
export {
  type BrokenPromise,
  type EffectRecord,
  type Evidence,
  evidenceOf,
  type Invariant,
  type Reading,
  type RunEvidence,
} from './oracle/evidence.ts';

// Conformance suites, one per port
export type { SuiteContext, SuiteDriver } from './suites/suite.ts';
export { testRunStore } from './suites/run-store.ts';
export type { RunStoreSubject } from './suites/run-store-samples.ts';
export {
  type ConversationStoreSubject,
  testConversationStore,
} from './suites/conversation-store.ts';
export { testLiveLog } from './suites/live-log.ts';
export type { LiveLogSubject } from './suites/live-log-samples.ts';
export { type RunEngineDriver, testRunEngine } from './suites/run-engine.ts';
export {
  type ArtifactStoreDriver,
  type ArtifactStoreSubject,
  testArtifactStore,
} from './suites/artifact-store.ts';
export { testUsageStore, type UsageStoreSubject } from './suites/usage-store.ts';
export { type RateLimiterSubject, testRateLimiter } from './suites/rate-limiter.ts';
export { type BreakerStoreSubject, testBreakerStore } from './suites/breaker-store.ts';
export { type HintsSubject, testHints } from './suites/hints.ts';
export {
  type AuditEdit,
  type AuditLogDriver,
  type AuditLogSubject,
  testAuditLog,
} from './suites/audit-log.ts';
export { type SessionStoreSubject, testSessionStore } from './suites/session-store.ts';
export { type CacheSubject, testCache } from './suites/cache.ts';
export { testUserStore, type UserStoreSubject } from './suites/user-store.ts';
export { type CredentialStoreSubject, testCredentialStore } from './suites/credential-store.ts';
export { testToolServerStore, type ToolServerStoreSubject } from './suites/tool-server-store.ts';
