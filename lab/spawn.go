package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The hidden first arguments by which this program becomes something else.
const (
	argInit  = "lab-init"  // PID 1 of a node
	argCloud = "lab-cloud" // cloud and router
	argLoad  = "lab-load"  // clients that measure
	argRelay = "lab-relay" // a slow or lossy link
	argWatch = "lab-watch" // who has an address, as a client sees it
)

// childMark is in the environment of everything that spawn starts.
const childMark = "HAWSER_LAB_CHILD"

var canReexec bool

// Reexec turns the process into a part of a lab if it was started as one, and then does not return.
// A program that calls Up, Boot or Probe calls it first thing in main, a test binary first thing in
// TestMain.
func Reexec() {
	canReexec = true
	if os.Getenv(childMark) == "" || len(os.Args) < 3 {
		return
	}
	switch os.Args[1] {
	case argInit:
		os.Exit(runInit(os.Args[2]))
	case argCloud:
		os.Exit(runCloud(os.Args[2]))
	case argLoad:
		os.Exit(runLoad(os.Args[2]))
	case argRelay:
		os.Exit(runRelay(os.Args[2]))
	case argWatch:
		os.Exit(runWatch(os.Args[2]))
	}
}

// program returns the path of the program to start again.
func (l *Lab) program() (string, error) {
	if l.self != "" {
		return l.self, nil
	}
	if !canReexec {
		return "", errors.New(
			"lab: this program does not call lab.Reexec at its start (a test: in TestMain), so " +
				"it cannot be a node's PID 1; " +
				"do that, or set Options.Self to the path of hawser-lab")
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("lab: find this program: %w", err)
	}
	return self, nil
}

// spawn starts this program again in the network namespace, detached, with the hidden argument and
// its parameter. It returns when the child has written "ok" to its descriptor 3; what else it
// writes there is the error.
func (l *Lab) spawn(netnsPath, arg, parameter, logPath string, cloneflags uintptr) (process, error) {
	self, err := l.program()
	if err != nil {
		return process{}, err
	}
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return process{}, fmt.Errorf("lab: start %s: %w", arg, err)
	}
	defer func() { _ = log.Close() }()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return process{}, fmt.Errorf("lab: start %s: %w", arg, err)
	}
	defer func() { _ = null.Close() }()
	r, w, err := os.Pipe()
	if err != nil {
		return process{}, fmt.Errorf("lab: start %s: %w", arg, err)
	}
	defer func() { _ = r.Close() }()
	var child *os.Process
	err = inNetns(netnsPath, func() error {
		var err error
		child, err = os.StartProcess(self, []string{"hawser-lab", arg, parameter}, &os.ProcAttr{
			Dir:   "/",
			Env:   []string{"PATH=" + nodePath, "HOME=/root", "LANG=C.UTF-8", childMark + "=1"},
			Files: []*os.File{null, log, log, w},
			Sys:   &syscall.SysProcAttr{Cloneflags: cloneflags, Setsid: true},
		})
		return err
	})
	_ = w.Close()
	if err != nil {
		return process{}, fmt.Errorf("lab: start %s in %s: %w", arg, netnsPath, err)
	}
	p, err := processOf(child.Pid)
	// it usually outlives this program; if it does not, it must not stay as a zombie
	go func() { _, _ = child.Wait() }()
	if err != nil {
		return process{}, fmt.Errorf("lab: start %s in %s: it ended at once: %s", arg, netnsPath,
			tail(logPath, 5))
	}
	if err := r.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return p, fmt.Errorf("lab: start %s: %w", arg, err)
	}
	answer, err := io.ReadAll(r)
	switch {
	case err != nil:
		return p, fmt.Errorf("lab: start %s in %s: not ready within 30 s: %w: %s", arg, netnsPath,
			err, tail(logPath, 5))
	case len(answer) == 0:
		return p, fmt.Errorf("lab: start %s in %s: it ended before it was ready: %s", arg,
			netnsPath, tail(logPath, 5))
	case string(answer) != "ok":
		return p, fmt.Errorf("lab: start %s in %s: %s", arg, netnsPath, answer)
	}
	return p, nil
}

// ready reports to the parent that the child is ready, or why not.
func ready(err error) {
	f := os.NewFile(3, "ready")
	if err != nil {
		_, _ = f.WriteString(err.Error()) // the parent has gone: nobody to report to
	} else {
		_, _ = f.WriteString("ok")
	}
	_ = f.Close()
}

// keepReady keeps descriptor 3 out of the child's own children.
func keepReady() { unix.CloseOnExec(3) }

// tail returns the last lines of a file, for an error message.
func tail(path string, lines int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
