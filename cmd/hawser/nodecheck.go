package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/hawser-ha/hawser/config"
)

// nodeChecked is what the files named in hawser.yaml look like on this node.
type nodeChecked struct {
	warnings []string
	err      error
}

// checkNode looks at what the file refers to, as it is on this node: the API token and HAProxy's configuration. Every node of the cluster
// needs both; a node that lacks them says so itself when Pacemaker starts something there.
func (s *system) checkNode(ctx context.Context, cfg *config.File) nodeChecked {
	if s.remote {
		return nodeChecked{warnings: []string{"the cluster is another machine's: the files that " + cfg.Path + " names were not checked"}}
	}
	faults := &config.Faults{Path: cfg.Path}
	for _, ip := range cfg.Addresses {
		if ip.TokenFile == "" {
			continue
		}
		if message := checkTokenFile(ip.TokenFile); message != "" {
			faults.Add(ip.TokenFileAt, "%s", message)
		}
	}
	if p := cfg.Fencing.Droplet; cfg.Fencing.Way == config.FencingDroplet {
		if message := checkTokenFile(p.TokenFile); message != "" {
			faults.Add(p.TokenFileAt, "%s", message)
		}
	}
	if err := s.checkHAProxy(ctx, &cfg.HAProxy); err != nil {
		at := cfg.HAProxy.ConfigAt
		if at.Line == 0 {
			at = cfg.HAProxy.At
		}
		faults.Add(at, "%v", err)
	}
	checked := nodeChecked{err: faults.Err()}
	if warning := s.checkUnit(ctx); warning != "" {
		checked.warnings = append(checked.warnings, warning)
	}
	return checked
}

// maxToken is longer than any token, in bytes.
const maxToken = 4096

// checkTokenFile says what is wrong with a file that holds a secret, "" if nothing. The agent asks for the same, and for more of the
// directories on the way.
func checkTokenFile(path string) string {
	// Not blocking, so that a FIFO in its place cannot hold the program up.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("%s does not exist on this node: write the API token into it on every node (owner root, mode 0600)", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("%s cannot be read: permission denied%s", path, rootHint())
	case err != nil:
		return fmt.Sprintf("%s cannot be read: %v", path, cause(err))
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return fmt.Sprintf("%s cannot be read: %v", path, cause(err))
	}
	owner := -1
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		owner = int(st.Uid)
	}
	switch {
	case !info.Mode().IsRegular():
		return fmt.Sprintf("%s is not a file", path)
	case info.Mode().Perm()&0o177 != 0:
		return fmt.Sprintf("%s is open to others (mode %04o): `chmod 0600 %s` on every node, and replace the token if it may have been read", path, info.Mode().Perm(), path)
	case owner != 0 && owner != os.Geteuid():
		return fmt.Sprintf("%s belongs to uid %d: `chown root:root %s` on every node", path, owner, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	token := bytes.TrimSpace(text)
	switch {
	case err != nil:
		return fmt.Sprintf("%s cannot be read: %v", path, cause(err))
	case len(token) == 0:
		return fmt.Sprintf("%s is empty: write the API token into it", path)
	case len(text) > maxToken || bytes.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Sprintf("%s holds more than a token: write the API token into it, one word and nothing else", path)
	}
	return ""
}
