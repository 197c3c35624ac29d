package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/reflex"
	"github.com/hotreflex/hr/tags"
)

// airConfig holds the settings of air (v1.67, runner/config.go) that mean
// something to hr.
type airConfig struct {
	Root     string   `toml:"root"`
	TmpDir   string   `toml:"tmp_dir"`
	EnvFiles []string `toml:"env_files"`
	Build    airBuild `toml:"build"`
}

type airBuild struct {
	airCommands
	IncludeExt    []string     `toml:"include_ext"`
	ExcludeDir    []string     `toml:"exclude_dir"`
	IncludeDir    []string     `toml:"include_dir"`
	IncludeFile   []string     `toml:"include_file"`
	ExcludeRegex  []string     `toml:"exclude_regex"`
	Poll          bool         `toml:"poll"`
	SendInterrupt bool         `toml:"send_interrupt"`
	KillDelay     any          `toml:"kill_delay"` // nanoseconds, or a duration as text
	Rules         []airRule    `toml:"rules"`
	Windows       *airCommands `toml:"windows"`
	Darwin        *airCommands `toml:"darwin"`
	Linux         *airCommands `toml:"linux"`
}

// airCommands may be given for one system, too.
type airCommands struct {
	Cmd        string   `toml:"cmd"`
	Bin        string   `toml:"bin"`
	Entrypoint any      `toml:"entrypoint"` // text, or words
	FullBin    string   `toml:"full_bin"`
	ArgsBin    []string `toml:"args_bin"`
}

// airRule runs a command beside the program.
type airRule struct {
	Cmd          string   `toml:"cmd"`
	IncludeDir   []string `toml:"include_dir"`
	IncludeExt   []string `toml:"include_ext"`
	IncludeFile  []string `toml:"include_file"`
	ExcludeRegex []string `toml:"exclude_regex"`
}

// fromAir reads an .air.toml over air's defaults.
func fromAir(dir, name string) (*conversion, error) {
	cfg := airConfig{Root: ".", TmpDir: "tmp"}
	b := &cfg.Build
	b.Cmd, b.Bin = "go build -o ./tmp/main .", "./tmp/main"
	b.IncludeExt = []string{"go", "tpl", "tmpl", "html"}
	b.ExcludeDir = []string{"assets", "tmp", "vendor", "testdata"}
	meta, err := toml.DecodeFile(within(dir, name), &cfg)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, quoting(err))
	}
	if err := b.checkRegexes(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, quoting(err))
	}
	b.merge(map[string]*airCommands{"windows": b.Windows, "darwin": b.Darwin, "linux": b.Linux}[runtime.GOOS])
	cv := &conversion{Source: name}
	taken := airTaken
	if p, debugger := cfg.program(within(dir, cfg.Root)); p != nil {
		cfg.asRun(cv, p, debugger)
	} else {
		cfg.asReflex(cv)
		taken = append(slices.Clone(taken), "build.exclude_dir", "build.exclude_regex", "tmp_dir")
	}
	if meta.IsDefined("build", "kill_delay") || meta.IsDefined("build", "send_interrupt") {
		cfg.explainStop(cv)
	}
	for _, key := range meta.Keys() {
		if why := airReason(meta, key, taken); why != "" {
			cv.note(key.String(), "%s", why)
		}
	}
	return cv, nil
}

// quoting shortens an error that may quote more than a line of the file.
func quoting(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	return errors.New(printable.FirstLine(err.Error()))
}

// checkRegexes refuses what air refuses, too.
func (b *airBuild) checkRegexes() error {
	all := slices.Clone(b.ExcludeRegex)
	for _, r := range b.Rules {
		all = append(all, r.ExcludeRegex...)
	}
	for _, re := range all {
		if _, err := regexp.Compile(re); err != nil {
			return fmt.Errorf("exclude_regex: %w", err)
		}
	}
	return nil
}

func (c *airCommands) merge(o *airCommands) {
	if o == nil {
		return
	}
	if o.Cmd != "" {
		c.Cmd = o.Cmd
	}
	if o.Bin != "" {
		c.Bin = o.Bin
	}
	if o.Entrypoint != nil {
		c.Entrypoint = o.Entrypoint
	}
	if o.FullBin != "" {
		c.FullBin = o.FullBin
	}
	if len(o.ArgsBin) > 0 {
		c.ArgsBin = o.ArgsBin
	}
}

// start is the shell command that runs the program.
func (c *airCommands) start() string {
	var words []string
	switch e := c.Entrypoint.(type) {
	case string:
		words = []string{e}
	case []any:
		for _, w := range e {
			words = append(words, fmt.Sprint(w))
		}
	}
	args := shellWords(c.ArgsBin)
	switch {
	case c.FullBin != "":
		return strings.TrimSpace(c.FullBin + " " + args)
	case len(words) > 0:
		if words[0] != "dlv" && !strings.Contains(words[0], "/") {
			words[0] = "./" + words[0]
		}
		return strings.TrimSpace(shellWords(words) + " " + args)
	}
	bin := c.Bin
	if !strings.Contains(bin, "/") {
		bin = "./" + bin
	}
	return strings.TrimSpace(shellWords([]string{bin}) + " " + args)
}

// program recognises a Go program. debugger says that it was to run under dlv.
func (c *airConfig) program(dir string) (p *goProgram, debugger bool) {
	start := c.Build.start()
	if m := dlvExec.FindStringSubmatch(start); m != nil {
		start, debugger = m[1], true
	}
	line := &reflex.Line{Command: []string{"sh", "-c", c.Build.Cmd + " && " + start}}
	return findGoProgram(dir, line), debugger
}

// dlvExec is how a program is run under Delve; what follows "--" is its own.
var dlvExec = regexp.MustCompile(`^dlv exec (?:-\S+ )*([^-\s]\S*)`)

// asRun makes hr run of it, with the rules beside it.
func (c *airConfig) asRun(cv *conversion, p *goProgram, debugger bool) {
	b := &c.Build
	words := []string{"hr", "run"}
	if len(p.Env) > 0 {
		words = append(append([]string{"env"}, p.Env...), words...)
	}
	if root := path.Clean(filepath.ToSlash(c.Root)); root != "." {
		words = append(words, "-C="+root)
	}
	if debugger {
		words = append(words, "--debug")
		cv.note("dlv", "hr starts no debugger; --debug builds for one: dlv attach PID, with the PID that hr ps shows")
	}
	if b.SendInterrupt {
		words = append(words, "--signal=INT")
		if d := b.killDelay(); d >= time.Millisecond {
			words = append(words, "--grace="+d.String())
		}
	}
	if b.Poll {
		words = append(words, "--watcher=poll")
	}
	for _, f := range c.EnvFiles {
		words = append(words, "--env-file="+f)
	}
	for _, glob := range b.restartOn() {
		words = append(words, "--restart-on="+glob)
	}
	cv.Command = append(words, p.words()...)
	if len(b.Rules) > 0 {
		cv.Config = "# from " + printable.Line(cv.Source) + "\n" + serviceOf(cv.Command) + "\n" + b.ruleLines()
		cv.Command = []string{"hr", "reflex", "-c", "reflex.conf"}
	}
}

// restartOn are the files that restart the program without being part of it.
func (b *airBuild) restartOn() []string {
	var exts []string
	for _, e := range b.IncludeExt {
		if e = strings.TrimPrefix(e, "."); e != "" && !tags.SourceExt("."+e) && e != "mod" && e != "sum" {
			exts = append(exts, e)
		}
	}
	var globs []string
	pattern := ""
	switch len(exts) {
	case 0:
	case 1:
		pattern = "**/*." + exts[0]
	default:
		pattern = "**/*.{" + strings.Join(exts, ",") + "}"
	}
	if exts := exts; slices.Contains(exts, "*") {
		pattern = "**"
	}
	if pattern != "" && len(b.IncludeDir) == 0 {
		globs = append(globs, pattern)
	}
	for _, d := range b.IncludeDir {
		if pattern != "" {
			globs = append(globs, path.Join(d, pattern))
		}
	}
	for _, f := range b.IncludeFile {
		if !isBuildInput(f) {
			globs = append(globs, f)
		}
	}
	return globs
}

// asReflex keeps the commands as they are, in a reflex.conf.
func (c *airConfig) asReflex(cv *conversion) {
	b := &c.Build
	words := []string{"-s"}
	if len(b.IncludeDir) > 0 {
		words = append(words, "-r", anyDir(b.IncludeDir))
	}
	if !slices.Contains(b.IncludeExt, "*") {
		words = append(words, "-r", anyExt(b.IncludeExt))
	}
	words = append(words, "-R", anyDir(append(slices.Clone(b.ExcludeDir), c.TmpDir)))
	for _, re := range b.ExcludeRegex {
		words = append(words, "-R", re)
	}
	words = append(words, "--", "sh", "-c", b.Cmd+" && "+b.start())
	cv.Config = "# from " + printable.Line(cv.Source) + "\n" + shellWords(words) + "\n" + b.ruleLines()
	cv.Command = []string{"hr", "reflex", "-c", "reflex.conf"}
	cv.note("build.cmd", "%q is no plain go build whose output is run: it runs as it is on each change; hr run ./cmd/app would rebuild less", b.Cmd)
	if len(c.EnvFiles) > 0 {
		cv.note("env_files", "hr run has --env-file; a line of a reflex.conf has not: let the command read them")
	}
}

// ruleLines are entries of a reflex.conf for [[build.rules]].
func (b *airBuild) ruleLines() string {
	var out strings.Builder
	for _, r := range b.Rules {
		var words []string
		if len(r.IncludeDir) > 0 {
			words = append(words, "-r", anyDir(r.IncludeDir))
		}
		if len(r.IncludeExt) > 0 {
			words = append(words, "-r", anyExt(r.IncludeExt))
		}
		var not []string
		for _, re := range r.ExcludeRegex {
			not = append(not, "-R", re)
		}
		command := []string{"--", "sh", "-c", r.Cmd}
		if len(words) > 0 {
			fmt.Fprintln(&out, shellWords(slices.Concat(words, not, command)))
		}
		if len(r.IncludeFile) > 0 {
			fmt.Fprintln(&out, shellWords(slices.Concat([]string{"-r", anyFile(r.IncludeFile)}, not, command)))
		}
	}
	return out.String()
}

// killDelay reads what air takes as nanoseconds if it is a number.
func (b *airBuild) killDelay() time.Duration {
	switch v := b.KillDelay.(type) {
	case int64:
		return time.Duration(v)
	case string:
		d, _ := time.ParseDuration(v) // air refuses what is none
		return d
	}
	return 0
}

func (c *airConfig) explainStop(cv *conversion) {
	switch d := c.Build.killDelay(); {
	case !c.Build.SendInterrupt:
		cv.note("build.send_interrupt", "the program is always asked to end (--signal, TERM), and killed only after --grace, 3s")
	case d < time.Millisecond:
		cv.note("build.kill_delay", "%v is no time to end: --grace is 3s, of which a program takes only what it needs", d)
	}
}

func anyDir(dirs []string) string  { return "^(" + strings.Join(quoteAll(dirs), "|") + ")/" }
func anyExt(exts []string) string  { return `\.(` + strings.Join(quoteAll(exts), "|") + ")$" }
func anyFile(list []string) string { return "^(" + strings.Join(quoteAll(list), "|") + ")$" }

// quoteAll makes regular expressions of names, each once.
func quoteAll(names []string) []string {
	var out []string
	for _, n := range names {
		n = regexp.QuoteMeta(strings.Trim(strings.TrimPrefix(filepath.ToSlash(n), "./"), "/."))
		if n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
