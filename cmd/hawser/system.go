package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/hawser-ha/hawser/agents/fencedroplet"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/systemd"
)

// system is what the program knows of the machine, and what tests replace.
type system struct {
	cluster crm.Cluster
	running bool   // a cluster runs behind the configuration: it is not a file or a shadow copy
	remote  bool   // the configuration is another machine's: files named in hawser.yaml are not here
	runDir  string // the agents' runtime files
	node    string // this machine's name in the cluster
	root    bool   // who runs it may read and ask everything
	agents  string // where Pacemaker finds resource agents
	proc    string // the processes: /proc
	now     func() time.Time
	// savedCIB is where Pacemaker keeps its configuration, "" if it is not this machine's or not to be read there.
	savedCIB string
	// unit asks systemd about one of its units, record tells the system's log; nil asks nothing and tells nobody.
	unit   func(ctx context.Context, name string) (systemd.Unit, error)
	record func(line string)
	// checkHAProxy lets HAProxy check a configuration.
	checkHAProxy func(ctx context.Context, h *config.HAProxy) error
	// fenceAgent runs hawser's fence agent with the options on its standard input.
	fenceAgent func(ctx context.Context, options crm.Attrs) (fenceAnswer, error)
	// sbd looks for this node's SBD; group asks Corosync which nodes have a process in a group, quorum how it counts votes.
	sbd    func() (sbdHere, error)
	group  func(ctx context.Context, name string) ([]int, error)
	quorum func(ctx context.Context) (corosync.Quorum, error)
	// corosyncNodes asks Corosync for the nodes and their addresses, findDroplet the cloud for the droplet that the fence agent would take.
	corosyncNodes func(ctx context.Context) ([]corosync.Member, error)
	findDroplet   func(ctx context.Context, o fencedroplet.Options, plug string) (fencedroplet.Machine, error)

	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // somebody is there to answer questions
	progress       bool // stderr is a terminal: a progress line may rewrite itself
	colour         bool // stdout shows colours
}

// hostSystem is the machine that the program runs on.
func hostSystem() *system {
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	runDir := os.Getenv("HAWSER_RUNDIR")
	if runDir == "" {
		runDir = "/run/hawser"
	}
	out := isTerminal(os.Stdout)
	sys := &system{
		cluster:       &crm.Tools{},
		running:       os.Getenv("CIB_file") == "" && os.Getenv("CIB_shadow") == "",
		remote:        os.Getenv("CIB_server") != "",
		runDir:        runDir,
		node:          name,
		root:          os.Geteuid() == 0,
		agents:        "/usr/lib/ocf/resource.d",
		proc:          "/proc",
		now:           time.Now,
		unit:          systemd.Find,
		record:        toSyslog,
		checkHAProxy:  checkHAProxy,
		fenceAgent:    runFenceAgent,
		sbd:           hostSBD,
		group:         corosync.Group,
		quorum:        corosync.RunningQuorum,
		corosyncNodes: corosyncMembers,
		findDroplet:   fencedroplet.Find,
		stdin:         os.Stdin,
		stdout:        os.Stdout,
		stderr:        os.Stderr,
		terminal:      out && isTerminal(os.Stdin),
		progress:      isTerminal(os.Stderr),
		colour:        out && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
	if sys.running && !sys.remote {
		sys.savedCIB = "/var/lib/pacemaker/cib/cib.xml"
	}
	return sys
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// Colours of a terminal (ECMA-48, SGR).
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
)

// paint colours a text if stdout shows colours.
func (s *system) paint(colour, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (s *system) printf(format string, args ...any) { fmt.Fprintf(s.stdout, format, args...) }

func (s *system) warn(format string, args ...any) {
	fmt.Fprintf(s.stderr, "hawser: warning: "+format+"\n", args...)
}

// ask puts a question that only "yes" or "y" answers with yes.
func (s *system) ask(ctx context.Context, question string) bool {
	s.printf("%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(s.stdin).ReadString('\n')
		answer <- line
	}()
	select {
	case <-ctx.Done():
		s.printf("\n")
		return false // Ctrl-C is a no
	case line := <-answer:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return true
		}
		return false
	}
}

// ticker shows what the program waits for, once that has taken a second. On a terminal it is one line that rewrites itself, elsewhere a
// line for each change.
type ticker struct {
	sys   *system
	start time.Time
	stop  chan struct{}
	done  chan struct{}

	mu    sync.Mutex
	text  string
	shown string
	width int // of the line on the terminal
}

// patience is how long waiting is not worth a word.
const patience = time.Second

func (s *system) startTicker() *ticker {
	t := &ticker{sys: s, start: time.Now(), stop: make(chan struct{}), done: make(chan struct{})}
	go t.run()
	return t
}

func (t *ticker) run() {
	defer close(t.done)
	clock := time.NewTicker(patience / 4)
	defer clock.Stop()
	for {
		select {
		case <-t.stop:
			return
		case <-clock.C:
			if time.Since(t.start) >= patience {
				t.show()
			}
		}
	}
}

// set replaces what is waited for.
func (t *ticker) set(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = text
}

func (t *ticker) show() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text == "" {
		return
	}
	if !t.sys.progress {
		if t.text != t.shown {
			fmt.Fprintf(t.sys.stderr, "%s\n", t.text)
			t.shown = t.text
		}
		return
	}
	line := fmt.Sprintf("%s (%ds)", t.text, int(time.Since(t.start).Seconds()))
	fmt.Fprintf(t.sys.stderr, "\r%-*s", t.width, line)
	t.width = len(line)
}

// close removes the line.
func (t *ticker) close() {
	close(t.stop)
	<-t.done
	if t.sys.progress && t.width > 0 {
		fmt.Fprintf(t.sys.stderr, "\r%*s\r", t.width, "")
	}
}
