package engine_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/order"
)

// Faults that a rebuild tool meets, and the test of each. A row is a test of the
// whole tool where a user would see the difference, else of the package whose
// job it is; scripts are those of cmd/hr/testdata/script.
//
//	 1 queue of the kernel overflows        watch: TestOverflow, TestSyncDuringOverflow
//	 2 no watch or no instance left         watch: TestNoWatchLeft, TestNoInstanceLeft
//	 3 saves of many editors in a row       fault_saves; watch: save_*.txt, TestRealEditors
//	 4 new directories with files at once   graph_edits; watch: TestNewDirectories, new_directories.txt
//	 5 package directory renamed, and back  graph_edits; watch: TestDirectoryRenamedAndBack
//	 6 another branch, and back             fault_branch
//	 7 a stale index.lock of git            fault_branch; watch: TestGitLock
//	 8 touch, chmod, formatter              fault_saves, verdict_same; watch: chmod_and_touch.txt, save_gofmt.txt
//	 9 half a file                          fault_saves, verdict_broken; watch: open_writer_linux.txt
//	10 an edit during the build             fault_in_build; daemon: TestSupersede; build: TestJudgeRandom ("save in a build")
//	11 same size, same time                 graph: TestSameSizeSameTime; build: TestJudgeRandom ("same size and time")
//	12 the root is removed and comes back   bad_target; watch: TestRootRemovedAndBack, TestMountInsideATreeIsPolled
//	13 a file system without events         watch: TestNoEvents, TestProbe
//	14 links, pipes, unreadable files       bad_files; watch: TestOddFiles, links.txt
//	15 the program writes into its tree     fault_writes
//	16 a compile error, then mended         verdict_compile, verdict_mended
//	26 many starts at once                  protocol: TestEnsureStartsOneAcrossProcesses
//	27 stale socket, unsafe directory       hrd_rundir, hrd_other_build; protocol: TestUnsafeDir, TestListenAfterCrash, TestStrangers
//	28 hrd killed, store damaged            hrd_killed, bad_store; cache: TestSampleSurvivesKill, TestDamagedFiles
//	29 disk full, nothing can be written    bad_disk, bad_home; cache: TestDiskFull, TestUnwritable
//	   path of the socket too long          protocol: TestLongPath
//	   odd names                            fault_names; watch: names.txt
//	   two hr on one module                 fault_sessions; daemon: TestSessionsShareBuilds
//	   GOFLAGS and GOWORK change            bad_env, graph_gowork
//	   the clock jumps, a laptop sleeps     build: TestClockBack
//	   zombies under process 1              supervisor: TestOrphansAreReapedAndOthersAreNot

// TestClockBack has files from the future, and edits that look older than what
// they replace, as after a clock was set back.
func TestClockBack(t *testing.T) {
	e := newEngine(t)
	dir := extract(t, "testdata/machines.txtar")
	job := order.Job{Dir: dir, Env: testEnv(), Linker: "go", Flags: []string{"-buildvcs=false"}, Package: []string{"."}}
	leaf := filepath.Join(dir, "leaf", "leaf.go")
	at := func(d time.Duration) {
		t.Helper()
		when := time.Now().Add(d)
		if err := os.Chtimes(leaf, when, when); err != nil {
			t.Fatal(err)
		}
	}
	at(time.Hour)
	prog := judge(t, e, job, nil, edit{name: "first build", fallback: true})
	prog = judge(t, e, job, prog, edit{name: "older than the last", file: "leaf/leaf.go", old: "n + 1", new: "n + 2"})
	apply(t, dir, edit{name: "much older", file: "leaf/leaf.go", old: "n + 2", new: "n + 3"})
	at(-24 * time.Hour)
	prog = judge(t, e, job, prog, edit{name: "much older"})
	apply(t, dir, edit{name: "from the future", file: "leaf/leaf.go", old: "n + 3", new: "n + 4"})
	at(24 * time.Hour)
	prog = judge(t, e, job, prog, edit{name: "from the future"})
	judge(t, e, job, prog, edit{name: "now", file: "leaf/leaf.go", old: "n + 4", new: "n + 5"})
}
