-- @include tell
local function post_all(processes, ...)
  for _, process in ipairs(processes) do post(process, ...) end
end
