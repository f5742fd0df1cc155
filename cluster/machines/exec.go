package machines

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"

	"github.com/hawser-ha/hawser/internal/command"
)

// DefaultCommand reaches a machine as root, asks nobody for a password, and does not wait long for
// one that is down.
const DefaultCommand = "ssh -l root -o BatchMode=yes -o ConnectTimeout=10"

// SSH reaches machines with a command that takes a machine's name and a command line, as ssh does.
type SSH struct {
	// Command is the command with its options.
	Command []string
	// Here is the name of this machine: command lines for it are run without the command.
	Here string
}

// sshFailed is the exit code by which ssh says that it could not run anything.
const sshFailed = 255

// findTools is what a command line begins with: root's PATH may lack the directories of Corosync's tools,
// as it does after `su`, and a tool that is not found would seem to say that nothing runs.
const findTools = `PATH="${PATH:+$PATH:}/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"; export PATH` + "\n"

// Run implements Shell. The context bounds it.
func (s SSH) Run(ctx context.Context, machine, line string, input []byte) (string, error) {
	line = findTools + line
	words := []string{"/bin/sh", "-c", line}
	if machine != s.Here {
		// A user's own shell may be any; this one is sh.
		words = append(append([]string{}, s.Command...), machine, "sh -c "+Quote(line))
	}
	cmd := command.New(ctx, words[0], words[1:]...)
	cmd.Stdin = bytes.NewReader(input)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var out, complaint command.Output
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	unreachable := func(err error) error {
		return &UnreachableError{Machine: machine, Command: strings.Join(s.Command, " "),
			Said: complaint.String(), Err: err}
	}
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return out.String(), nil
	case ctx.Err() != nil:
		return out.String(), unreachable(ctx.Err())
	case errors.As(err, &exit) && (exit.ExitCode() != sshFailed || machine == s.Here) &&
		exit.ExitCode() >= 0:
		said := complaint.String()
		if strings.TrimSpace(said) == "" {
			said = out.String()
		}
		return out.String(), &FailedError{Machine: machine, Code: exit.ExitCode(), Said: said}
	}
	return out.String(), unreachable(err)
}
