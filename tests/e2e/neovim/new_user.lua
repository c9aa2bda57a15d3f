-- What a new user sees with nothing but the init.lua: nvim --headless FILE -c 'luafile new_user.lua'
-- Environment: OUT (JSON of what was seen). Exits with 0 when a finding and its hint came, else with 1 and the reason.
local seen = {}

local function wait(what, condition)
  if vim.wait(60000, condition, 20) then return end
  io.stderr:write("FAIL did not come: " .. what .. "\n" .. vim.inspect(vim.diagnostic.get(0)) .. vim.inspect(vim.lsp.get_clients()))
  vim.cmd("cquit 1")
end

local function found()
  return vim.tbl_filter(function(one) return one.source == "aiops" end, vim.diagnostic.get(0))
end

wait("a finding", function() return #found() > 0 end)
local one = found()[1]
seen.finding = vim.api.nvim_buf_get_text(0, one.lnum, one.col, one.end_lnum, one.end_col, {})[1]
seen.message = one.message
wait("its hint", function() return #vim.lsp.inlay_hint.get({ bufnr = 0 }) > 0 end)
seen.hint = vim.lsp.inlay_hint.get({ bufnr = 0 })[1].inlay_hint.label
seen.commands = vim.fn.exists(":AiopsReview") == 2 and vim.fn.exists(":AiopsUsage") == 2 and vim.fn.exists(":AiopsStatus") == 2
vim.fn.writefile({ vim.json.encode(seen) }, vim.env.OUT)
vim.cmd("qall!")
