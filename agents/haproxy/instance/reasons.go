package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// checkRunnable returns an error for what HAProxy's check of a configuration does not notice, and
// what HAProxy ends of when it is reloaded.
func checkRunnable(sources []client.Source, env []string) error {
	for _, dir := range client.Chroots(sources, procfs.Getenv(env)) {
		if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("chroot %s: there is no such directory", dir)
		} else if err == nil && !info.IsDir() {
			return fmt.Errorf("chroot %s: it is not a directory", dir)
		}
	}
	return nil
}

// guess completes the error of a reload for which HAProxy gave no reason, where one can be seen.
func guess(err error, s *State, sources []client.Source) error {
	var kept *client.ReloadError
	if !errors.As(err, &kept) || kept.Complaint != "" {
		return err
	}
	_, hard, limitErr := procfs.Default.OpenFiles(s.Master.PID)
	// each connection has one to its server
	if most := client.MaxConn(sources, procfs.Getenv(s.Env)); limitErr == nil && 2*most > hard {
		return &client.ReloadError{Complaint: fmt.Sprintf("maxconn %d needs more than %d "+
			"descriptors, and HAProxy may have %d (LimitNOFILE)", most, 2*most, hard)}
	}
	return err
}
