-- Defines the commands, and turns inline hints on where the server is attached. Starts nothing.
if vim.g.loaded_aiops then return end
vim.g.loaded_aiops = true

if vim.fn.has("nvim-0.10") == 0 then
  vim.notify("aiops needs Neovim 0.10 or later", vim.log.levels.ERROR)
  return
end

local command = vim.api.nvim_create_user_command

command("AiopsReview", function(arguments)
  local lines = arguments.range > 0 and { arguments.line1 - 1, arguments.line2 - 1 } or nil
  require("aiops.review").run(arguments.args, lines)
end, {
  nargs = "?",
  range = true,
  complete = function(typed) return require("aiops.review").complete(typed) end,
  desc = "Review this file, its changes, the workspace, or the lines of a range in depth",
})

command("AiopsUsage", function(arguments) require("aiops.usage").open(arguments.args) end, {
  nargs = "?",
  desc = "Show what was spent and saved in the last days (default: 30)",
})

command("AiopsStatus", function() require("aiops.status").show() end, {
  desc = "Show what is being reviewed, what is not and why, and what was spent today",
})

vim.api.nvim_create_autocmd("LspAttach", {
  group = vim.api.nvim_create_augroup("aiops", {}),
  desc = "Turn inline hints on where aiops is attached",
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == "aiops" and vim.g.aiops_inlay_hints ~= false then
      vim.lsp.inlay_hint.enable(true, { bufnr = event.buf })
    end
  end,
})
