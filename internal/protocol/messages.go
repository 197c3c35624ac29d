package protocol

import (
	"time"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
)

// Revision is the version of the conversation: hr and hrd of different
// revisions do not talk.
const Revision = 2

// The routes. Requests and replies are JSON; a reply with several values is one
// JSON object a line.
const (
	routeHello    = "/v1/hello"
	routeSessions = "/v1/sessions"
	routeStatus   = "/v1/status"
	routeStop     = "/v1/stop"
)

// Routes for the server's mux, in the form of net/http.ServeMux.
const (
	RouteHello  = "GET " + routeHello
	RouteOpen   = "POST " + routeSessions
	RouteBuild  = "POST " + routeSessions + "/{id}/build"
	RouteView   = "GET " + routeSessions + "/{id}/snapshot"
	RouteStatus = "GET " + routeStatus
	RouteStop   = "POST " + routeStop
)

// Hello tells who serves.
type Hello struct {
	Revision int    `json:"revision"`
	Version  string `json:"version"`
	BuildID  string `json:"buildID"`
	Pid      int    `json:"pid"`
}

// OpenRequest opens a session, which lives as long as its reply is read: the
// reply is a stream of Events that ends with the session.
type OpenRequest struct {
	Job order.Job `json:"job"`
}

// BuildRequest asks for the program as its source is now. Seq is the number of
// the batch; a later request of any session of the program supersedes it.
type BuildRequest struct {
	Seq uint64 `json:"seq"`
	// Have is the Number of the reply whose program the client runs, 0 for none.
	// A client that missed a reply is sent the whole snapshot with the next.
	Have uint64 `json:"have,omitempty"`
	// Good is the last program that became ready: the client may start it again
	// if a newer one does not, so it stays while the session lives.
	Good *order.Artifact `json:"good,omitempty"`
}

// Event is one line of a stream. Exactly one of the pointers is set.
type Event struct {
	// For is the digest of the job that the line is about. A client takes nothing
	// that is about another one than it asked for.
	For      string          `json:"for,omitempty"`
	Alive    bool            `json:"alive,omitempty"`    // the answer takes time
	Session  string          `json:"session,omitempty"`  // first of a session
	Refused  *Error          `json:"refused,omitempty"`  // there is no session
	Progress *Progress       `json:"progress,omitempty"` // cold builds only
	Built    *order.Artifact `json:"built,omitempty"`    // can run already; the Reply follows
	Reply    *Reply          `json:"reply,omitempty"`
	Snapshot *graph.Snapshot `json:"snapshot,omitempty"` // the view to judge by from now on
	Failed   *Failure        `json:"failed,omitempty"`
	Notice   string          `json:"notice,omitempty"` // of a session, for its user
}

// Progress of a cold build: packages done of all; All is 0 while unknown.
type Progress struct {
	Done int `json:"done"`
	All  int `json:"all"`
}

// Reply is a finished build.
type Reply struct {
	Seq uint64 `json:"seq"`
	// Number names the program; no other program has it, of any daemon. The
	// outcome's changes lead from the program that the client has to this one,
	// unless a Snapshot came before the reply: then that is the state.
	Number  uint64         `json:"number"`
	Outcome *order.Outcome `json:"outcome"`
}

// Failure is a build without a program: the user's code does not build, or
// something else went wrong.
type Failure struct {
	Seq     uint64         `json:"seq"`
	Cause   *Error         `json:"cause"`
	Build   *order.Error   `json:"build,omitempty"` // the user's code does not build
	Outcome *order.Outcome `json:"outcome,omitempty"`
}

// Status is what hrd knows of itself.
type Status struct {
	Hello
	Uptime   time.Duration   `json:"uptime"`
	RunDir   string          `json:"runDir"`
	CacheDir string          `json:"cacheDir,omitempty"`
	Sessions []SessionStatus `json:"sessions"`
	Contexts []ContextStatus `json:"contexts"`
	Store    StoreStatus     `json:"store"`
	Archives FilesStatus     `json:"archives"`
	Bins     FilesStatus     `json:"artifacts"`
	Linker   *LinkerStatus   `json:"linker,omitempty"`
	Builds   BuildCounts     `json:"builds"`
	RSS      int64           `json:"rss"` // bytes, 0 where it cannot be read
	// Goroutines is how many the daemon has: a number that grows is a leak.
	Goroutines int  `json:"goroutines"`
	Draining   bool `json:"draining,omitempty"`
}

// SessionStatus is one hr that is connected.
type SessionStatus struct {
	ID      string    `json:"id"`
	Dir     string    `json:"dir"`
	Target  string    `json:"target"`
	Since   time.Time `json:"since"`
	Context string    `json:"context"`
}

// ContextStatus is one program in memory.
type ContextStatus struct {
	Key      string   `json:"key"`
	Target   string   `json:"target"`
	GOOS     string   `json:"goos"`
	GOARCH   string   `json:"goarch"`
	Tags     []string `json:"tags"`
	Packages int      `json:"packages"`
	Local    int      `json:"local"`
}

// StoreStatus is the store's size in bytes and its use.
type StoreStatus struct {
	InMemory bool             `json:"inMemory"`
	Bytes    int64            `json:"bytes"`
	Entries  int64            `json:"entries"`
	Hits     map[string]int64 `json:"hits"`
	Misses   map[string]int64 `json:"misses"`
}

// FilesStatus is one directory of plain files.
type FilesStatus struct {
	Dir     string `json:"dir"`
	Entries int    `json:"entries"`
	Bytes   int64  `json:"bytes"`
	Budget  int64  `json:"budget"`
}

// LinkerStatus is the incremental linker's memory and its self-checks.
type LinkerStatus struct {
	States     int   `json:"states"`
	Archives   int   `json:"archives"` // mapped; one that several programs have counts once
	Bytes      int64 `json:"bytes"`
	Checks     int64 `json:"checks"`
	Mismatches int64 `json:"mismatches"`
}

// BuildCounts count builds since the start.
type BuildCounts struct {
	Fast     int64 `json:"fast"`     // by recipes
	Fallback int64 `json:"fallback"` // by go build
	Unneeded int64 `json:"unneeded"` // nothing had changed
	Failed   int64 `json:"failed"`
	Canceled int64 `json:"canceled"`
}
