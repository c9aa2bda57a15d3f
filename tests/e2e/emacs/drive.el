;;; drive.el --- What a user of Emacs with eglot sees and does  -*- lexical-binding: t -*-
;; emacs --batch -Q -l drive.el
;; Environment: SERVER (command, words separated by blanks), SETUP (a file with the configuration under test), FILE,
;; OUT (JSON of what was seen). Exits with 0 when every step was done, else with 1 and the reason.
(require 'cl-lib)
(require 'eglot)
(require 'flymake)
(require 'json)

(setq make-backup-files nil create-lockfiles nil)
(setq eglot-sync-connect 20 eglot-send-changes-idle-time 0 flymake-no-changes-timeout 0.1
      eglot-confirm-server-edits nil)

(defvar drive-seen nil "What was seen, as an alist.")

(defun drive-saw (name value) (push (cons name value) drive-seen))

(defun drive-fail (text &rest arguments)
  (princ (concat "FAIL " (apply #'format text arguments) "\n"))
  (kill-emacs 1))

(defmacro drive-await (what form)
  "Wait for FORM. Emacs in batch has no event loop: processes and timers are served by hand."
  `(let ((end (+ (float-time) 30)) value)
     (while (not (or (setq value ,form) (> (float-time) end)))
       (accept-process-output nil 0.05)
       (sit-for 0.01))
     (or value (drive-fail "did not come: %s" ,what))))

(defun drive-found ()
  (flymake-start nil)
  (cl-remove-if-not (lambda (one) (string-match-p "Divides by zero" (flymake-diagnostic-text one)))
                    (flymake-diagnostics)))

(load (getenv "SETUP") nil t)
;; The configuration names the program as users have it; this is the one under test.
(let ((command (split-string (getenv "SERVER") " ")))
  (dolist (entry eglot-server-programs)
    (when (and (consp (cdr entry)) (equal (cadr entry) "aiops-lsp"))
      (setcdr entry command))))

(find-file (getenv "FILE"))
;; eglot-ensure connects after the command that opened the file, and in batch there is none.
(run-hooks 'post-command-hook)
(drive-await "the server" (eglot-managed-p))
(drive-saw 'version emacs-version)
(drive-saw 'encoding (plist-get (eglot--capabilities (eglot-current-server)) :positionEncoding))
(unless flymake-mode (flymake-mode 1))

(let* ((one (car (drive-await "the finding" (drive-found))))
       (from (flymake-diagnostic-beg one))
       (to (flymake-diagnostic-end one)))
  (drive-saw 'finding (buffer-substring-no-properties from to))
  (drive-saw 'message (flymake-diagnostic-text one))
  (goto-char from)
  ;; Hints are drawn by jit-lock, which does not run in batch.
  (eglot--update-hints-1 (point-min) (point-max))
  (let ((hint (drive-await "the inlay hint"
                (cl-find-if (lambda (it) (overlay-get it 'eglot--inlay-hint))
                            (overlays-in (point-min) (point-max))))))
    (drive-saw 'hint (substring-no-properties
                      (or (overlay-get hint 'after-string) (overlay-get hint 'before-string) ""))))
  (let* ((actions (append (eglot-code-actions from to "quickfix") nil))
         (fix (cl-find-if (lambda (it) (string-prefix-p "Fix: " (plist-get it :title))) actions)))
    (unless fix (drive-fail "no fix among %S" actions))
    (let ((before (buffer-string)))
      (eglot-execute (eglot-current-server) fix)
      (drive-await "the fix" (not (equal before (buffer-string))))))
  (drive-saw 'fixed (buffer-substring-no-properties (point-min) (point-max)))
  (eglot--signal-textDocument/didChange)
  (drive-await "the finding to go" (null (drive-found)))
  (let ((inhibit-message t)) (save-buffer)))

(eglot-shutdown (eglot-current-server) nil 5)
(with-temp-file (getenv "OUT") (insert (json-encode drive-seen)))
;;; drive.el ends here
