#!/usr/bin/env node
import process from 'node:process';
import { runCommand } from './commands/run-command.ts';

process.exitCode = await runCommand(process.argv.slice(2), {
  databaseUrl: process.env['DATABASE_URL'],
  redisUrl: process.env['REDIS_URL'],
  print: (line) => console.log(line),
  complain: (line) => console.error(line),
});
