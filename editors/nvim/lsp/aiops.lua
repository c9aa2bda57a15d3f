---@brief
--- Reviews code with a language model while it is written, and by rules alone without one.
---
--- `vim.lsp.enable("aiops")` is all that is needed in Neovim 0.11 or later. Change any of this with
--- `vim.lsp.config("aiops", { ... })`; see |aiops-settings|.

-- Neovim's names of filetypes where LSP's differ.
local language_ids = {
  bash = "shellscript",
  cs = "csharp",
  ["javascript.jsx"] = "javascriptreact",
  objc = "objective-c",
  objcpp = "objective-cpp",
  ps1 = "powershell",
  sh = "shellscript",
  ["typescript.tsx"] = "typescriptreact",
  zsh = "shellscript",
}

---@type vim.lsp.Config
return {
  cmd = { "aiops-lsp", "serve", "--stdio" },
  -- stylua: ignore
  filetypes = {
    "bash", "c", "clojure", "cpp", "cs", "dart", "elixir", "erlang", "fsharp", "go", "groovy", "haskell", "java",
    "javascript", "javascript.jsx", "javascriptreact", "julia", "kotlin", "lua", "nim", "objc", "objcpp", "ocaml",
    "perl", "php", "ps1", "python", "r", "ruby", "rust", "scala", "sh", "solidity", "sql", "svelte", "swift",
    "terraform", "typescript", "typescript.tsx", "typescriptreact", "vue", "zig", "zsh",
  },
  root_markers = { "aiops.toml", ".git" },
  settings = { aiops = vim.empty_dict() },
  get_language_id = function(_, filetype) return language_ids[filetype] or filetype end,
  handlers = {
    ["aiops/status"] = function(...) return require("aiops.status").on_status(...) end,
    ["window/showMessageRequest"] = function(...) return require("aiops.client").ask_when_idle(...) end,
  },
  on_exit = function(...) require("aiops.recovery").on_exit(...) end,
}
