// Command ginsvc is a small note-keeping web service.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/ginsvc/internal/config"
	"example.com/ginsvc/internal/greet"
	"example.com/ginsvc/internal/routes"
	"example.com/ginsvc/internal/store"
)

func main() {
	cfg, err := config.Load(os.Args[1:], os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ginsvc:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "ginsvc:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done, then lets requests in flight finish.
func run(ctx context.Context, cfg config.Config) error {
	notes := store.New()
	notes.Add("Welcome", greet.Hello("reader"))

	listener, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return err
	}
	log.Printf("ginsvc (%s) listening on %s", config.Mode, listener.Addr())

	server := &http.Server{
		Handler:           routes.New(cfg, notes),
		ReadHeaderTimeout: 5 * time.Second,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}

	drain, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
