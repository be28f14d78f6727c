import { demoModel, type ModelClient, openaiModel } from '@steward/core';

/** The model that answers, and what the page says about it. */
export interface ModelChoice {
  readonly model: ModelClient;
  readonly label: string;
  readonly hint: string;
  readonly isDemo: boolean;
}

const defaultModel = 'gpt-5-mini';

/** OpenAI, or what speaks its API, where there is a key; else the demo model, which the page says. */
export function chooseModel(environment: NodeJS.ProcessEnv): ModelChoice {
  const {
    OPENAI_API_KEY: apiKey,
    OPENAI_BASE_URL: baseURL,
    OPENAI_MODEL: name = defaultModel,
  } = environment;
  if (!apiKey) {
    return {
      model: demoModel(),
      label: 'Demo model',
      hint: 'No key, no network: a rule-based stand-in. Set OPENAI_API_KEY, and OPENAI_BASE_URL or OPENAI_MODEL if you like, and start again.',
      isDemo: true,
    };
  }
  if (baseURL && !/^https?:\/\//.test(baseURL)) {
    throw new TypeError(`OPENAI_BASE_URL must begin with http:// or https://, not "${baseURL}"`);
  }
  // Servers that are merely compatible speak Chat Completions; OpenAI itself is at its best with Responses.
  const model = baseURL
    ? openaiModel({ api: 'chat', model: name, apiKey, baseURL })
    : openaiModel({ api: 'responses', model: name, apiKey });
  const hint = baseURL ? `Served by ${new URL(baseURL).host}` : 'Served by OpenAI';
  return { model, label: name, hint, isDemo: false };
}
