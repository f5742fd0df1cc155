package machines

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/internal/outcome"
)

// Text is a file that one step reads and another may have written.
type Text struct {
	// Name is the file's name, for somebody who carries it by hand.
	Name  string
	Bytes []byte
	// Secret says that nobody may see it.
	Secret bool
}

// Step is one thing that is done on one machine. It can be done again: what it has done already is
// no error to it.
type Step struct {
	// On is the machine, Does what is done there, as the rest of a sentence: "import the CA".
	On, Does string
	// Input becomes the file Into, with the mode Mode, before the command line runs; nil if there
	// is none. Kept says that the file that was there before is kept as FILE.old.
	Input      *Text
	Into, Mode string
	Kept       bool
	// Was is what the file Into had when the plan was made, "" if that does not matter: another one is
	// somebody else's, and stays.
	Was string
	// Line is the command line, "" if the file is all. Output keeps what it prints, nil if nobody
	// wants it.
	Line   string
	Output *Text
	// Until says that the command line is run until it succeeds or Time is over: it changes nothing.
	Until bool
	// Time is how long it may take; DefaultTime if zero.
	Time time.Duration
	// Fix is what can be done if it fails.
	Fix string
}

// DefaultTime is how long a step may take: an ssh to a machine far away, and a key that is made
// there.
const DefaultTime = time.Minute

// between is how long a step that waits rests between two tries.
const between = 500 * time.Millisecond

// StepError says which step failed. What was done before it stays, and the same command goes on
// from there.
type StepError struct {
	Step       Step
	Number, Of int
	Err        error
}

// Error says which step, what came back and what to do.
func (e *StepError) Error() string {
	text := fmt.Sprintf("step %d of %d, on %s, failed: %s\n%s", e.Number, e.Of, e.Step.On,
		e.Step.Does, e.Err)
	if e.Step.Fix != "" {
		text += "\n" + e.Step.Fix
	}
	return text
}

// Unwrap makes errors.Is and errors.As work.
func (e *StepError) Unwrap() error { return e.Err }

// Outcome is Timeout for a step that took too long, Unavailable for a machine that does not answer,
// Interrupted if whoever asked has given up, and else Failed.
func (e *StepError) Outcome() outcome.Kind {
	var unreachable *UnreachableError
	switch {
	case errors.Is(e.Err, context.Canceled):
		return outcome.Interrupted
	case errors.Is(e.Err, context.DeadlineExceeded):
		return outcome.Timeout
	case errors.As(e.Err, &unreachable):
		return outcome.Unavailable
	}
	return outcome.Failed
}

func (s Step) do(ctx context.Context, on Shell) error {
	limit := s.Time
	if limit == 0 {
		limit = DefaultTime
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var input []byte
	if s.Input != nil {
		input = s.Input.Bytes
	}
	var last error
	for {
		out, err := on.Run(limited, s.On, s.line(), input)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case err == nil:
			if s.Output != nil {
				if out == "" {
					return fmt.Errorf("on %s: the command succeeded and printed nothing", s.On)
				}
				s.Output.Bytes = []byte(out)
			}
			return nil
		case !s.Until:
			return s.discreet(err, out)
		case limited.Err() == nil:
			last = err // not the one that the deadline itself has made
		case last == nil:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limited.Done():
			return fmt.Errorf("not within %s: %w", limit, last)
		case <-time.After(between):
		}
	}
}

// discreet is an error without what the command line has printed, if that may be a secret.
func (s Step) discreet(err error, out string) error {
	var failed *FailedError
	if s.Output != nil && s.Output.Secret && errors.As(err, &failed) && failed.Said == out {
		return &FailedError{Machine: failed.Machine, Code: failed.Code}
	}
	return err
}

// line is the command line that puts the input into its file, whole or not at all, and does the
// rest: of a connection that breaks nothing is left but FILE.new. A link stays one.
func (s Step) line() string {
	if s.Input == nil {
		return s.Line
	}
	keep := ""
	if s.Kept {
		keep = `{ [ ! -e "$f" ] || cp -p "$f" "$f.old"; } && `
	}
	if s.Was != "" {
		keep = fmt.Sprintf(`{ [ "$(sha256sum <"$f")" = "%x  -" ] || { `+
			`echo "$f was changed by somebody else meanwhile" >&2; exit 1; }; } && `,
			sha256.Sum256([]byte(s.Was))) + keep
	}
	line := fmt.Sprintf("f=$(realpath -m %s) && mkdir -p \"${f%%/*}\" && "+
		"(umask 077 && cat >\"$f.new\") && [ \"$(wc -c <\"$f.new\")\" -eq %d ] && "+
		"chmod %s \"$f.new\" && sync \"$f.new\" && %smv -f \"$f.new\" \"$f\"",
		Quote(s.Into), len(s.Input.Bytes), s.Mode, keep)
	if s.Line != "" {
		line += " && { " + s.Line + "; }"
	}
	return line
}
