--- Starts a server that crashed again, at growing intervals, and gives up when that does not help.
local M = {}

local most_restarts = 5
local forgotten_after_ms = 3 * 60 * 1000

---@type integer[] When it was started again, in milliseconds of |uv.now()|.
local restarts = {}

local SIGTERM, SIGINT = 15, 2

local function crashed(code, signal)
  -- A server that was told to stop ends with 0, by SIGTERM when it takes too long.
  return signal ~= SIGTERM and signal ~= SIGINT and (code ~= 0 or signal ~= 0) and vim.v.exiting == vim.NIL
end

local function start_again(config, buffers)
  for _, buf in ipairs(buffers) do
    if vim.api.nvim_buf_is_loaded(buf) then vim.lsp.start(config, { bufnr = buf }) end
  end
end

--- The `on_exit` of the client. Called where hardly any of the API may be.
---@param code integer
---@param signal integer
---@param client_id integer
function M.on_exit(code, signal, client_id)
  local client = vim.lsp.get_client_by_id(client_id)
  local buffers = client and vim.tbl_keys(client.attached_buffers) or {}
  local config = client and client.config
  vim.schedule(function()
    require("aiops.status").forget(client_id)
    if not config or #buffers == 0 or not crashed(code, signal) then return end
    local now = vim.uv.now()
    restarts = vim.tbl_filter(function(at) return now - at < forgotten_after_ms end, restarts)
    local notify = require("aiops.client").notify
    if #restarts >= most_restarts then
      local text = ("aiops crashed %d times within minutes and stays off; :edit starts it again"):format(#restarts + 1)
      return notify(text, vim.log.levels.ERROR)
    end
    restarts[#restarts + 1] = now
    vim.defer_fn(function() start_again(config, buffers) end, 500 * 2 ^ (#restarts - 1))
  end)
end

return M
