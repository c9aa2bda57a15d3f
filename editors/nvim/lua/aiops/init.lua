--- The Neovim plugin of aiops-lsp. In Neovim 0.11 or later nothing here needs to be called: `vim.lsp.enable("aiops")`.
local M = {}

--- What lsp/aiops.lua says, for Neovim 0.10, which does not read it by itself.
local function config_of_file()
  return dofile(assert(vim.api.nvim_get_runtime_file("lsp/aiops.lua", false)[1], "aiops: lsp/aiops.lua is missing"))
end

local function start_by_filetype(config)
  local function start(buf)
    if vim.bo[buf].buftype ~= "" then return end
    local here = vim.tbl_extend("force", config, { root_dir = vim.fs.root(buf, config.root_markers) })
    vim.lsp.start(here, { bufnr = buf })
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = vim.api.nvim_create_augroup("aiops.enable", {}),
    pattern = config.filetypes,
    callback = function(event) start(event.buf) end,
  })
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.list_contains(config.filetypes, vim.bo[buf].filetype) then start(buf) end
  end
end

--- Start the server for the filetypes that it knows. The same call works in Neovim 0.10 and later.
---@param config? table Changes to lsp/aiops.lua, as in `{ cmd = { "/path/to/aiops-lsp" } }`
function M.setup(config)
  if vim.fn.has("nvim-0.11") == 1 then
    vim.lsp.config("aiops", config or {})
    vim.lsp.enable("aiops")
  else
    start_by_filetype(vim.tbl_deep_extend("force", { name = "aiops" }, config_of_file(), config or {}))
  end
end

--- The text for a statusline: what is going on in this buffer; empty where aiops is not attached.
---@param buf? integer
---@return string
function M.statusline(buf) return require("aiops.status").statusline(buf) end

return M
