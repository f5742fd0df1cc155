package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// openConfig reads the file, or standard input if it is called "-".
func (s *system) openConfig(path string) (*config.File, error) {
	if path == "-" {
		return config.ParseFrom("standard input", s.stdin)
	}
	return config.Read(path)
}

// readConfig reads hawser.yaml: the file that -f names, or one of the usual ones if path is "", and
// then says which. It adds to a file that cannot be read what to do about it.
func (s *system) readConfig(ctx context.Context, path string) (*config.File, error) {
	file, err := interruptible(ctx, func() (*config.File, error) { return s.openConfig(path) })
	var unreadable *config.ReadError
	switch {
	case !errors.As(err, &unreadable):
		if err == nil && path == "" {
			s.sayWhich(file.Path)
		}
		return file, err
	case unreadable.Untrusted():
		return nil, usagef("%w", err)
	case unreadable.Path == "":
		return nil, usagef("%w: write one (`hawser init` drafts it), or name it with -f",
			err)
	case errors.Is(err, fs.ErrPermission):
		return nil, usagef("%w%s", err, outcome.AskRoot(s.Root))
	}
	return nil, usagef("%w: name the file with -f", err)
}

// sayWhich says which of the usual files was read, and which was not although it is there.
func (s *system) sayWhich(path string) {
	passed := ""
	for _, other := range config.DefaultFiles() {
		if _, err := os.Lstat(other); other != path && err == nil {
			passed = " (not " + other + ", which is named with -f)"
		}
	}
	fmt.Fprintf(s.stderr, "hawser: reading %s%s\n", path, passed)
}
