import type { Principal } from '../tools/tool.ts';
import type { ToolServer } from './mcp-tool.ts';
import type { PromptArguments, PromptMessage, ServerPrompt } from './server-prompts.ts';
import type { ServerState } from './server-state.ts';

/** Tool name to the hash of the definition that a person has looked at. */
export type ApprovedTools = { readonly [tool: string]: string };

/** One server of the pool, whether its users share a connection or not. */
export interface ServerEntry extends ToolServer {
  /** Connects where that was not done; never throws. */
  prepare(principal: Principal): Promise<void>;
  /** How it is for this user. */
  state(principal: Principal): ServerState;
  /** Where this user signs in; `null` when that is not needed. */
  signInPage(principal: Principal): Promise<string | null>;
  /** Ends a sign-in with the address that the browser came back with. */
  finishSignIn(came: URL, principal: Principal): Promise<void>;
  /** Approves definitions that changed, and takes them over. */
  approve(hashes: ApprovedTools): Promise<void>;
  prompts(principal: Principal): Promise<readonly ServerPrompt[]>;
  prompt(
    principal: Principal,
    name: string,
    args: PromptArguments,
  ): Promise<readonly PromptMessage[]>;
  close(): Promise<void>;
}
