package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/jsonout"
)

// program is what reads stdout, with --json.
type program struct {
	json   bool // there is one
	report any  // what it is going to read, beside an error
	told   bool // it has been printed

	unwritten error  // why stdout has not all that it should have
	seenAs    string // the cluster's name of this node, if it was asked for
}

// said is an error that the report has told already.
type said struct{ error }

// Unwrap makes errors.Is and errors.As work.
func (s said) Unwrap() error { return s.error }

// reports is what a program reads when the command has ended, with the error if there is one: a
// pointer to what is filled in meanwhile, or a value.
func (p *program) reports(report any) { p.report = report }

// aside is where sentences for people go: to stdout; where a program reads that, to stderr if
// somebody is asked about them, and else nowhere.
func (s *terminal) aside(asked bool) *terminal {
	if !s.json {
		return s
	}
	out := *s
	out.stdout, out.colour = s.stderr, false
	if !asked {
		out.stdout, out.stderr = io.Discard, io.Discard
	}
	return &out
}

// telling has a program read what comes of a command. The cluster's name of this node is asked for
// meanwhile.
func (s *system) telling(do cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		if !s.json {
			return do(c)
		}
		located, here := make(chan string, 1), s.Host
		go func() { // which has a deadline of its own
			here.Locate(context.WithoutCancel(c.Context))
			located <- here.Node
		}()
		err := do(c)
		if c.Err() == nil || len(located) > 0 { // Ctrl-C waits for nothing
			s.seenAs = <-located
		}
		s.tell(err)
		return err
	}
}

// tell prints the one object that a program reads, once, if there is anything to say.
func (s *system) tell(err error) {
	var quiet silent
	failed := err != nil && !errors.As(err, &quiet)
	if !s.json || s.told || s.report == nil && !failed {
		return
	}
	s.told = true
	d := jsonout.Document{Time: s.Now(), Node: cmp.Or(s.seenAs, s.Node), Report: s.report}
	if failed {
		d.Failure = jsonout.FailureOf(err, exitCode(err), hint(err))
	}
	err = d.Write(s.stdout)
	if err != nil && !errors.Is(err, syscall.EPIPE) { // a reader that has enough is no fault
		s.unwritten = err
	}
}
