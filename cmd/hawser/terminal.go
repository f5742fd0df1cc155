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

	"github.com/hawser-ha/hawser/host"
	"golang.org/x/term"
)

// system is the machine that the program works on, and the terminal that it talks to.
type system struct {
	host.Host
	terminal
}

// terminal is whom the program talks to. Nothing else in it prints or asks.
//
// What a program may read goes to stdout and nothing beside it: with --json that is JSON alone, whatever
// happens. Warnings, progress and errors go to stderr. Colours and progress lines that rewrite themselves
// are only for a terminal. Nothing is changed before a question is answered with yes; where there is
// nobody to ask, --yes is demanded before anything else is done.
type terminal struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	interactive    bool // somebody is there to answer questions
	progress       bool // stderr is a terminal: a progress line may rewrite itself
	colour         bool // stdout shows colours
}

// thisSystem is the machine that the program runs on.
func thisSystem() *system {
	out := isTerminal(os.Stdout)
	return &system{host.This(), terminal{
		stdin:       os.Stdin,
		stdout:      os.Stdout,
		stderr:      os.Stderr,
		interactive: out && isTerminal(os.Stdin),
		progress:    isTerminal(os.Stderr),
		colour:      out && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}}
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
func (s *terminal) paint(colour, text string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (s *terminal) printf(format string, args ...any) { fmt.Fprintf(s.stdout, format, args...) }

// say prints a sentence for people; with --json there are none.
func (s *terminal) say(asJSON bool, sentence string) {
	if !asJSON {
		s.printf("%s", sentence)
	}
}

func (s *terminal) warn(format string, args ...any) {
	fmt.Fprintf(s.stderr, "hawser: warning: "+format+"\n", args...)
}

// ask puts a question that only "yes" or "y" answers with yes.
func (s *terminal) ask(ctx context.Context, question string) bool {
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
	out   *terminal
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

func (s *terminal) startTicker() *ticker {
	t := &ticker{out: s, start: time.Now(), stop: make(chan struct{}), done: make(chan struct{})}
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
	if !t.out.progress {
		if t.text != t.shown {
			fmt.Fprintf(t.out.stderr, "%s\n", t.text)
			t.shown = t.text
		}
		return
	}
	line := fmt.Sprintf("%s (%ds)", t.text, int(time.Since(t.start).Seconds()))
	fmt.Fprintf(t.out.stderr, "\r%-*s", t.width, line)
	t.width = len(line)
}

// close removes the line.
func (t *ticker) close() {
	close(t.stop)
	<-t.done
	if t.out.progress && t.width > 0 {
		fmt.Fprintf(t.out.stderr, "\r%*s\r", t.width, "")
	}
}
