import type { Driver } from '../database/driver.ts';

/** Where a command is at work, and what it was told. */
interface CommandContext {
  readonly driver: Driver;
  readonly schema: string;
  readonly options: {
    readonly down: boolean;
    readonly count: number | undefined;
    readonly appRole: string | undefined;
    readonly createRole: boolean;
    readonly redisUrl: string | undefined;
  };
  /** Words after the name of the command. */
  readonly words: readonly string[];
  readonly print: (line: string) => void;
}

/** Does its work and says whether all is well. */
export type Command = (context: CommandContext) => Promise<boolean>;
