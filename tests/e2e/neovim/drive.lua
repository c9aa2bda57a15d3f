-- Drives a real Neovim against the real server, headless: nvim --clean --headless -c 'luafile drive.lua'
-- Environment: SERVER (command, words separated by blanks), FILE, STEPS (words separated by blanks), OUT (JSON of what was seen).
-- Exits with 0 when every step was done, else with 1 and the reason on stderr.
local env = vim.env
local seen = {}

local function die(message)
  io.stderr:write("FAIL " .. message .. "\n")
  vim.cmd("cquit 1")
end

local function wait(what, condition)
  if not vim.wait(60000, condition, 20) then
    die("did not come: " .. what .. "\n" .. vim.inspect(vim.diagnostic.get(0)) .. table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n"))
  end
end

-- A killed run's swap file would make the next one ask, and hang.
vim.o.swapfile = false
vim.cmd("filetype plugin on")

local command = vim.split(env.SERVER, " ")
if vim.fn.has("nvim-0.11") == 1 then
  vim.lsp.config("aiops", { cmd = command, filetypes = { "python" }, root_markers = { ".git" } })
  vim.lsp.enable("aiops")
else
  vim.api.nvim_create_autocmd("FileType", {
    pattern = "python",
    callback = function(event)
      vim.lsp.start({ name = "aiops", cmd = command, root_dir = vim.fs.dirname(env.FILE) }, { bufnr = event.buf })
    end,
  })
end

local function found()
  return vim.tbl_filter(function(one) return one.source == "aiops" and one.code == "bug" end, vim.diagnostic.get(0))
end

local function lines() return vim.api.nvim_buf_get_lines(0, 0, -1, false) end

local function client() return vim.lsp.get_clients({ bufnr = 0 })[1] end

local steps = {}

function steps.attach()
  vim.cmd.edit(env.FILE)
  wait("the client", function() return client() and client().initialized end)
  seen.encoding = client().offset_encoding
end

-- Types a function with a bug at the end, key by key as a person does.
function steps.type()
  local keys = "Go<CR><CR>def mean(values):<CR>    note = '👍 漢字<C-v><Tab>'; return sum(values) / len(values)<Esc>"
  vim.bo.indentexpr, vim.bo.autoindent = "", false
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), "xt", false)
  vim.o.undolevels = vim.o.undolevels -- what follows is undone apart from what was typed
  seen.typed = lines()
end

function steps.finding()
  wait("the finding", function() return #found() == 1 end)
  local one = found()[1]
  -- Neovim's columns are bytes.
  local line = lines()[one.lnum + 1]
  seen.finding = {
    line = one.lnum,
    text = line:sub(one.col + 1, one.end_col),
    message = one.message,
    severity = one.severity,
  }
end

function steps.hint()
  vim.lsp.inlay_hint.enable(true, { bufnr = 0 })
  wait("the inlay hint", function() return #vim.lsp.inlay_hint.get({ bufnr = 0 }) > 0 end)
  local hint = vim.lsp.inlay_hint.get({ bufnr = 0 })[1].inlay_hint
  seen.hint = { line = hint.position.line, label = hint.label }
end

function steps.fix()
  local before = table.concat(lines(), "\n")
  local one = found()[1]
  vim.api.nvim_win_set_cursor(0, { one.lnum + 1, one.col })
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action) return action.title:find("^Fix: ") ~= nil end,
  })
  wait("the quick fix", function() return table.concat(lines(), "\n") ~= before end)
  seen.fixed = lines()
  wait("the finding to go", function() return #found() == 0 end)
end

local function ours()
  return vim.tbl_filter(function(one) return one.source == "aiops" end, vim.diagnostic.get(0))
end

-- All that is found, in the file's order, once each code of CODES (words separated by blanks) is there.
function steps.diagnostics()
  wait("the diagnostics", function()
    local codes = vim.tbl_map(function(one) return one.code end, ours())
    return vim.iter(vim.split(env.CODES, " ")):all(function(code) return vim.list_contains(codes, code) end)
  end)
  local all = ours()
  table.sort(all, function(one, other) return one.lnum < other.lnum end)
  seen.diagnostics = vim.tbl_map(function(one)
    local text = lines()[one.lnum + 1]:sub(one.col + 1, one.end_col)
    return { code = one.code, line = one.lnum, text = text, message = one.message }
  end, all)
end

-- For each code of CODES: goes to its diagnostic and applies the quick fix with its title in TITLES (JSON: code to title).
function steps.quickfix()
  local titles = vim.json.decode(env.TITLES)
  for _, code in ipairs(vim.split(env.CODES, " ")) do
    local function left()
      return vim.tbl_filter(function(one) return one.code == code end, ours())
    end
    vim.api.nvim_win_set_cursor(0, { left()[1].lnum + 1, left()[1].col })
    vim.lsp.buf.code_action({ apply = true, filter = function(action) return action.title == titles[code] end })
    wait("the quick fix of " .. code, function() return #left() == 0 end)
  end
  seen.fixed = lines()
end

function steps.undo()
  vim.cmd.undo()
  seen.undone = lines()
  wait("the finding to come back", function() return #found() == 1 end)
end

function steps.write() vim.cmd("silent write") end

-- Stays open until the test lets it go, so that another window can open the same file meanwhile.
function steps.hold()
  vim.fn.writefile({ vim.json.encode(seen) }, env.OUT)
  wait("the release", function() return vim.uv.fs_stat(env.OUT .. ".release") ~= nil end)
end

function steps.stop()
  local one = client()
  if vim.fn.has("nvim-0.11") == 1 then one:stop() else one.stop() end
  wait("the server to stop", function() return #vim.lsp.get_clients() == 0 end)
end

vim.uv = vim.uv or vim.loop
local done, problem = xpcall(function()
  for _, step in ipairs(vim.split(env.STEPS, " ")) do
    steps[step]()
  end
end, debug.traceback)
if not done then die(problem) end
vim.fn.writefile({ vim.json.encode(seen) }, env.OUT)
vim.cmd("qall!")
