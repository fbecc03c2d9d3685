-- EACH mail = nil
-- CONST mailbox_length
-- Messages to processes and the outbox of the history. An entry of a mailbox has of each message its kind,
-- the number of its fields, and these; then '' where a stream needs it, which wants pairs. `mail`: in a call
-- that does the work of many, what it has for each process until its end: an entry costs more than
-- what is in it.
local MOST_VALUES = 1000

-- NOMKSTREAM: a process whose lease has ended has no mailbox, and none must be left behind.
local function drop_off(process, ...)
  call('XADD', cell .. 'mailbox:' .. process, 'NOMKSTREAM', 'MAXLEN', '~', mailbox_length, '*', ...)
end

local function drop_off_all(process, letters)
  if #letters % 2 == 1 then letters[#letters + 1] = '' end
  drop_off(process, unpack(letters))
end

local function keep(process, kind, fields)
  local letters = mail[process] or {}
  letters[#letters + 1] = kind
  letters[#letters + 1] = #fields
  local last = #letters
  for i = 1, #fields do letters[last + i] = fields[i] end
  if #letters > MOST_VALUES then
    drop_off_all(process, letters)
    letters = nil
  end
  mail[process] = letters
end

local function post(process, kind, ...)
  if not process or process == '' then
    return
  elseif mail then
    keep(process, kind, { ... })
  elseif select('#', ...) % 2 == 0 then
    drop_off(process, kind, select('#', ...), ...)
  else
    drop_off_all(process, { kind, select('#', ...), ... })
  end
end

local function emit(...) call('XADD', cell .. 'events', '*', ...) end
