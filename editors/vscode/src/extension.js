"use strict";
// Starts the language server and keeps it in step with the settings.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = async function () {
  const settings = workspace.getConfiguration("cnndsl");
  const [command, ...args] = settings.get("command");
  client = new LanguageClient(
    "cnndsl",
    { command, args },
    {
      documentSelector: [{ language: "cnn" }],
      initializationOptions: { hints: settings.get("hints") },
      synchronize: { configurationSection: "cnndsl" },
    },
  );
  await client.start();
};

exports.deactivate = () => client && client.stop();
