"""What an editor asks about a text while it is typed, answered as plain data with character offsets.

analysis      a text and what is known of it: tree, names, models built as far as they go
answers       what is handed out
problems      what is wrong, with edits that mend it
facts         shape, receptive field, parameters and work of each line; sticky through edits
names/        names bound to their definitions: definition, references, rename, calls
outline/      what the text alone tells: symbols, folds, colours, links, layout

Nothing here knows an editor's protocol: `cnndsl/lsp/` speaks it.
"""
