--- The running client: finding it, asking it, and letting it ask.
local M = {}

--- The client that serves a buffer.
---@param buf? integer Default: the current one
---@return vim.lsp.Client?
function M.of(buf) return vim.lsp.get_clients({ bufnr = buf or 0, name = "aiops" })[1] end

--- The client of this buffer, or else any.
---@return vim.lsp.Client?
function M.any() return M.of() or vim.lsp.get_clients({ name = "aiops" })[1] end

--- Call a client's method: a function of the client up to Neovim 0.10, a method from 0.11.
---@param client vim.lsp.Client
---@param name string
function M.call(client, name, ...)
  if vim.fn.has("nvim-0.11") == 1 then return client[name](client, ...) end
  return client[name](...)
end

--- Send a request; `on_result` gets the result. What the server refuses is shown in its words.
---@param client vim.lsp.Client
---@param method string
---@param params table
---@param on_result fun(result: any)
function M.request(client, method, params, on_result)
  M.call(client, "request", method, params, function(problem, result)
    if problem then
      M.notify(problem.message, vim.log.levels.ERROR)
    else
      on_result(result)
    end
  end)
end

---@param text string
---@param level? integer
function M.notify(text, level) vim.notify(text, level or vim.log.levels.INFO, { title = "aiops" }) end

--- Say why there is no client here.
function M.notify_absent()
  M.notify("aiops is not attached to this buffer; :checkhealth aiops says more", vim.log.levels.WARN)
end

--- A whole number with thousands set apart.
---@param number integer
---@return string
function M.grouped(number)
  local text = ("%.0f"):format(number)
  return (text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

local function busy()
  local mode = vim.api.nvim_get_mode()
  return mode.blocking or mode.mode:sub(1, 1) ~= "n" or vim.fn.getcmdwintype() ~= ""
end

--- The handler of `window/showMessageRequest`: the editor's own question, but never in the middle of typing, where
--- the next keys would answer it.
function M.ask_when_idle(problem, params, context)
  local asking, is_main = coroutine.running()
  if asking and not is_main and busy() then
    vim.api.nvim_create_autocmd("ModeChanged", {
      pattern = "*:n",
      callback = function()
        if busy() then return end
        vim.schedule(function() coroutine.resume(asking) end)
        return true -- deletes the autocommand
      end,
    })
    coroutine.yield()
  end
  return vim.lsp.handlers["window/showMessageRequest"](problem, params, context)
end

return M
