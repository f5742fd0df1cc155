package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// machine holds the instructions for PID 1 of a node: its disk, and what to put there and to start.
type machine struct {
	Hostname string
	Upper    string // what the node writes; kept from boot to boot
	Work     string // overlayfs's own
	RootDir  string // where the root file system is put together
	Lower    string // overlayfs's lowerdir
	Wipe     []string
	Files    []file
	Services []service
	Cgroup   string // of systemd, if that is PID 1 instead of this program
	RunDirs  []file // directories in /run that units make for daemons
}

// file is a file, or a directory if Mode says so, that a node is delivered with.
type file struct {
	Path         string
	Mode         os.FileMode
	Owner, Group string // root if empty
	Content      string
	Link         string // a symbolic link to there; everything else is empty
	Append       bool   // Content is appended to the machine's file
	Data         []byte // in place of Content, if it is not text
}

// service is a daemon in the foreground. Services start in their order, and stop in the reverse.
type service struct {
	Name string
	Args []string
	// Sockets are abstract Unix sockets that have to listen before it starts.
	Sockets []string
	// Until is a command that has to end with 0 before it starts, unless that takes longer than
	// untilTime.
	Until []string
	// Stop is how long an orderly stop may take before it is killed.
	Stop time.Duration

	quiet bool // not worth a line in the log, and no daemon
}

// runInit is PID 1 of a node.
func runInit(specPath string) int {
	keepReady()
	var m machine
	b, err := os.ReadFile(specPath)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err == nil && m.Cgroup != "" {
		err = joinCgroup(m.Cgroup)
	}
	if err == nil {
		err = m.assemble()
	}
	if err == nil {
		err = m.deliver()
	}
	if err == nil && m.Cgroup != "" {
		if err = m.execSystemd(); err != nil {
			logf("%v", err)
		}
	}
	if err == nil {
		err = syslog()
	}
	ready(err)
	if err != nil {
		return 1
	}
	in := &initd{running: map[int]*daemon{}}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go in.reap()
	go in.startAll(m.Services)
	<-stop
	in.stopAll()
	return 0 // when PID 1 ends, the kernel ends everything else
}

// deliver puts the files in place at the node's first boot, and makes the directories in /run at
// each.
func (m *machine) deliver() error {
	for _, f := range m.Files {
		if err := f.put(); err != nil {
			return err
		}
	}
	if m.Cgroup == "" { // systemd-tmpfiles does it itself
		runDirs(m.RunDirs...)
	}
	return nil
}

func (f file) put() error {
	uid, gid, err := owner(f.Owner, f.Group)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(f.Path), 0o755)
	}
	switch {
	case err != nil:
	case f.Link != "":
		_ = os.Remove(f.Path)
		return os.Symlink(f.Link, f.Path)
	case f.Mode.IsDir():
		if err = os.Mkdir(f.Path, f.Mode.Perm()); errors.Is(err, os.ErrExist) {
			err = nil
		}
	default:
		content := []byte(f.Content)
		if f.Data != nil {
			content = f.Data
		}
		if f.Append {
			old, _ := os.ReadFile(f.Path) // not there: nothing to keep
			content = append(old, content...)
		}
		_ = os.Remove(f.Path) // not written through a symbolic link of the machine
		err = os.WriteFile(f.Path, content, f.Mode.Perm())
	}
	if err == nil {
		err = os.Chown(f.Path, uid, gid)
	}
	if err == nil {
		err = os.Chmod(f.Path, f.Mode) // past the umask
	}
	if err != nil {
		return fmt.Errorf("lab: write %s: %w", f.Path, err)
	}
	return nil
}

func owner(name, group string) (uid, gid int, err error) {
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			return 0, 0, err
		}
		uid, _ = strconv.Atoi(u.Uid) // os/user has checked that it is a number
		gid, _ = strconv.Atoi(u.Gid)
	}
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			return 0, 0, err
		}
		gid, _ = strconv.Atoi(g.Gid)
	}
	return uid, gid, nil
}

// initd starts daemons and reaps all children of PID 1.
type initd struct {
	mu       sync.Mutex
	running  map[int]*daemon
	started  []*daemon
	stopping bool
}

type daemon struct {
	service
	pid    int
	gone   chan struct{}
	status unix.WaitStatus // when it has gone
}

// reap waits for any child: daemons, and orphans that were left to PID 1. A crashed daemon stays
// down: the tests need to see what the cluster does about it.
func (in *initd) reap() {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	for range children {
		for {
			var status unix.WaitStatus
			in.mu.Lock() // so that a daemon that ends at once is not reaped before it is in the map
			pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
			d := in.running[pid]
			delete(in.running, pid)
			in.mu.Unlock()
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil || pid <= 0 {
				break
			}
			if d != nil {
				if !d.quiet {
					logf("%s ended: %s", d.Name, describe(status))
				}
				d.status = status
				close(d.gone)
			}
		}
	}
}

func describe(s unix.WaitStatus) string {
	if s.Signaled() { //nolint:misspell // package unix's word
		return "killed by " + s.Signal().String()
	}
	return "exit code " + strconv.Itoa(s.ExitStatus())
}

func (in *initd) startAll(services []service) {
	for _, s := range services {
		if err := waitSockets(s.Sockets, 60*time.Second); err != nil {
			logf("%s not started: %v", s.Name, err)
			return
		}
		in.await(s)
		if !in.start(s) {
			return
		}
	}
}

// untilTime is how long a service waits for its Until.
const untilTime = 5 * time.Second

func (in *initd) await(s service) {
	if len(s.Until) == 0 {
		return
	}
	for deadline := time.Now().Add(untilTime); time.Now().Before(deadline); {
		asks := service{Name: "a question for " + s.Name, Args: s.Until, quiet: true}
		d := in.launch(asks)
		if d == nil {
			return // stopping, or there is no such program: start says so
		}
		<-d.gone
		if d.status.Exited() && d.status.ExitStatus() == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	logf("%s is started although %s has not succeeded within %s", s.Name, s.Until[0], untilTime)
}

func (in *initd) start(s service) bool { return in.launch(s) != nil }

// launch starts the program, and returns nil if that is not to be or has failed.
func (in *initd) launch(s service) *daemon {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.stopping {
		return nil
	}
	path, err := lookUp(s.Args[0])
	if err != nil {
		logf("%s not started: %v", s.Name, err)
		return nil
	}
	env := []string{"PATH=" + nodePath, "HOME=/root", "LANG=C.UTF-8"}
	files := []uintptr{0, 1, 2}
	if s.quiet {
		files = []uintptr{0, 0, 0} // /dev/null
	}
	pid, err := syscall.ForkExec(path, s.Args, &syscall.ProcAttr{
		Dir: "/", Env: env, Files: files, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		logf("%s not started: %v", s.Name, err)
		return nil
	}
	d := &daemon{service: s, pid: pid, gone: make(chan struct{})}
	in.running[pid] = d
	if !s.quiet {
		in.started = append(in.started, d)
		logf("%s started, process %d", s.Name, pid)
	}
	return d
}

// stopAll is the orderly shutdown.
func (in *initd) stopAll() {
	in.mu.Lock()
	in.stopping = true
	started := in.started
	in.mu.Unlock()
	for i := len(started) - 1; i >= 0; i-- {
		d := started[i]
		select {
		case <-d.gone:
			continue
		default:
		}
		logf("stopping %s", d.Name)
		_ = unix.Kill(d.pid, unix.SIGTERM) // ESRCH: it has just ended
		select {
		case <-d.gone:
		case <-time.After(d.Stop):
			logf("%s has not stopped within %s: killed", d.Name, d.Stop)
			_ = unix.Kill(d.pid, unix.SIGKILL) // as above
			<-d.gone
		}
	}
}

func logf(format string, a ...any) {
	_, _ = fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format("15:04:05.000"),
		fmt.Sprintf(format, a...))
}
