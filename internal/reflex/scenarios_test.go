//go:build linux

package reflex_test

import "time"

// differences are all that hr reflex does otherwise, on purpose, in the words
// of docs/coming-from.md. Each has a scenario that shows it.
var differences = map[string]string{
	"deletes":    "A removed file or directory is a change.",
	"globs":      "`**` in a glob stands for any number of directories.",
	"new dirs":   "Files in a new or renamed directory are changes.",
	"touch":      "`touch` is a change.",
	"crash":      "A service that ends with an error says so each time.",
	"cannot run": "A command that cannot be started is reported, and its line goes on.",
	"-e with -s": "With `-e` a service does not keep the other lines waiting for its life.",
	"bad glob":   "A glob that cannot be parsed is an error.",
	"orphans":    "What survives the end of its command in the background is ended before the next run, and with hr.",
	"^C":         "`^C` is not printed: the interrupt is sent, not typed.",
	"-r=x":       "`-r=x` is the pattern `x`.",
}

// scenarios is the conformance table.
var scenarios = []scenario{
	// Which paths.
	{name: "everything", files: "a.txt d/b", flags: `-- echo run`, short: true, steps: []step{
		{edit: "write a.txt", want: "[00] run"}, {edit: "write d/b", want: "[00] run"}, {edit: "write new", want: "[00] run"}}},
	{name: "regex", files: "a.go a.txt d/b.go", flags: `-r '\.go$' -- echo run`, short: true, steps: []step{
		{edit: "write a.go", want: "[00] run"}, {edit: "write d/b.go", want: "[00] run"}, {edit: "write a.txt", want: ""}}},
	{name: "regex is not anchored", files: "go.mod agogo", flags: `-r go -- echo run`, steps: []step{{edit: "write agogo", want: "[00] run"}}},
	{name: "regex on the whole path", files: "d/e/a", flags: `-r '^d/e/' -- echo run`, steps: []step{{edit: "write d/e/a", want: "[00] run"}, {edit: "write a", want: ""}}},
	{name: "two regexes must both match", files: "a.go b.go", flags: `-r '^a' -r '\.go$' -- echo run`, steps: []step{
		{edit: "write b.go", want: ""}, {edit: "write a.go", want: "[00] run"}}},
	{name: "inverse regex", files: "a.go a_test.go", flags: `-R '.test\.go$' -- echo run`, steps: []step{
		{edit: "write a_test.go", want: ""}, {edit: "write a.go", want: "[00] run"}}},
	{name: "regex and inverse regex", files: "v/a.go a.go a.txt", flags: `-r '\.go$' -R '^v/' -- echo run`, short: true, steps: []step{
		{edit: "write v/a.go; write a.txt", want: ""}, {edit: "write a.go", want: "[00] run"}}},
	{name: "pruned directory", files: "vendor/x/a.go b.go", flags: `-R '(^|/)vendor/' -- echo {}`, steps: []step{
		{edit: "write vendor/x/a.go; mkdir vendor/y", want: ""}, {edit: "write b.go", want: "[00] b.go"}}},
	{name: "glob is for the root", files: "a.go d/b.go", flags: `-g '*.go' -- echo run`, steps: []step{
		{edit: "write d/b.go", want: ""}, {edit: "write a.go", want: "[00] run"}}},
	{name: "glob with directories", files: "a.go d/b.go d/e/c.go", flags: `-g '*/*.go' -- echo {}`, steps: []step{
		{edit: "write a.go; write d/e/c.go", want: ""}, {edit: "write d/b.go", want: "[00] d/b.go"}}},
	{name: "glob classes", files: "a1 b1 c1 a12", flags: `-g '[ab]?' -- echo {}`, steps: []step{
		{edit: "write c1; write a12", want: ""}, {edit: "write a1; write b1", want: "[00] a1|[00] b1"}}},
	{name: "glob braces are letters", files: "a{b,c} ab", flags: `-g 'a{b,c}' -- echo run`, steps: []step{
		{edit: "write ab", want: ""}, {edit: "write a{b,c}", want: "[00] run"}}},
	{name: "inverse glob", files: "a.txt d/a.txt", flags: `-G '*.txt' -- echo {}`, steps: []step{
		{edit: "write a.txt", want: ""}, {edit: "write d/a.txt", want: "[00] d/a.txt"}}},
	{name: "two globs must both match", files: "a.go ab.go", flags: `-g '*.go' -g 'ab*' -- echo {}`, steps: []step{
		{edit: "write a.go", want: ""}, {edit: "write ab.go", want: "[00] ab.go"}}},
	{name: "glob and regex", files: "a.go b.go a.txt", flags: `-g '*.go' -r '^a' -- echo {}`, steps: []step{
		{edit: "write b.go; write a.txt", want: ""}, {edit: "write a.go", want: "[00] a.go"}}},
	{name: "glob with two stars", files: "a.go d/e/b.go", flags: `-g '**/*.go' -- echo {}`, short: true, steps: []step{
		{edit: "write d/e/b.go", want: "", ours: "[00] d/e/b.go", diff: "globs"},
		{edit: "write a.go", want: "", ours: "[00] a.go", diff: "globs"}}},
	{name: "inverse glob with two stars", files: "v/a/b.go c.go", flags: `-G 'v/**' -- echo {}`, steps: []step{
		{edit: "write v/a/b.go", want: "[00] v/a/b.go", ours: "", diff: "globs"}, {edit: "write c.go", want: "[00] c.go"}}},
	{name: "glob that cannot be parsed", flags: `-g 'a[' -- echo run`, files: "a[", failsDiff: "bad glob", steps: []step{{edit: "write a[", want: ""}}},

	// Default excludes.
	{name: "editor files", files: "a", flags: `-- echo {}`, short: true, steps: []step{
		{edit: "write a~; write .a.swp; write .#a; write #a#; write d/#b#; write .DS_Store", want: "[00] d/"}, {edit: "write a", want: "[00] a"}}},
	{name: "version control", files: ".git/HEAD .hg/x a", flags: `-- echo {}`, steps: []step{
		{edit: "write .git/HEAD; write .git/index; write .hg/x", want: ""}, {edit: "write a", want: "[00] a"}}},
	{name: "all", files: ".git/HEAD a~", flags: `--all -- echo {}`, steps: []step{
		{edit: "write .git/HEAD", want: "[00] .git/HEAD"}, {edit: "write a~", want: "[00] a~"}}},
	{name: "other hidden files", files: ".config/x .env", flags: `-- echo {}`, steps: []step{
		{edit: "write .env", want: "[00] .env"}, {edit: "write .config/x", want: "[00] .config/x"}}},
	{name: "vendor and node_modules are watched", files: "vendor/a node_modules/b", flags: `-- echo {}`, steps: []step{
		{edit: "write vendor/a; write node_modules/b", want: "[00] node_modules/b|[00] vendor/a"}}},

	// Kinds of entries.
	{name: "only files", files: "a d/", flags: `--only-files -- echo {}`, steps: []step{
		{edit: "mkdir e", want: ""}, {edit: "write a", want: "[00] a"}}},
	{name: "only directories", files: "a", flags: `--only-dirs -- echo {}`, steps: []step{
		{edit: "write a", want: ""}, {edit: "mkdir e", want: "[00] e/"}}},
	{name: "new directory", files: "a", flags: `-- echo {}`, steps: []step{{edit: "mkdir d", want: "[00] d/"}}},
	{name: "write in a directory is none to the directory", files: "d/a", flags: `-- echo {}`, steps: []step{{edit: "write d/b", want: "[00] d/b"}}},
	{name: "symbolic link to a file", files: "a", flags: `-r '^l' -- echo {}`, steps: []step{{edit: "ln a l", want: "[00] l"}}},
	{name: "symbolic link to a directory", files: "d/x", flags: `-- echo {}`, steps: []step{
		{edit: "ln d l", want: "[00] l/"}, {edit: "write d/x", want: "[00] d/x"}}},
	{name: "symbolic link to nothing", files: "a", flags: `-- echo {}`, steps: []step{{edit: "ln nowhere l", want: ""}}},
	{name: "hard link", files: "a", flags: `-- echo {}`, steps: []step{{edit: "link a b", want: "[00] b"}}},

	// Kinds of changes.
	{name: "append", files: "a", flags: `-- echo {}`, steps: []step{{edit: "append a", want: "[00] a"}}},
	{name: "save by rename", files: "a.go", flags: `-- echo {}`, short: true, steps: []step{{edit: "save a.go", want: "[00] a.go"}, {edit: "save a.go", want: "[00] a.go"}}},
	{name: "rename", files: "a.go", flags: `-- echo {}`, steps: []step{{edit: "mv a.go b.go", want: "[00] b.go"}}},
	{name: "move between directories", files: "d/a e/", flags: `-- echo {}`, steps: []step{{edit: "mv d/a e/b", want: "[00] e/b"}}},
	{name: "change of mode", files: "a", flags: `-- echo {}`, steps: []step{{edit: "chmod 600 a", want: ""}, {edit: "chmod 755 a", want: ""}, {edit: "write a", want: "[00] a"}}},
	{name: "touch", files: "a", flags: `-- echo {}`, steps: []step{{edit: "pause 50; touch a", want: "", ours: "[00] a", diff: "touch"}}},
	{name: "delete", files: "a.go b.txt", flags: `-r '\.go$' -- echo run`, short: true, steps: []step{
		{edit: "rm b.txt", want: ""}, {edit: "rm a.go", want: "", ours: "[00] run", diff: "deletes"}}},
	{name: "delete and one command for each path", files: "a b", flags: `-- echo {}`, steps: []step{{edit: "rm a", want: ""}, {edit: "write b", want: "[00] b"}}},
	{name: "delete a directory", files: "d/a.go", flags: `-r '\.go$' -- echo run`, steps: []step{{edit: "rm d", want: "", ours: "[00] run", diff: "deletes"}}},
	{name: "delete only files", files: "d/a.go e/", flags: `--only-files -- echo run`, steps: []step{
		{edit: "rm e", want: ""}, {edit: "rm d/a.go", want: "", ours: "[00] run", diff: "deletes"}}},
	{name: "came and went", files: "a", flags: `-r '\.go$' -- echo run`, steps: []step{{edit: "write x.txt; rm x.txt", want: ""}}},

	// New directories.
	{name: "file in a new directory, later", files: "a", flags: `-r '\.go$' -- echo {}`, steps: []step{
		{edit: "mkdir d/e; pause 400; write d/e/f.go", want: "[00] d/e/f.go"}}},
	{name: "file in a new directory, at once", files: "a", flags: `-r '\.go$' -- echo {}`, short: true, steps: []step{
		{edit: "mkdir .git/d; write .git/d/x.go; mv .git/d n", want: "", ours: "[00] n/x.go", diff: "new dirs"},
		{edit: "write n/x.go", want: "[00] n/x.go"}}},
	{name: "renamed directory", files: "d/x.go", flags: `-r '\.go$' -- echo {}`, steps: []step{
		{edit: "mv d e", want: "", ours: "[00] e/x.go", diff: "new dirs"}}},
	{name: "directory that comes back", files: "d/x.go", flags: `-r '\.go$' -- echo {}`, steps: []step{
		{edit: "rm d", want: ""}, {edit: "mkdir d; pause 400; write d/x.go", want: "[00] d/x.go"}}},

	// The command.
	{name: "path in the command", files: "d/a", flags: `-- echo <{}> {}{}`, steps: []step{{edit: "write d/a", want: "[00] <d/a> d/ad/a"}}},
	{name: "path with spaces and quotes", files: "a", flags: `-- echo {}`, steps: []step{{edit: `write it's%20"a"%20$HOME`, want: `[00] it's "a" $HOME`}}},
	{name: "path with other letters", files: "a", flags: `-- echo {}`, steps: []step{{edit: "write größe日本.go", want: "[00] größe日本.go"}}},
	{name: "other symbol", files: "a", flags: `--substitute=@ -- echo @ {}`, steps: []step{{edit: "write a", want: "[00] a {}"}}},
	{name: "words are not expanded", files: "a", flags: `-- echo '$HOME *' '~'`, steps: []step{{edit: "write a", want: "[00] $HOME * ~"}}},
	{name: "shell", files: "a", flags: `-- sh -c 'echo one; echo two >&2; echo three'`, order: true, steps: []step{{edit: "write a", want: "[00] one|[00] two|[00] three"}}},
	{name: "command fails", files: "a", flags: `-- sh -c 'exit 3'`, steps: []step{
		{edit: "write a", want: "[00] (error exit: exit status 3)"}, {edit: "write a", want: "[00] (error exit: exit status 3)"}}},
	{name: "command is killed", files: "a", flags: `-- sh -c 'kill -9 $$'`, steps: []step{{edit: "write a", want: "[00] (error exit: signal: killed)"}}},
	{name: "command has a terminal", files: "a", flags: `-- sh -c 'test -t 0 && test -t 1 && test -t 2 && echo terminal'`, steps: []step{{edit: "write a", want: "[00] terminal"}}},
	{name: "command runs where it was started", files: "d/a", flags: `-- sh -c 'test -e d/a && echo here'`, steps: []step{{edit: "write d/a", want: "[00] here"}}},
	{name: "no run before a change", files: "a", flags: `-- echo run`, steps: []step{{edit: "", want: ""}}},
	{name: "command that cannot be started", files: "a", flags: `-- ./missing`, short: true, steps: []step{
		{edit: "write a", want: `[00] fork/exec ./missing: no such file or directory`, ours: `[00] exec: "./missing": stat ./missing: no such file or directory`, diff: "cannot run"},
		{edit: "write a", want: "", ours: `[00] exec: "./missing": stat ./missing: no such file or directory`, diff: "cannot run"}}},
	{name: "flags of the command", files: "a", flags: `-r a -- echo -r -s --all`, steps: []step{{edit: "write a", want: "[00] -r -s --all"}}},
	{name: "flags behind the command", files: "a b", flags: `echo run -r '^a'`, steps: []step{{edit: "write b", want: ""}, {edit: "write a", want: "[00] run"}}},
	{name: "bundled flags", files: "a", flags: `-sr '^a' -- sh -c 'echo up; sleep 100'`, order: true, steps: []step{
		{edit: "write a", want: "[00] Starting service|[00] up|[00] Killing service|[00] Starting service|[00] up"}}},
	{name: "long flags", files: "a.go b.go", flags: `--regex='\.go$' --inverse-regex='^b' --only-files=true -- echo {}`, steps: []step{{edit: "write b.go", want: ""}, {edit: "write a.go", want: "[00] a.go"}}},
	{name: "short flag with its value", files: "a b", flags: `-r^a -- echo {}`, steps: []step{{edit: "write b", want: ""}, {edit: "write a", want: "[00] a"}}},
	{name: "short flag with an equals sign", files: "a =a", flags: `-r=^a -- echo {}`, steps: []step{{edit: "write a", want: "", ours: "[00] a", diff: "-r=x"}}},

	// Bursts.
	{name: "one run for many files", files: "a b c d e f", flags: `-- echo run`, short: true, steps: []step{
		{edit: "write a; write b; write c; write d; write e; write f", want: "[00] run"}}},
	{name: "a run for each of many files", files: "a b c", flags: `-- echo {}`, short: true, steps: []step{
		{edit: "write a; write b; write c; write a", want: "[00] a|[00] b|[00] c"}}},
	{name: "changes during a run", files: "a b", flags: `-- sh -c 'echo run; sleep 1'`, steps: []step{
		{edit: "write a; pause 600; write a; write b; append b", want: "[00] run|[00] run", wait: 1500 * time.Millisecond}}},
	{name: "changes during a run for each path", files: "a b c", flags: `-- sh -c 'echo {}; sleep 0.7'`, steps: []step{
		{edit: "write a; pause 500; write b; write c; write b", want: "[00] a|[00] b|[00] c", wait: 1500 * time.Millisecond}}},
	{name: "other changes during a run", files: "a b", flags: `-r a -- sh -c 'echo run; sleep 0.6'`, steps: []step{
		{edit: "write a; pause 400; write b", want: "[00] run", wait: time.Second}}},
	{name: "a command that changes what it watches once", files: "a", flags: `-r '^[ab]$' -- sh -c 'echo run; test -e b || echo > b'`, steps: []step{
		{edit: "write a", want: "[00] run|[00] run", wait: time.Second}}},

	// Services.
	{name: "service", files: "a", flags: `-s -- sh -c 'echo up; sleep 100'`, short: true, order: true, steps: []step{
		{edit: "", want: "[00] Starting service|[00] up"},
		{edit: "write a", want: "[00] Killing service|[00] Starting service|[00] up"},
		{edit: "write a", want: "[00] Killing service|[00] Starting service|[00] up"}}},
	{name: "service is interrupted", files: "a", flags: `-s -t 5s -- sh -c 'trap "echo bye; exit" INT; echo up; while :; do sleep 0.05; done'`, order: true, steps: []step{
		{edit: "", want: "[00] Starting service|[00] up"},
		{edit: "write a", want: "[00] Killing service|[00] bye|[00] Starting service|[00] up"}}},
	{name: "children of a service are interrupted", files: "a", flags: `-s -t 5s -- sh -c 'sh -c "trap \"echo bye; exit\" INT; echo up; while :; do sleep 0.05; done"; :'`, order: true, steps: []step{
		{edit: "", want: "[00] Starting service|[00] up"},
		{edit: "write a", want: "[00] Killing service|[00] bye|[00] Starting service|[00] up"}}},
	{name: "service has time to end", files: "a", flags: `-s -t 2s -- sh -c 'trap "sleep 1; echo bye; exit" INT; echo up; while :; do sleep 0.05; done'`, order: true, steps: []step{
		{edit: "", want: "[00] Starting service|[00] up"},
		{edit: "write a", want: "[00] Killing service|[00] bye|[00] Starting service|[00] up", wait: 1500 * time.Millisecond}}},
	{name: "service that fails", files: "a", flags: `-s -- sh -c 'echo up; exit 4'`, short: true, order: true, steps: []step{
		{edit: "", want: "[00] Starting service|[00] up|[00] (error exit: exit status 4)"}}},
	{name: "service that fails again", files: "a", flags: `-s -- sh -c 'echo up; sleep 0.2; test -e crash && exit 4; sleep 100'`, order: true, steps: []step{
		{edit: "", want: "[00] Starting service|[00] up"},
		{edit: "write a", want: "[00] Killing service|[00] Starting service|[00] up"},
		{edit: "write crash", want: "[00] Killing service|[00] Starting service|[00] up",
			ours: "[00] Killing service|[00] Starting service|[00] up|[00] (error exit: exit status 4)", diff: "crash"}}},
	{name: "left in the background", files: "a", flags: `-- sh -c '(sleep 1; echo late) & echo run'`, steps: []step{
		{edit: "write a", want: "[00] run", wait: 1500 * time.Millisecond}}},
	{name: "left in the background for good", files: "a .git/", flags: `-t 50ms -- sh -c 'nohup sh -c "sleep 1.2; echo > .git/late" >/dev/null 2>&1 & sleep 0.1; test -e .git/late && echo late; echo run'`, order: true, steps: []step{
		{edit: "write a; pause 600; write a; pause 900; write a", want: "[00] run|[00] run|[00] late|[00] run", ours: "[00] run|[00] run|[00] run", diff: "orphans", wait: time.Second}}},
	{name: "service that ends well", files: "a", flags: `-s -- echo up`, order: true, steps: []step{{edit: "", want: "[00] Starting service|[00] up"}}},
	{name: "service is not restarted by other files", files: "a b", flags: `-s -r a -- sh -c 'echo up; sleep 100'`, steps: []step{
		{edit: "", want: "[00] Starting service|[00] up"}, {edit: "write b", want: ""}}},

	// Config files.
	{name: "two lines", files: "a.go a.css", config: "-r '\\.go$' -- echo go {}\n-r '\\.css$' -- echo css {}\n", short: true, steps: []step{
		{edit: "write a.go", want: "[00] go a.go"}, {edit: "write a.css", want: "[01] css a.css"}, {edit: "write a.go; write a.css", want: "[00] go a.go|[01] css a.css"}}},
	{name: "two lines for one file", files: "a", config: "-- echo one\n-- echo two\n", steps: []step{{edit: "write a", want: "[00] one|[01] two"}}},
	{name: "comments and blank lines", files: "a", config: "# first\n\n   # indented\n-- echo run # this is no comment\n", steps: []step{{edit: "write a", want: "[00] run # this is no comment"}}},
	{name: "entry on several lines", files: "a", config: "-r a \\\n  -- \\\n  echo run\n", steps: []step{{edit: "write a", want: "[00] run"}}},
	{name: "quotes in a config", files: "a", config: "-r \"^a\" -- sh -c 'echo \"a  b\";\necho c'\n", order: true, steps: []step{{edit: "write a", want: "[00] a  b|[00] c"}}},
	{name: "config on standard input", files: "a", flags: "-c -", stdin: "-- echo run\n", steps: []step{{edit: "write a", want: "[00] run"}}},
	{name: "lines have flags of their own", files: "a~ a.go", config: "--all -- echo all {}\n-- echo some {}\n", steps: []step{{edit: "write a~", want: "[00] all a~"}, {edit: "write a.go", want: "[00] all a.go|[01] some a.go"}}},
	{name: "a directory that one line wants", files: "v/a", config: "-R '^v/' -- echo one {}\n-- echo two {}\n", steps: []step{{edit: "write v/a", want: "[01] two v/a"}}},
	{name: "lines run side by side", files: "a", config: "-- sh -c 'echo one; sleep 0.5; echo end'\n-- sh -c 'sleep 0.2; echo two'\n", order: true, steps: []step{
		{edit: "write a", want: "[00] one|[01] two|[00] end"}}},
	{name: "sequential", files: "a .git/", flags: "-e", config: "-- sh -c 'mkdir .git/l || echo overlap; sleep 0.3; rmdir .git/l; echo one'\n-- sh -c 'mkdir .git/l || echo overlap; sleep 0.3; rmdir .git/l; echo two'\n", short: true, steps: []step{
		{edit: "write a", want: "[00] one|[01] two"}}},
	{name: "sequential with a service", files: "a", flags: "-e", config: "-s -r never -- sh -c 'echo up; sleep 100'\n-r a -- echo run\n", steps: []step{
		{edit: "", want: "[00] Starting service|[00] up"}, {edit: "write a", want: "", ours: "[01] run", diff: "-e with -s"}}},

	// Decorations.
	{name: "decoration none", files: "a", flags: `-d none -- echo run`, steps: []step{{edit: "write a", want: "run"}}},
	{name: "decoration fancy", files: "a", flags: `-d fancy`, config: "-- echo one\n-- echo two\n", steps: []step{{edit: "write a", want: "\x1b[01;32m[00] one\x1b[m|\x1b[01;33m[01] two\x1b[m"}}},
	{name: "decoration in capitals", files: "a", flags: `-d NONE -- echo run`, steps: []step{{edit: "write a", want: "run"}}},
	{name: "output without a line feed", files: "a", flags: `-- printf 'a\nb'`, order: true, steps: []step{{edit: "write a", want: "[00] a|[00] b"}}},
	{name: "empty lines", files: "a", flags: `-- printf '\n\nx\n'`, order: true, steps: []step{{edit: "write a", want: "[00] |[00] |[00] x"}}},

	// The end.
	{name: "terminated", files: "a", flags: `-s -t 5s -- sh -c 'trap "echo bye; exit" INT; echo up; while :; do sleep 0.05; done'`, order: true, steps: []step{
		{edit: "", want: "[00] Starting service|[00] up"}, {edit: "signal TERM", want: "Interrupted (terminated). Cleaning up children...|[00] bye"}}},

	// What is refused.
	{name: "no command", flags: `-r x`, fails: true},
	{name: "unknown flag", flags: `--pretty -- echo`, fails: true, short: true},
	{name: "bad regex", flags: `-r '(' -- echo`, fails: true},
	{name: "bad decoration", flags: `-d pretty -- echo`, fails: true},
	{name: "sequential without a config", flags: `-e -- echo`, fails: true},
	{name: "regex beside a config", flags: `-r x`, config: "-- echo\n", fails: true},
	{name: "missing config", flags: `-c /nonexistent/reflex.conf`, fails: true},
	{name: "empty config", config: "# nothing\n", fails: true},
	{name: "config with an open quote", config: "-- echo 'a\n", fails: true},
	{name: "config with a global flag", config: "-d none -- echo\n", fails: true},
	{name: "service for each path", flags: `-s -- echo {}`, fails: true},
	{name: "files and directories", flags: `--only-files --only-dirs -- echo`, fails: true},
	{name: "empty symbol", flags: `--substitute= -- echo`, fails: true},
	{name: "no time to stop", flags: `-t 0s -- echo`, fails: true},
}
