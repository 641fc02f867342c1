//! Starts `cnndsl lsp` for .cnn programs.

use zed_extension_api as zed;

struct Cnndsl;

impl zed::Extension for Cnndsl {
    fn new() -> Self {
        Cnndsl
    }

    fn language_server_command(
        &mut self,
        _server: &zed::LanguageServerId,
        worktree: &zed::Worktree,
    ) -> zed::Result<zed::Command> {
        let command = worktree
            .which("cnndsl")
            .ok_or_else(|| "cnndsl is not on the PATH: install it with `pip install 'cnndsl[lsp]'`".to_string())?;
        Ok(zed::Command {
            command,
            args: vec!["lsp".into()],
            env: worktree.shell_env(),
        })
    }
}

zed::register_extension!(Cnndsl);
