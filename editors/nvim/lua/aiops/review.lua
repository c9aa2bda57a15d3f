--- :AiopsReview
local M = {}

local client = require("aiops.client")

local commands = {
  file = "aiops.reviewDocument",
  changes = "aiops.reviewChanges",
  workspace = "aiops.reviewWorkspace",
  deeper = "aiops.reviewDeeper",
}

---@param typed string
---@return string[]
function M.complete(typed)
  local names = vim.tbl_filter(function(name) return vim.startswith(name, typed) end, vim.tbl_keys(commands))
  table.sort(names)
  return names
end

local function counted(count, noun) return ("%d %s%s"):format(count, noun, count == 1 and "" or "s") end

--- Reports of documents as one.
local function total(reports)
  local sum = { findings = 0, files = 0, regions = 0, reviewed = 0, tokens = 0, usd = 0, notes = {} }
  for _, report in ipairs(reports) do
    sum.findings = sum.findings + #report.findings
    sum.files = sum.files + (#report.findings > 0 and 1 or 0)
    for _, name in ipairs({ "regions", "reviewed", "tokens", "usd" }) do
      sum[name] = sum[name] + report[name]
    end
    if report.note ~= "" then sum.notes[#sum.notes + 1] = vim.fs.basename(report.uri) .. ": " .. report.note end
  end
  return sum
end

local function summary(reports)
  local sum = total(reports)
  local text = "aiops: " .. counted(sum.findings, "finding")
  if #reports > 1 and sum.findings > 0 then text = text .. " in " .. counted(sum.files, "file") end
  text = text .. ("; %d of %s reviewed"):format(sum.reviewed, counted(sum.regions, "region"))
  if sum.tokens > 0 then text = text .. ("; %s tokens, %.4f USD"):format(client.grouped(sum.tokens), sum.usd) end
  return table.concat({ text, unpack(sum.notes, 1, 5) }, "\n")
end

local kinds = { critical = "E", high = "W", medium = "I", low = "N" }

--- Files that are not open have no diagnostics, so the quickfix list holds what was found in a workspace.
local function fill_quickfix(reports)
  local items = {}
  for _, report in ipairs(reports) do
    for _, finding in ipairs(report.findings) do
      items[#items + 1] = {
        filename = vim.uri_to_fname(report.uri),
        lnum = finding.line + 1,
        text = finding.title .. " [" .. finding.code .. "]",
        type = kinds[finding.severity],
      }
    end
  end
  vim.fn.setqflist({}, " ", { title = "aiops", items = items })
  if #items > 0 then vim.cmd("botright copen | wincmd p") end
end

local function show(result)
  if type(result) ~= "table" or result.refused then return end -- why it was refused the server has said
  local reports = result.documents or (vim.islist(result) and result or { result })
  if result.documents then fill_quickfix(reports) end
  client.notify(summary(reports))
end

--- Review what `what` names (default: the file), or lines of it in depth. Says in the end what came of it.
---@param what string
---@param lines? integer[] First and last line, from 0
function M.run(what, lines)
  local here = client.of()
  if not here then return client.notify_absent() end
  what = what ~= "" and what or (lines and "deeper" or "file")
  local command = commands[what]
  if not command then
    return client.notify(("AiopsReview: file, changes, workspace or deeper, not %q"):format(what), vim.log.levels.ERROR)
  end
  local argument = { uri = vim.uri_from_bufnr(0) }
  if what == "deeper" and lines then
    argument.startLine, argument.endLine = lines[1], lines[2]
  end
  local params = { command = command, arguments = what ~= "workspace" and { argument } or nil }
  client.request(here, "workspace/executeCommand", params, show)
end

return M
