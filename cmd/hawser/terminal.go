package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/hawser-ha/hawser/host"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/ticker"
	"github.com/hawser-ha/hawser/internal/words"
	"golang.org/x/term"
)

// system is the machine that the program works on, and the terminal that it talks to.
type system struct {
	host.Host
	terminal
}

// terminal is whom the program talks to. Nothing else in it prints or asks.
//
// What a program may read goes to stdout and nothing beside it: with --json that is one object,
// whatever happens, an error too (json.go). Warnings, questions, progress and errors go to stderr.
// Colours and progress lines that rewrite themselves are only for a terminal. What printf, warn and
// complain show does nothing else to a terminal, whoever wrote it; of a report each field is cleaned
// before. Nothing is changed before a question is answered with yes; where there is nobody to ask,
// --yes is demanded before anything else is done.
type terminal struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	tty            string // where a question is seen if stderr is no terminal, or ""
	interactive    bool   // somebody is there to answer questions
	progress       bool   // stderr is a terminal: a progress line may rewrite itself
	colour         bool   // stdout shows colours

	program
}

// thisSystem is the machine that the program runs on.
func thisSystem() *system {
	out := isTerminal(os.Stdout)
	return &system{host.This(), terminal{
		stdin:       os.Stdin,
		stdout:      os.Stdout,
		stderr:      os.Stderr,
		tty:         "/dev/tty",
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

func (s *terminal) printf(format string, args ...any) {
	_, err := io.WriteString(s.stdout, words.Printable(fmt.Sprintf(format, args...), s.colour))
	if err != nil && !errors.Is(err, syscall.EPIPE) { // a reader that has enough is no fault
		s.unwritten = err
	}
}

func (s *terminal) warn(format string, args ...any) {
	fmt.Fprintf(s.stderr, "hawser: warning: %s\n",
		words.Printable(fmt.Sprintf(format, args...), false))
}

// ask puts a question that only "yes" or "y" answers with yes.
func (s *terminal) ask(ctx context.Context, question string) bool {
	to, end := s.questions()
	defer end()
	fmt.Fprintf(to, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(s.stdin).ReadString('\n')
		answer <- line
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(to)
		return false // Ctrl-C is a no
	case line := <-answer:
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return true
		}
		return false
	}
}

// approve is nil if the question is answered with yes, and else an error that says what is not done.
func (s *terminal) approve(ctx context.Context, question, no string) error {
	switch {
	case s.ask(ctx, question):
		return nil
	case ctx.Err() != nil:
		return exitf(outcome.Interrupted, "interrupted: nothing was changed")
	}
	return exitf(outcome.Failed, "%s: nothing was changed", no)
}

// questions is where a question is seen: on stderr, or on the terminal if stderr is a file.
func (s *terminal) questions() (to io.Writer, end func()) {
	if !s.progress && s.tty != "" {
		if tty, err := os.OpenFile(s.tty, os.O_WRONLY, 0); err == nil {
			return tty, func() { _ = tty.Close() }
		}
	}
	return s.stderr, func() {}
}

// interruptible reads something that may never come: a FIFO that nobody writes to, or a terminal on
// which nobody types. Ctrl-C ends the wait; what is read after that is lost.
func interruptible[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, exitf(outcome.Interrupted, "interrupted: nothing was changed")
	case r := <-done:
		return r.value, r.err
	}
}

// startTicker shows what the program waits for; close it before anything else is printed.
func (s *terminal) startTicker() *ticker.Ticker { return ticker.Start(s.stderr, s.progress) }
