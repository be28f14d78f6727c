import { examine, type Finding } from '../schema/examination.ts';
import type { Command } from './command.ts';

const marks: Readonly<Record<Finding['state'], string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'FAILED',
};

/** Prints what the stores rely on: each server up to the first thing that fails there. */
export const doctor: Command = async ({ driver, schema, options, print }) => {
  const servers = {
    postgres: await examine(driver, schema),
    ...(options.redisUrl !== undefined && { redis: await examineRedis(options.redisUrl) }),
  };
  const rows = Object.entries(servers).flatMap(([server, findings]) =>
    findings.map(({ check, state, says }) => [server, check, marks[state], says] as const),
  );
  for (const [server, check, mark, says] of [['server', 'check', 'result', ''] as const, ...rows]) {
    print(`${server.padEnd(9)} ${check.padEnd(12)} ${mark.padEnd(8)} ${says}`.trimEnd());
  }
  return rows.every(([, , mark]) => mark !== marks.failed);
};

/** The sibling looks at its own server, where it is installed. */
async function examineRedis(url: string): Promise<readonly Finding[]> {
  try {
    const redis = await import('@steward/store-redis');
    return await redis.examineRedis({ url });
  } catch (reason) {
    return [{ check: 'connection', state: 'failed', says: whyNot(reason) }];
  }
}

function whyNot(reason: unknown): string {
  const { code, message } = reason as { readonly code?: unknown; readonly message?: unknown };
  const isMissing = code === 'ERR_MODULE_NOT_FOUND';
  return isMissing ? 'Install @steward/store-redis, which knows Redis.' : String(message);
}
