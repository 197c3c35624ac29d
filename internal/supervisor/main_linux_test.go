package supervisor

// systemPrograms are further programs of this system.
var systemPrograms = map[string]func([]string){
	"front":     front,
	"serve":     serve,
	"graceful":  serveGracefully,
	"hello":     hello,
	"blocking":  blocking,
	"several":   serveSeveral,
	"mixed":     serveMixed,
	"closes":    serveAndClose,
	"shutdown":  serveAndShutDown,
	"epoll":     serveEpollFirst,
	"twice":     bindTwice,
	"shared":    serveShared,
	"confined":  confined,
	"activated": serveActivated,

	"stand-in-poor": standInPoor,
	"talk":          talk,
	"start-others":  startOthers,
}
