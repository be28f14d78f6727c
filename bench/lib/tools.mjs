// The tools that every peer offers to the model. `z` is the peer's own copy of zod.

/** Real executions, compared with what the server asked for. */
export const executions = { count: 0 };

async function execute({ id }) {
  executions.count += 1;
  return { ok: true, id, value: `v-${id}` };
}

function lookup(z) {
  return {
    name: 'lookup',
    description: 'Look up one item by its id and name.',
    schema: z.object({
      id: z.number().int().describe('numeric id of the item'),
      name: z.string().describe('name of the item'),
    }),
    execute,
  };
}

function serviceTool(z, index) {
  const service = `service${index % 25}`;
  return {
    name: `${service}_operation_${index}`,
    description: `Operation ${index} of ${service}: creates or updates a record in the tenant and returns its new state.`,
    schema: z.object({
      id: z.number().int().describe('Numeric id of the record'),
      title: z.string().min(1).max(200).describe('Human readable title of the record'),
      status: z
        .enum(['open', 'in_progress', 'blocked', 'done', 'archived'])
        .describe('Workflow status'),
      priority: z.number().int().min(0).max(5).describe('Priority, 0 is the highest'),
      tags: z.array(z.string()).max(20).describe('Free tags'),
      owner: z
        .object({
          name: z.string().describe('Display name'),
          email: z.string().describe('E-mail address'),
          team: z.string(),
        })
        .describe('Owner of the record'),
      due: z.string().describe('Due date in ISO 8601'),
      dryRun: z.boolean().describe('Only validate, do not write'),
    }),
    execute,
  };
}

/** `count` tools; the first is the one that the server calls. */
export function makeTools(z, count) {
  return Array.from({ length: count }, (_, index) =>
    index === 0 ? lookup(z) : serviceTool(z, index),
  );
}

/** Remembers what was made: clients, tools and assistants are made once and used again, as in a server. */
export function once() {
  const made = new Map();
  return (key, make) => {
    if (!made.has(key)) made.set(key, make());
    return made.get(key);
  };
}
