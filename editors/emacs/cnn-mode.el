;;; cnn-mode.el --- .cnn programs: colours, and the language server through Eglot  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "29.1"))
;; License: Apache-2.0

;;; Commentary:

;; (add-to-list 'load-path "…/editors/emacs")
;; (require 'cnn-mode)
;; (add-hook 'cnn-mode-hook #'eglot-ensure)

;;; Code:

(require 'cnn-words)

(defvar cnn-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?# "<" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?\" "\"" table)
    table))

(defconst cnn-font-lock
  `(("\\_<\\([A-Za-z0-9_{][A-Za-z0-9_.{}-]*\\)[ \t]*:" 1 font-lock-property-name-face)
    (,(regexp-opt cnn-statements 'symbols) . font-lock-keyword-face)
    (,(regexp-opt cnn-keywords 'symbols) . font-lock-keyword-face)
    (,(regexp-opt cnn-constants 'symbols) . font-lock-constant-face)
    (,(regexp-opt cnn-layers 'symbols) . font-lock-builtin-face)
    (,(concat "\\_<" (regexp-opt cnn-windowed) "[0-9]+\\(?:x[0-9]+\\)*\\_>") . font-lock-builtin-face)
    (,(concat (regexp-opt cnn-merges 'symbols) "[({]") 1 font-lock-function-name-face)
    (,(concat (regexp-opt cnn-functions 'symbols) "(") 1 font-lock-function-name-face)
    ("\\_<[A-Z][A-Za-z0-9_]*\\_>" . font-lock-type-face)
    ("\\_<[0-9][0-9_.xe]*\\(?:[KMG]\\|ms\\)?\\_>" . font-lock-number-face)))

;;;###autoload
(define-derived-mode cnn-mode prog-mode "cnn"
  "Major mode for .cnn programs."
  (setq-local comment-start "# ")
  (setq-local tab-width 2)
  (setq-local indent-tabs-mode nil)
  (setq-local font-lock-defaults '(cnn-font-lock)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.cnn\\'" . cnn-mode))

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(cnn-mode . ("cnndsl" "lsp"))))

(provide 'cnn-mode)
;;; cnn-mode.el ends here
