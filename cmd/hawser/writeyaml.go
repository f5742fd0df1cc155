package main

import (
	"errors"
	"io/fs"

	"github.com/hawser-ha/hawser/cluster/adopt"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// writeYAML writes a hawser.yaml that is to be read before it is used, over what is there only if force
// is given.
func (s *system) writeYAML(path string, text []byte, mode fs.FileMode, force bool) error {
	if !force { // it may have come into being since
		if err := adopt.CheckFreeFor(path, s.Root, "-o"); err != nil {
			return err
		}
	}
	if _, err := adopt.Write(path, text, mode, force); err != nil {
		return exitf(outcome.Failed, "%s cannot be written: %w%s", path, outcome.Cause(err),
			askRootFor(err, s.Root))
	}
	return nil
}

// askRootFor is what to add to an error for somebody who may not do it.
func askRootFor(err error, root bool) string {
	if errors.Is(err, fs.ErrPermission) {
		return outcome.AskRoot(root)
	}
	return ""
}
