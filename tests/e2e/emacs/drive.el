;;; drive.el --- What a user of Emacs with eglot sees and does  -*- lexical-binding: t -*-
;; emacs --batch -Q -l drive.el
;; Environment: SERVER (command, words separated by blanks), SETUP (a file with the configuration under test), FILE,
;; STEPS (words separated by blanks), OUT (JSON of what was seen). Exits with 0 when every step was done, else with 1
;; and the reason.
(require 'cl-lib)
(require 'eglot)
(require 'flymake)
(require 'json)

(setq make-backup-files nil create-lockfiles nil)
(setq eglot-sync-connect 60 eglot-connect-timeout 60 eglot-send-changes-idle-time 0 flymake-no-changes-timeout 0.1
      eglot-confirm-server-edits nil)

;; What watched files have to say is read like keys, so never in batch; waiting there, it keeps Emacs from noticing that
;; a process has ended.
(advice-add 'file-notify-add-watch :override #'ignore)

(defvar drive-seen nil "What was seen, as an alist.")

(defun drive-saw (name value) (push (cons name value) drive-seen))

(defun drive-fail (text &rest arguments)
  (princ (concat "FAIL " (apply #'format text arguments)
                 (format "\nSeen: %S\nState: %S\nDiagnostics: %S\nText:\n%s\n" drive-seen
                         (bound-and-true-p aiops-state)
                         (mapcar #'flymake-diagnostic-text (flymake-diagnostics))
                         (buffer-string))))
  (kill-emacs 1))

(defmacro drive-await (what form)
  "Wait for FORM. Emacs in batch has no event loop: processes and timers are served by hand."
  `(let ((end (+ (float-time) 60)) value)
     (while (not (or (setq value ,form) (> (float-time) end)))
       (accept-process-output nil 0.05)
       (sit-for 0.01))
     (or value (drive-fail "did not come: %s" ,what))))

(defun drive-found ()
  (flymake-start nil)
  (cl-remove-if-not (lambda (one) (string-match-p "Divides by zero" (flymake-diagnostic-text one)))
                    (flymake-diagnostics)))

(defun drive-await-finding () (car (drive-await "the finding" (drive-found))))

(defun drive-await-none () (drive-await "the finding to go" (null (drive-found))))

(defun drive-text () (buffer-substring-no-properties (point-min) (point-max)))

(defun drive-act (start)
  "Apply the code action on the finding whose title begins with START, as `eglot-code-actions' does once it is chosen."
  (let* ((one (drive-await-finding))
         (actions (append (eglot-code-actions (flymake-diagnostic-beg one) (flymake-diagnostic-end one) "quickfix") nil))
         (action (cl-find-if (lambda (it) (string-prefix-p start (plist-get it :title))) actions))
         (before (buffer-string)))
    (unless action (drive-fail "no %s among %S" start actions))
    (eglot-execute (eglot-current-server) action)
    (drive-await "the change" (not (equal before (buffer-string))))
    (eglot--signal-textDocument/didChange)))

(defun drive-save () (let ((inhibit-message t)) (save-buffer)))

(defun drive-meet (what)
  "Tell the test that WHAT is reached, and wait until it has done its part."
  (write-region "" nil (concat (getenv "OUT") "." what) nil 'silent)
  (drive-await (concat "the test to answer " what) (file-exists-p (concat (getenv "OUT") "." what ".done"))))

(defun drive-open ()
  (find-file (getenv "FILE"))
  ;; eglot-ensure connects after the command that opened the file, and in batch there is none.
  (run-hooks 'post-command-hook)
  (drive-await "the server" (eglot-managed-p))
  (drive-saw 'version emacs-version)
  (drive-saw 'encoding (plist-get (eglot--capabilities (eglot-current-server)) :positionEncoding))
  (unless flymake-mode (flymake-mode 1))
  (buffer-enable-undo)) ; which batch mode leaves off

(defun drive-finding ()
  (let ((one (drive-await-finding)))
    (drive-saw 'finding (buffer-substring-no-properties (flymake-diagnostic-beg one) (flymake-diagnostic-end one)))
    (drive-saw 'message (flymake-diagnostic-text one))))

(defun drive-hint ()
  ;; Hints are drawn by jit-lock, which does not run in batch.
  (eglot--update-hints-1 (point-min) (point-max))
  (let ((hint (drive-await "the inlay hint"
                (cl-find-if (lambda (it) (overlay-get it 'eglot--inlay-hint))
                            (overlays-in (point-min) (point-max))))))
    (drive-saw 'hint (substring-no-properties
                      (or (overlay-get hint 'after-string) (overlay-get hint 'before-string) "")))))

(defun drive-ignore ()
  (drive-act "Ignore with a comment")
  (drive-await-none)
  (drive-saw 'ignored (drive-text))
  (undo-boundary) ; as there is between commands
  (undo)
  (eglot--signal-textDocument/didChange)
  (drive-await-finding))

(defun drive-fix ()
  (drive-act "Fix: ")
  (drive-saw 'fixed (drive-text))
  (drive-await-none)
  (drive-save))

;; The test takes the provider away, and brings it back once the mode line has changed.
(defun drive-outage ()
  (drive-await "the review to end" (equal aiops-state ""))
  (drive-meet "down")
  (goto-char (point-max))
  (insert "\n\ndef first(values):\n    return values[0]\n")
  (eglot--signal-textDocument/didChange)
  (drive-save)
  (drive-await "the status to change" (string-match-p "degraded" aiops-state))
  (drive-saw 'outage (and (memq 'aiops-state mode-line-misc-info) aiops-state))
  (unless (drive-found) (drive-fail "an outage cleared the finding"))
  (drive-meet "up")
  (eglot-execute (eglot-current-server)
                 (list :title "Review changes" :command "aiops.reviewChanges"
                       :arguments (vector (eglot--TextDocumentIdentifier))))
  (drive-await "the status to heal" (equal aiops-state "")))

(defun drive-crash ()
  (let ((first (eglot-current-server)))
    ;; A server that dies at once is not started again, lest it go on for ever.
    (sleep-for (1+ eglot-autoreconnect))
    (drive-meet "crash")
    (drive-await "another server" (and (eglot-current-server) (not (eq first (eglot-current-server)))))
    (drive-await-finding)
    (drive-hint)
    (drive-saw 'recovered t)))

;; The user, who is asked whether code may go to another machine, does not agree.
(defun drive-decline ()
  (setq completing-read-function
        (lambda (prompt choices &rest _)
          (drive-saw 'consent prompt)
          (drive-saw 'answers (vconcat choices))
          "Not now")))

(defun drive-asked ()
  (drive-await "the question" (assq 'consent drive-seen))
  (drive-await "the status to say so" (equal aiops-state " aiops: offline")))

(load (getenv "SETUP") nil t)
;; The configuration names the program as users have it; this is the one under test.
(let ((command (split-string (getenv "SERVER") " ")))
  (dolist (entry eglot-server-programs)
    (when (and (consp (cdr entry)) (equal (cadr entry) "aiops-lsp"))
      (setcdr entry command))))

(dolist (step (split-string (getenv "STEPS") " "))
  (funcall (intern (concat "drive-" step))))
(eglot-shutdown (eglot-current-server) nil 5)
(with-temp-file (getenv "OUT") (insert (json-encode drive-seen)))
;;; drive.el ends here
