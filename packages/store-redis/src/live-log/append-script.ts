import { beginning, gap } from './stream-entry.ts';

/**
 * Appends events to a stream, all in one step: who owns a run, and whether anything got lost, is seen where the events
 * lie. Each entry names the one before it (`p`), so a reader notices a gap wherever it came from: a flush, a crash, the
 * limit of the stream. What a new owner shows of an earlier one (its stored events) follows the last entry only if no cursor
 * lies between: otherwise the earlier owner may have died with pieces of text that it had not sent. And what the new owner
 * says itself follows only what it knows to be stored of the earlier ones.
 *
 * ARGV: epoch of the writer, limit of the stream, lifetime in ms, the cursor that the writer believes to be the last
 * (empty: it does not know), what to note before the first entry (empty: the truth), the newest stored cursor of earlier
 * owners (empty: there is none), then cursor and JSON of each event.
 * Answers what came of it and the last cursor of the stream.
 */
export const appendScript = `
local function place(id)
  local epoch, k = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(epoch), tonumber(k)
end
local key, owner = KEYS[1], tonumber(ARGV[1])
local top = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
local last, lastEpoch, lastK = '', 0, -1
if top then
  last = top[1]
  lastEpoch, lastK = place(last)
end
if lastEpoch > owner then return {'fenced', last} end
if ARGV[4] ~= '' and ARGV[4] ~= last then return {'behind', last} end
local before = last
if ARGV[5] ~= '' then before = ARGV[5] end
local storedEpoch, storedK = 0, -1
if ARGV[6] ~= '' then storedEpoch, storedK = place(ARGV[6]) end
for i = 7, #ARGV, 2 do
  local id = ARGV[i]
  local epoch, k = place(id)
  if epoch > lastEpoch or (epoch == lastEpoch and k > lastK) then
    local isNext = (epoch == lastEpoch and k == lastK + 1) or (last == '${beginning}' and k == 0)
    if epoch > 0 and epoch < owner and not isNext then before = '${gap}' end
    local lacksStored = lastEpoch < storedEpoch or (lastEpoch == storedEpoch and lastK < storedK)
    if epoch == owner and lacksStored then before = '${gap}' end
    redis.call('XADD', key, 'MAXLEN', '~', ARGV[2], id, 'p', before, 'e', ARGV[i + 1])
    before, last, lastEpoch, lastK = id, id, epoch, k
  end
end
redis.call('PEXPIRE', key, ARGV[3])
return {'ok', last}
`;

/** Under this name clients know the script. */
export const appendCommand = 'stewardAppend';
