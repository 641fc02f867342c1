"""What an editor asks about a text while it is typed, answered as plain data with character offsets.

analysis      a text and what is known of it: tree, names, models built as far as they go
answers       what is handed out
problems      what is wrong, with edits that mend it
facts         shape, receptive field, parameters and work of each line; sticky through edits
bindings      names bound to their definitions, which `bound` holds; `reach` says which definitions need which
hover         the page about what stands at a place
completion    what could stand there
signature     how what is being called is called
lenses        lines above definitions
sizes         which sizes of the input would do; a search, made when asked for
names/        definition, references, rename, calls
outline/      what the text alone tells: symbols, folds, colours, links, layout

Nothing here knows an editor's protocol: `cnndsl/lsp/` speaks it.
"""
