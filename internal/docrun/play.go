package docrun

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Machines are what a page is played on.
type Machines interface {
	// Names returns the nodes that a name or a role means now.
	Names(ctx context.Context, on string) ([]string, error)
	// Bash runs `bash -c script` as root on a node with that input, on a terminal if the step has
	// an answer. It is an error only if the script could not be run, or did not end.
	Bash(ctx context.Context, node, script, input string, terminal bool) (output string, code int, err error)
	// Do carries out a line of an Action on the machines.
	Do(ctx context.Context, words []string) error
}

// pause is the time between two attempts of a step with Within.
const pause = 200 * time.Millisecond

// Play does one step. An error begins with the page and the line.
func Play(ctx context.Context, m Machines, s Step) error {
	if s.Kind == Action {
		for i, line := range strings.Split(s.Text, "\n") {
			words := strings.Fields(line)
			if len(words) == 0 {
				continue
			}
			if err := m.Do(ctx, words); err != nil {
				return fmt.Errorf("%s:%d: %s: %w", s.Page, s.Line+i, line, err)
			}
		}
		return nil
	}
	nodes, err := m.Names(ctx, s.On)
	if err != nil {
		return fmt.Errorf("%s: on %s: %w", s.At(), s.On, err)
	}
	if len(nodes) == 0 {
		return fmt.Errorf("%s: on %s: there is no such node", s.At(), s.On)
	}
	for _, node := range nodes {
		if err := playOn(ctx, m, s, node); err != nil {
			return fmt.Errorf("%w\n(on %s)", err, node)
		}
	}
	return nil
}

func playOn(ctx context.Context, m Machines, s Step, node string) error {
	if s.Kind == File {
		output, code, err := m.Bash(ctx, node, s.WriteFile(), s.Text+"\n", false)
		if err == nil && code != 0 {
			err = fmt.Errorf("exit code %d: %s", code, output)
		}
		if err != nil {
			return fmt.Errorf("%s: write %s: %w", s.At(), s.Path, err)
		}
		return nil
	}
	input := ""
	if s.Answer != "" {
		input = s.Answer + "\n"
	}
	deadline := time.Now().Add(s.Within)
	for {
		output, code, err := m.Bash(ctx, node, s.Bash(), input, s.Answer != "")
		if err != nil {
			return fmt.Errorf("%s: %s: %w\nit printed:\n%s", s.At(), firstLine(s.Text), err, output)
		}
		wrong := s.Check(output, code)
		if wrong == nil {
			return nil
		}
		if !time.Now().Before(deadline) {
			if s.Within > 0 {
				return fmt.Errorf("not within %s: %w", s.Within, wrong)
			}
			return wrong
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), wrong)
		case <-time.After(pause):
		}
	}
}
