import { describe, expect, it } from 'vitest';
import { parseAddress } from '../src/connection/address.ts';

const parse = (url: string) => parseAddress(url, 'redisStores');

describe('an address of Redis', () => {
  it('is of one server, with everything that it needs to get in', () => {
    expect(parse('redis://localhost')).toEqual({
      kind: 'server',
      hosts: [{ host: 'localhost', port: 6379 }],
      name: '',
      db: 0,
      access: {},
    });
    expect(parse('rediss://app:p%40ss:w@redis.example:6380/7')).toMatchObject({
      hosts: [{ host: 'redis.example', port: 6380 }],
      db: 7,
      access: { username: 'app', password: 'p@ss:w', tls: { servername: 'redis.example' } },
    });
    expect(parse('redis://:secret@[::1]:1/')).toMatchObject({
      hosts: [{ host: '::1', port: 1 }],
      access: { password: 'secret' },
    });
  });

  it('is of Sentinels and the name that they watch', () => {
    expect(parse('redis+sentinel://app:secret@one,two:26380/main/2')).toEqual({
      kind: 'sentinel',
      hosts: [
        { host: 'one', port: 26_379 },
        { host: 'two', port: 26_380 },
      ],
      name: 'main',
      db: 2,
      access: { username: 'app', password: 'secret' },
    });
    expect(parse('rediss+sentinel://one/main')).toMatchObject({ db: 0, access: { tls: {} } });
  });

  it('is of nodes of a Cluster', () => {
    expect(parse('redis+cluster://one:7000,[::1]:7001')).toMatchObject({
      kind: 'cluster',
      hosts: [
        { host: 'one', port: 7000 },
        { host: '::1', port: 7001 },
      ],
    });
  });

  it.each([
    ['http://one', 'must begin with redis://'],
    ['redis+other://one', 'must begin with redis://'],
    ['redis://', 'must name a host'],
    ['redis://one:port', 'must name a host'],
    ['redis://one,two', 'redis+sentinel:// or redis+cluster://'],
    ['redis://one/name', 'the number of the database'],
    ['redis+sentinel://one', 'the name that the Sentinels watch'],
    ['redis+sentinel://one/main/2/3', 'the name that the Sentinels watch'],
    ['redis+cluster://one/1', 'must not end in a database'],
    ['redis://:50%@one', 'not written as %25'],
  ])('is not %s', (url, says) => {
    expect(() => parse(url)).toThrow(TypeError);
    expect(() => parse(url)).toThrow(`redisStores: url ${says.startsWith('must') ? says : ''}`);
    expect(() => parse(url)).toThrow(says);
  });
});
