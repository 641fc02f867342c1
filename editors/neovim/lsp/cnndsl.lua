-- The language server of .cnn programs, for Neovim from 0.11: `vim.lsp.enable("cnndsl")`.
return {
  cmd = { "cnndsl", "lsp" },
  filetypes = { "cnn" },
  root_markers = { "pyproject.toml", ".git" },
  -- What stands at the ends of lines: shape, rf, params, macs.
  init_options = { hints = { "shape" } },
}
