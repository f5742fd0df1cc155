package instance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// HAProxy writes its pid where the agent tells it to (-p), and then not to the configuration's own
// pidfile, which other programs read: logrotate, monit, hooks that send SIGUSR2. So the agent
// writes that one.

// UserPidfile returns the pidfile of the configuration, "" if it has none that the agent could
// write.
func (in *Instance) UserPidfile(sources []client.Source, env []string) string {
	path := client.Pidfile(sources, procfs.Getenv(env))
	if !filepath.IsAbs(path) || filepath.Clean(path) == in.Pidfile() {
		return ""
	}
	return filepath.Clean(path)
}

// Follow does what else belongs to a configuration that HAProxy has loaded in a reload: its pidfile,
// and the owners of its stats sockets.
func (in *Instance) Follow(ctx context.Context, s *State, sources []client.Source) {
	in.FollowPidfile(ctx, s, sources)
	s.StatsSockets = StatsSocketsOf(sources, s.Env)
	in.GiveSockets(ctx, *s)
}

// FollowPidfile writes the pidfile of a configuration that HAProxy has loaded in a reload, and
// removes that of the previous one.
func (in *Instance) FollowPidfile(ctx context.Context, s *State, sources []client.Source) {
	path := in.UserPidfile(sources, s.Env)
	if path != s.Pidfile {
		if err := removeUserPidfile(*s); err != nil {
			ocf.CallFrom(ctx).Warnf("%v", err)
		}
	}
	s.Pidfile = path
	in.writeUserPidfile(ctx, *s)
}

// writeUserPidfile does not fail: HAProxy serves without it.
func (in *Instance) writeUserPidfile(ctx context.Context, s State) {
	if s.Pidfile == "" {
		return
	}
	if err := replacePidfile(s.Pidfile, s.Master.PID); err != nil {
		ocf.CallFrom(ctx).Warnf("the configuration's pidfile %s is not written: %v", s.Pidfile, err)
	}
}

// replacePidfile writes a file that others may read, as HAProxy does, in one step. It follows no
// symbolic link, and leaves alone what is no file, such as /dev/null.
func replacePidfile(path string, pid int) error {
	switch info, err := os.Lstat(path); {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("it is not a regular file but %s", info.Mode())
	case err == nil && pidIn(path) == pid:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	temporary := path + ".hawser"
	if err := Remove(temporary); err != nil {
		return err
	}
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, pid)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return errors.Join(err, Remove(temporary))
	}
	return nil
}

// removeUserPidfile removes it if it still names the HAProxy that the state is about.
func removeUserPidfile(s State) error {
	if s.Pidfile == "" || s.Master.PID <= 0 || pidIn(s.Pidfile) != s.Master.PID {
		return nil
	}
	return Remove(s.Pidfile)
}

// pidIn returns the number in a regular file, 0 if there is none.
func pidIn(path string) int {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return 0
	}
	const longest = 32
	text, _ := io.ReadAll(io.LimitReader(file, longest))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}
