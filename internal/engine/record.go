package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hotreflex/hr/internal/exact"
	"github.com/hotreflex/hr/internal/graph"
)

// recordEnv names the directory in which a recording run leaves what it saw.
const recordEnv = "HR_TOOLEXEC_DIR"

// linkRecord is one run of the linker by the go command.
type linkRecord struct {
	Argv []string `json:"argv"`
	Dir  string   `json:"dir"`
	Env  []string `json:"env"`
	Cfg  string   `json:"cfg"` // content of importcfg.link
	// IDs are the build ids of the archives, by file.
	IDs map[string]string `json:"ids"`
}

// Recording tells whether this process was started by the go command as its
// -toolexec program, or by us to list for another go command than ours: main must
// call RunToolexec then and nothing else.
func Recording(args []string) bool {
	return len(args) > 2 && args[1] == "toolexec" && (os.Getenv(recordEnv) != "" || graph.ListsApart(args))
}

// RunToolexec runs the tool that the go command asked for, args[2:], and notes
// the link and each package that is compiled. It returns the exit code. The
// answer to -V=full passes unchanged, so action ids stay what they are without
// -toolexec (cmd/go/internal/work/buildid.go, toolID).
func RunToolexec(args []string) int {
	if graph.ListsApart(args) {
		return graph.RunList(os.Stdin, os.Stdout)
	}
	argv := args[2:]
	dir := os.Getenv(recordEnv)
	if !slices.Contains(argv, "-V=full") {
		switch strings.TrimSuffix(filepath.Base(argv[0]), ".exe") {
		case "link":
			if err := recordLink(dir, argv); err != nil {
				fmt.Fprintln(os.Stderr, "hr: record link:", err)
				return 1
			}
		case "compile":
			recordCompile(dir, argv)
		}
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = withoutEnv(os.Environ(), recordEnv)
	if err := replaceProcess(cmd); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState != nil {
			return cmd.ProcessState.ExitCode()
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// recordLink notes the arguments, the environment and the import configuration.
func recordLink(dir string, argv []string) error {
	r := linkRecord{Argv: argv, Env: withoutEnv(os.Environ(), recordEnv)}
	r.Dir, _ = os.Getwd()
	if i := slices.Index(argv, "-importcfg"); i >= 0 && i+1 < len(argv) {
		data, err := os.ReadFile(argv[i+1])
		if err != nil {
			return err
		}
		r.Cfg = string(data)
		_, files, _, err := parseImportConfig(r.Cfg)
		if err != nil {
			return err
		}
		r.IDs = map[string]string{}
		for _, file := range files {
			r.IDs[file] = archiveBuildID(file)
		}
	}
	data, err := exact.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "link.json"), data, 0o600)
}

// recordCompile leaves one file for each compiled package, so that the number
// of files is the progress; the file holds the arguments.
func recordCompile(dir string, argv []string) {
	data, err := exact.Marshal(argv)
	if err != nil {
		return
	}
	f, err := os.CreateTemp(dir, "compile-*")
	if err != nil {
		return // progress only: the build itself goes on
	}
	f.Write(data)
	f.Close()
}

// LinkRecipe is how the go command links a program, without the archives.
type LinkRecipe struct {
	Tool  string   `json:"tool"`
	Flags []string `json:"flags"`
	// BuildID is the one that go build gave: every link of ours has one of the
	// same length, or the note would have another size.
	BuildID string   `json:"buildID"`
	Env     []string `json:"env"`
	Dir     string   `json:"dir"`
	// ModInfo is no text: a string would not come back from JSON as it was.
	ModInfo []byte `json:"modInfo"`
	// Packages are the import paths of the link, main first.
	Packages []string `json:"packages"`

	// ids are the build ids of the archives that the go command linked, by
	// import path; known right after that link only.
	ids map[string]string
}

// readLinkRecipe makes a recipe of what a recording run left in dir; nil if the
// go command did not link.
func readLinkRecipe(dir string) (*LinkRecipe, error) {
	data, err := os.ReadFile(filepath.Join(dir, "link.json"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r linkRecord
	if err := exact.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("read recorded link: %w", err)
	}
	l := &LinkRecipe{Tool: r.Argv[0], Env: withoutEnv(r.Env, "TOOLEXEC_IMPORTPATH"), Dir: r.Dir}
	for _, name := range tempEnv { // of the build that was recorded
		l.Env = withoutEnv(l.Env, name)
	}
	words := r.Argv[1 : len(r.Argv)-1] // the last is the main archive
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case w == "-o" || w == "-importcfg":
			i++
		case strings.HasPrefix(w, "-buildid="):
			l.BuildID = strings.TrimPrefix(w, "-buildid=")
		default:
			l.Flags = append(l.Flags, w)
		}
	}
	paths, files, modInfo, err := parseImportConfig(r.Cfg)
	if err != nil {
		return nil, fmt.Errorf("read recorded link: %w", err)
	}
	l.Packages, l.ModInfo, l.ids = paths, []byte(modInfo), map[string]string{}
	for i, path := range paths {
		l.ids[path] = r.IDs[files[i]]
	}
	return l, nil
}

func withoutEnv(env []string, key string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		return strings.HasPrefix(kv, key+"=")
	})
}
