// Preloaded into every measured process: some peers call home, and print banners while they start.
import dns from 'node:dns';

const lookup = dns.lookup;
dns.lookup = (host, options, callback) => {
  const done = typeof options === 'function' ? options : callback;
  const settings = typeof options === 'function' ? {} : options;
  if (host === 'localhost' || host === '127.0.0.1') return lookup(host, settings, done);
  process.nextTick(done, Object.assign(new Error(`blocked: ${host}`), { code: 'ENOTFOUND' }));
};
globalThis.AI_SDK_LOG_WARNINGS = false;
