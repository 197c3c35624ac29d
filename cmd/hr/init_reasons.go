package main

import (
	"runtime"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// airTaken are the settings of air that have a counterpart, or are told of in
// another way.
var airTaken = []string{
	"root", "env_files", "build.cmd", "build.bin", "build.entrypoint", "build.full_bin", "build.args_bin", "build.include_ext",
	"build.include_dir", "build.include_file", "build.poll", "build.send_interrupt", "build.kill_delay", "build.rules",
}

// airWhy tells why a setting has no counterpart. A name with a dot at its end
// stands for a table.
var airWhy = map[string]string{
	"tmp_dir":                         "programs are built in hr's own cache",
	"testdata_dir":                    "what only tests read is no input of the program",
	"build.pre_cmd":                   "a build runs nothing else: give each generator a line of its own in a reflex.conf, so that it runs when its own files change",
	"build.post_cmd":                  "nothing runs after hr has ended: put it behind hr in a script",
	"build.log":                       "errors are shown, and hr why keeps the last ones",
	"build.exclude_dir":               "what the build does not read never causes one; a file that --restart-on matches counts wherever it lies",
	"build.exclude_file":              "what the build does not read never causes one",
	"build.exclude_regex":             "what the build does not read, tests among it, never causes one",
	"build.exclude_unchanged":         "always on: content is compared, and an edit of comments alone builds nothing",
	"build.ignore_dangerous_root_dir": "only the module and the directories of its inputs are watched",
	"build.follow_symlink":            "inputs are found by the build, wherever they lie",
	"build.poll_interval":             "polling takes a twentieth of the time, four times a second at most",
	"build.delay":                     "a save is acted on at once, and a newer one takes the build back",
	"build.stop_on_error":             "a failed build never stops the program that runs",
	"build.rerun":                     "a program that has ended is started again by the next change",
	"build.rerun_delay":               "a program that has ended is started again by the next change",
	"build.rules.name":                "lines of a reflex.conf have numbers",
	"build.rules.delay":               "a line runs 10 ms after the last of its changes; hr reflex --silence sets it for all",
	"log.":                            "hr prints one line for each save; --json gives events",
	"color.":                          "hr's lines are coloured at a terminal, unless NO_COLOR is set",
	"misc.clean_on_exit":              "there is no temporary directory in the tree",
	"misc.startup_banner":             "there is no banner",
	"screen.":                         "the screen is left alone; the key c clears it",
	"proxy.":                          "the program's own port stays open while it restarts, so a browser waits instead of failing; pages are not reloaded by themselves",
}

// airReason tells why a setting of the file has no counterpart, "" if it has.
func airReason(meta toml.MetaData, key toml.Key, taken []string) string {
	name := key.String()
	kind := meta.Type(key...)
	if kind == "Hash" || kind == "ArrayHash" || slices.Contains(taken, name) {
		return ""
	}
	if why := airWhy[name]; why != "" {
		return why
	}
	if why := airWhy[key[0]+"."]; why != "" {
		return why
	}
	if len(key) == 3 && key[0] == "build" && slices.Contains([]string{"windows", "darwin", "linux"}, key[1]) {
		if key[1] == runtime.GOOS {
			return ""
		}
		return "for another system"
	}
	if strings.HasPrefix(name, "build.rules.") {
		return ""
	}
	return "unknown to hr, and to air v1.67"
}
