-- CONST mailbox_length
-- Messages to processes and the outbox of the history.
-- NOMKSTREAM: a process whose lease has ended has no mailbox, and none must be left behind.
local function post(process, ...)
  if process and process ~= '' then
    call('XADD', cell .. 'mailbox:' .. process, 'NOMKSTREAM', 'MAXLEN', '~', mailbox_length, '*', ...)
  end
end

local function emit(...) call('XADD', cell .. 'events', '*', ...) end
