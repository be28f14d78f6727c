// The public door of @steward/store-redis. Named exports only.

export { type RedisStores, type RedisStoresOptions, redisStores } from './redis-stores.ts';
export { type BullMqEngineOptions, bullMqEngine } from './engine/bullmq-engine.ts';
export type { RedisAddress } from './connection/address.ts';
export { examineRedis } from './examine-redis.ts';
export type { RedisFinding } from './connection/examination.ts';
