--- What the server says of itself in `aiops/status`: for the statusline, for :AiopsStatus, for other plugins.
local M = {}

local client_of = require("aiops.client").of
local notify = require("aiops.client").notify
local notify_absent = require("aiops.client").notify_absent
local grouped = require("aiops.client").grouped

---@type table<integer, table> The last status by client id.
local by_client = {}

local in_words = {
  idle = "",
  reviewing = "reviewing",
  degraded = "degraded",
  offline = "offline",
  over_budget = "over budget",
  waiting_for_consent = "waiting for your answer",
}

--- The handler of the notification.
function M.on_status(_, status, context)
  by_client[context.client_id] = status
  vim.api.nvim_exec_autocmds("User", { pattern = "AiopsStatus", modeline = false, data = status })
  vim.cmd.redrawstatus({ bang = true })
end

--- The last status that concerns a buffer, as the server sent it; nil where there is none.
---@param buf? integer
---@return table?
function M.get(buf)
  local client = client_of(buf)
  return client and by_client[client.id]
end

local function document(status, buf)
  local uri = vim.uri_from_bufnr(buf or 0)
  for _, one in ipairs(status.documents or {}) do
    if one.uri == uri then return one end
  end
end

---@param buf? integer
---@return string
function M.statusline(buf)
  if not client_of(buf) then return "" end
  local status = M.get(buf)
  if not status then return "aiops starting" end
  local state = in_words[status.state] or status.state
  local one = document(status, buf)
  -- How much is reviewed is of interest while it is not all, and says nothing where no model is asked.
  local part = ""
  if one and one.reviewed < one.regions and (status.state == "idle" or status.state == "reviewing") then
    part = ("%d/%d"):format(one.reviewed, one.regions)
  end
  return vim.trim(table.concat({ "aiops", state, part }, " "):gsub("%s+", " "))
end

--- The status in lines for people.
---@param buf? integer
---@return string[]
function M.lines(buf)
  local status = M.get(buf)
  if not status then return { "aiops is starting" } end
  local state = in_words[status.state] or status.state
  local lines = { "aiops is " .. (state ~= "" and state or "idle") }
  if status.reason ~= "" and status.reason ~= state then lines[1] = lines[1] .. ": " .. status.reason end
  local one = document(status, buf)
  if one then
    lines[#lines + 1] = one.note ~= "" and ("This file is not sent to a model: " .. one.note)
      or ("This file: " .. one.words)
    for reason, count in vim.spairs(one.notReviewed) do
      lines[#lines + 1] = ("  %d not reviewed: %s"):format(count, reason)
    end
  end
  local spend, limits = status.spend, status.limits
  lines[#lines + 1] = ("Today: %s of %s tokens, %.2f USD"):format(
    grouped(spend.todayTokens),
    grouped(limits.dailyTokenBudget),
    spend.todayUsd
  )
  lines[#lines + 1] = ("This month: %.2f of %.2f USD"):format(spend.monthUsd, limits.monthlyCostLimit)
  for _, words in ipairs(status.restrictedBy or {}) do
    lines[#lines + 1] = "Restricted by the repository: " .. words
  end
  return lines
end

--- :AiopsStatus
function M.show()
  if not client_of() then return notify_absent() end
  notify(table.concat(M.lines(), "\n"))
end

--- Forget a client that has ended.
---@param client_id integer
function M.forget(client_id) by_client[client_id] = nil end

return M
