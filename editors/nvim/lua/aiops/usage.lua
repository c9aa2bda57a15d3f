--- :AiopsUsage
local M = {}

local client = require("aiops.client")
local grouped = client.grouped

local function gauge(part)
  local full = math.min(20, math.max(math.floor(part * 20 + 0.5), part > 0 and 1 or 0))
  return ("█"):rep(full) .. ("░"):rep(20 - full) .. (" %3d %%"):format(math.floor(part * 100 + 0.5))
end

local function share(used, limit) return limit > 0 and used / limit or 1 end

--- Rows summed by what `name_of` says, the dearest first.
local function sums(rows, name_of)
  local by_name, order = {}, {}
  for _, row in ipairs(rows) do
    local name = name_of(row)
    local sum = by_name[name]
    if not sum then
      sum = { name = name, requests = 0, tokens = 0, usd = 0 }
      by_name[name] = sum
      order[#order + 1] = sum
    end
    sum.requests = sum.requests + row.requests
    sum.tokens = sum.tokens + row.input_tokens + row.output_tokens + row.assumed_tokens
    sum.usd = sum.usd + row.micro_usd / 1e6
  end
  table.sort(order, function(a, b)
    if a.usd ~= b.usd then return a.usd > b.usd end
    if a.tokens ~= b.tokens then return a.tokens > b.tokens end
    return a.name < b.name
  end)
  return order
end

local function pad(text, width) return text .. (" "):rep(width - vim.fn.strdisplaywidth(text)) end

local function table_of(heading, rows, width)
  local lines = { "", ("%s  %8s  %10s  %9s"):format(pad(heading, width), "Requests", "Tokens", "USD") }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ("%s  %8s  %10s  %9.4f"):format(
      pad(row.name, width),
      grouped(row.requests),
      grouped(row.tokens),
      row.usd
    )
  end
  return lines
end

--- The report as lines of text.
---@param report table What the request `aiops/usage` answers
---@return string[]
function M.lines(report)
  local spend = report.spend
  local lines = {
    ("Today       %s   %s of %s tokens, %.2f USD"):format(
      gauge(share(spend.today_tokens, spend.daily_token_budget)),
      grouped(spend.today_tokens),
      grouped(spend.daily_token_budget),
      spend.today_usd
    ),
    ("This month  %s   %.2f of %.2f USD"):format(
      gauge(share(spend.month_usd, spend.monthly_cost_limit)),
      spend.month_usd,
      spend.monthly_cost_limit
    ),
    ("Saved by the cache today: %s tokens, %.2f USD"):format(grouped(spend.saved_tokens), spend.saved_usd),
  }
  if #report.usage == 0 then
    lines[#lines + 1] = ""
    lines[#lines + 1] = ("No model was asked in the last %d days."):format(report.days)
    return lines
  end
  local columns = {
    { "Day", function(row) return row.day end },
    { "Model", function(row) return row.model end },
    { "Project", function(row) return row.project ~= "" and vim.fs.basename(row.project) or "(no folder)" end },
    { "Language", function(row) return row.language end },
  }
  local width = 8
  for _, row in ipairs(report.usage) do
    for _, column in ipairs(columns) do
      width = math.max(width, vim.fn.strdisplaywidth(column[2](row)))
    end
  end
  for _, column in ipairs(columns) do
    vim.list_extend(lines, table_of(column[1], sums(report.usage, column[2]), width))
  end
  return lines
end

local function open_window(lines, days)
  local width = 0
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  local buf, win = vim.lsp.util.open_floating_preview(lines, "", {
    border = "rounded",
    focus_id = "aiops-usage",
    title = (" aiops: the last %d days "):format(days),
    relative = "editor",
    width = width,
    height = math.min(#lines, vim.o.lines - 4),
    wrap = false,
  })
  -- In the middle, and entered, since it is there to be read and scrolled.
  vim.api.nvim_win_set_config(win, {
    relative = "editor",
    row = math.max(0, (vim.o.lines - vim.api.nvim_win_get_height(win)) / 2 - 2),
    col = math.max(0, (vim.o.columns - width) / 2),
  })
  vim.api.nvim_set_current_win(win)
  for _, key in ipairs({ "q", "<Esc>" }) do
    vim.keymap.set("n", key, "<cmd>close<cr>", { buffer = buf, nowait = true })
  end
  return buf, win
end

--- :AiopsUsage [days]
---@param days string
function M.open(days)
  local count = days ~= "" and tonumber(days) or 30
  if not count or count % 1 ~= 0 then
    return client.notify(("AiopsUsage: a number of days, not %q"):format(days), vim.log.levels.ERROR)
  end
  local here = client.any()
  if not here then return client.notify_absent() end
  client.request(here, "aiops/usage", { days = count }, function(report) open_window(M.lines(report), report.days) end)
end

return M
