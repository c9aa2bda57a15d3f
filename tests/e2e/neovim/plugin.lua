-- Drives the plugin in a real Neovim, headless: nvim --clean --headless -c 'luafile plugin.lua'
-- Environment: PLUGIN (its folder), SERVER (command, words separated by blanks), FILE, STEPS (words separated by
-- blanks), OUT (JSON of what was seen). Exits with 0 when every step was done, else with 1 and the reason on stderr.
local env = vim.env
local seen = { messages = {} }

local function die(message)
  io.stderr:write("FAIL " .. message .. "\n" .. vim.inspect(seen) .. "\n")
  vim.cmd("cquit 1")
end

local function wait(what, condition)
  if not vim.wait(60000, condition, 20) then die("did not come: " .. what) end
end

local function text() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n") end

local function client() return vim.lsp.get_clients({ bufnr = 0, name = "aiops" })[1] end

local function found()
  return vim.tbl_filter(function(one) return one.source == "aiops" and one.code == "bug" end, vim.diagnostic.get(0))
end

local function said(words)
  return vim.iter(seen.messages):find(function(one) return one:find(words, 1, true) ~= nil end)
end

local function press(keys, mode)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), mode or "xt", false)
end

-- A killed run's swap file would make the next one ask, and hang.
vim.o.swapfile = false
vim.notify = function(message) table.insert(seen.messages, message) end
vim.opt.runtimepath:prepend(env.PLUGIN)
vim.cmd("filetype plugin on")
-- Scripts of `plugin/` are read at the start, before this one could name the folder.
vim.cmd("runtime! plugin/aiops.lua")

local steps = {}

function steps.enable()
  local command = vim.split(env.SERVER, " ")
  if vim.fn.has("nvim-0.11") == 1 then
    vim.lsp.config("aiops", { cmd = command })
    vim.lsp.enable("aiops")
  else
    require("aiops").setup({ cmd = command })
  end
  vim.cmd.edit(env.FILE)
  wait("the client", function() return client() and client().initialized end)
  seen.root = client().config.root_dir
  seen.statusline = { require("aiops").statusline() }
end

-- Findings and hints come without anything being turned on.
function steps.finding()
  wait("the finding", function() return #found() == 1 end)
  local one = found()[1]
  seen.finding = vim.api.nvim_buf_get_text(0, one.lnum, one.col, one.end_lnum, one.end_col, {})[1]
  wait("the inlay hint", function() return #vim.lsp.inlay_hint.get({ bufnr = 0 }) > 0 end)
  seen.hint = vim.lsp.inlay_hint.get({ bufnr = 0 })[1].inlay_hint.label
end

function steps.review()
  vim.cmd("AiopsReview")
  wait("the summary", function() return said("aiops: ") end)
  seen.summary = said("aiops: ")
end

function steps.workspace()
  vim.cmd("AiopsReview workspace")
  wait("the quickfix list", function() return #vim.fn.getqflist() > 0 end)
  local one = vim.fn.getqflist()[1]
  seen.quickfix = { file = vim.fn.bufname(one.bufnr), line = one.lnum, text = one.text }
  seen.quickfix_title = vim.fn.getqflist({ title = true }).title
end

function steps.deeper()
  local before = #seen.messages
  vim.cmd("1,2AiopsReview")
  wait("the summary", function() return #seen.messages > before end)
  seen.deeper = seen.messages[#seen.messages]
end

function steps.complete() seen.complete = vim.fn.getcompletion("AiopsReview ", "cmdline") end

function steps.status()
  wait("the status", function() return require("aiops").statusline() == "aiops" end)
  vim.cmd("AiopsStatus")
  seen.status = seen.messages[#seen.messages]
end

function steps.usage()
  local window = vim.api.nvim_get_current_win()
  vim.cmd("AiopsUsage 7")
  wait("the window", function() return vim.api.nvim_get_current_win() ~= window end)
  seen.usage = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  press("q")
  assert(vim.api.nvim_get_current_win() == window, "q closes the window")
end

function steps.ignore()
  local before = text()
  local one = found()[1]
  vim.api.nvim_win_set_cursor(0, { one.lnum + 1, one.col })
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action) return action.title:find("^Ignore with a comment") ~= nil end,
  })
  wait("the comment", function() return text() ~= before end)
  wait("the finding to go", function() return #found() == 0 end)
  seen.ignored = text()
  vim.cmd.undo()
  wait("the finding to come back", function() return #found() == 1 end)
end

function steps.fix()
  local one = found()[1]
  vim.api.nvim_win_set_cursor(0, { one.lnum + 1, one.col })
  vim.lsp.buf.code_action({ apply = true, filter = function(action) return action.title:find("^Fix: ") ~= nil end })
  wait("the finding to go", function() return #found() == 0 end)
  vim.cmd("silent write")
  seen.fixed = table.concat(vim.fn.readfile(env.FILE), "\n") .. "\n"
  vim.cmd.undo()
  vim.cmd("silent write")
  wait("the finding to come back", function() return #found() == 1 end)
end

-- The test takes the provider away, and brings it back once the status has changed.
function steps.outage()
  vim.fn.writefile({}, env.OUT .. ".out")
  wait("the provider to go", function() return vim.uv.fs_stat(env.OUT .. ".gone") ~= nil end)
  press("GoGo<Esc>", "xt")
  vim.api.nvim_buf_set_lines(0, -1, -1, false, { "", "", "def first(values):", "    return values[0]" })
  wait("the status to change", function() return require("aiops").statusline():find("degraded", 1, true) ~= nil end)
  seen.outage = require("aiops").statusline()
  assert(#found() == 1, "an outage clears nothing")
  vim.fn.writefile({}, env.OUT .. ".seen")
  wait("the provider to come back", function() return vim.uv.fs_stat(env.OUT .. ".back") ~= nil end)
  vim.cmd("AiopsReview changes")
  wait("the status to heal", function() return require("aiops").statusline() == "aiops" end)
end

function steps.crash()
  local first = client()
  local pid = tonumber(vim.fn.system({ "pgrep", "-P", tostring(vim.fn.getpid()), "-f", "aiops_lsp" }))
  seen.killed = vim.uv.kill(pid, "sigkill")
  wait("another client", function()
    local now = client()
    return now and now.id ~= first.id and now.initialized
  end)
  wait("the finding to come back", function() return #found() == 1 end)
  wait("the hint to come back", function() return #vim.lsp.inlay_hint.get({ bufnr = 0 }) > 0 end)
end

-- A question of the server's waits for the end of typing.
function steps.question()
  local asked
  vim.ui.select = function(items, options, choose)
    asked = { prompt = options.prompt, mode = vim.api.nvim_get_mode().mode }
    choose(items[1])
  end
  local handler = client().handlers["window/showMessageRequest"]
  local params = { type = 3, message = "May it?", actions = { { title = "Yes" }, { title = "No" } } }
  local answer
  local ask = function() answer = handler(nil, params, { client_id = client().id, method = "window/showMessageRequest" }) end
  -- 'x' would leave Insert mode at the end of the keys; 'x!' stays until they are all read.
  vim.keymap.set("i", "<F5>", function()
    coroutine.wrap(ask)()
    seen.asked_while_typing = asked ~= nil
  end)
  press("Go<F5>typed<Esc>", "xt")
  wait("the question", function() return answer ~= nil end)
  seen.asked, seen.answer = asked, answer.title
  vim.cmd.undo()
end

-- A program that ends at once is started again a few times, and then left alone.
function steps.broken()
  local broken = { cmd = { "false" } }
  require("aiops").setup(broken)
  vim.cmd.edit(env.FILE)
  wait("the end of restarts", function() return said("stays off") end)
  seen.given_up = said("stays off")
end

-- The user, who is asked whether code may go to another machine, does not agree.
function steps.decline()
  vim.ui.select = function(items, options, choose)
    local format = options.format_item or function(item) return item.title end
    seen.consent = { prompt = options.prompt, titles = vim.tbl_map(format, items) }
    choose(items[#items])
  end
end

function steps.asked()
  wait("the question", function() return seen.consent ~= nil end)
  wait("the status to say so", function() return require("aiops").statusline() == "aiops offline" end)
  vim.cmd("AiopsStatus")
  seen.status = seen.messages[#seen.messages]
end

function steps.health()
  vim.cmd("checkhealth aiops")
  seen.health = text()
  vim.cmd.close()
end

function steps.help()
  vim.cmd.helptags(env.PLUGIN .. "/doc")
  vim.cmd.help("aiops")
  seen.help = vim.fs.basename(vim.api.nvim_buf_get_name(0))
  vim.cmd.close()
  vim.fn.delete(env.PLUGIN .. "/doc/tags")
end

function steps.stop()
  local one = client()
  if vim.fn.has("nvim-0.11") == 1 then one:stop() else one.stop() end
  wait("the server to stop", function() return #vim.lsp.get_clients() == 0 end)
  -- Longer than a restart would take.
  vim.wait(1500, function() return #vim.lsp.get_clients() > 0 end)
  seen.stays_stopped = #vim.lsp.get_clients() == 0
end

local done, problem = xpcall(function()
  for _, step in ipairs(vim.split(env.STEPS, " ")) do
    steps[step]()
  end
end, debug.traceback)
if not done then die(problem) end
vim.fn.writefile({ vim.json.encode(seen) }, env.OUT)
vim.cmd("qall!")
