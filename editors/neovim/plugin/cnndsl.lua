-- Starts the language server for .cnn programs, shows hints, and turns `->` into `→`.
vim.filetype.add({ extension = { cnn = "cnn" } })
vim.lsp.enable("cnndsl")
vim.api.nvim_create_autocmd("LspAttach", {
  group = vim.api.nvim_create_augroup("cnndsl", {}),
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if not client or client.name ~= "cnndsl" then
      return
    end
    vim.lsp.inlay_hint.enable(true, { bufnr = event.buf })
    vim.keymap.set("i", "->", "→", { buffer = event.buf, desc = "an arrow" })
    vim.api.nvim_create_autocmd({ "CursorHold", "InsertLeave" }, {
      buffer = event.buf,
      callback = vim.lsp.buf.document_highlight,
    })
    vim.api.nvim_create_autocmd("CursorMoved", { buffer = event.buf, callback = vim.lsp.buf.clear_references })
  end,
})
