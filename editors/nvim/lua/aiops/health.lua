--- :checkhealth aiops
local M = {}

local health = vim.health

local function command()
  if vim.fn.has("nvim-0.11") == 1 then
    local config = vim.lsp.config.aiops
    return config and config.cmd
  end
  local client = vim.lsp.get_clients({ name = "aiops" })[1]
  return client and client.config.cmd or { "aiops-lsp" }
end

local function check_neovim()
  health.start("aiops: Neovim")
  local version = tostring(vim.version())
  if vim.fn.has("nvim-0.11") == 0 then
    health.ok(version .. ', started by require("aiops").setup()')
  elseif vim.lsp.is_enabled and not vim.lsp.is_enabled("aiops") then
    health.warn(version .. ", but aiops is not enabled", { 'Add vim.lsp.enable("aiops") to your init.lua' })
  else
    health.ok(version .. ", and aiops is enabled")
  end
  if vim.g.aiops_inlay_hints == false then health.info("inline hints are off: vim.g.aiops_inlay_hints is false") end
end

local function check_server()
  health.start("aiops: server")
  local cmd = command()
  if type(cmd) ~= "table" then
    health.info("cmd is a function, so the program cannot be checked here")
    return
  end
  local program = vim.fn.exepath(cmd[1])
  if program == "" then
    health.error(cmd[1] .. " was not found", {
      "Install it from a clone of the repository: pipx install ~/src/aiops-lsp (or: uv tool install ~/src/aiops-lsp)",
      'Or name it: vim.lsp.config("aiops", { cmd = { "/path/to/aiops-lsp", "serve", "--stdio" } })',
    })
    return
  end
  -- Whatever runs the server (a Python with options, say) runs its other commands too.
  local prefix = vim.list_slice(cmd)
  for _, last in ipairs({ "--stdio", "serve" }) do
    if prefix[#prefix] == last then prefix[#prefix] = nil end
  end
  local done = vim.system(vim.list_extend(prefix, { "doctor" }), { text = true }):wait(30000)
  if done.code ~= 0 then
    health.error(program .. " does not work:\n" .. vim.trim(done.stderr ~= "" and done.stderr or done.stdout))
    return
  end
  health.ok(program)
  health.info(vim.trim(done.stdout))
end

local function check_clients()
  health.start("aiops: buffers")
  local clients = vim.lsp.get_clients({ name = "aiops" })
  if #clients == 0 then health.info("attached to no buffer; open a source file") end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_keys(client.attached_buffers)
    local root = client.config.root_dir or "(no folder)"
    health.ok(("client %d serves %d buffer%s of %s"):format(client.id, #buffers, #buffers == 1 and "" or "s", root))
    if buffers[1] then health.info(table.concat(require("aiops.status").lines(buffers[1]), "\n")) end
  end
end

function M.check()
  check_neovim()
  check_server()
  check_clients()
end

return M
