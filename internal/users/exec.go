package users

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/internal/command"
)

const (
	systemsGetent = "/usr/bin/getent"
	// askTime is how long the name service may take: it may have to ask a machine that is gone.
	askTime = 3 * time.Second
	// notFound is what getent exits with if the name service does not know the key.
	notFound = 2
)

// ErrUnknown means that neither the files nor the name service know the name.
var ErrUnknown = errors.New("there is none on this node: neither /etc/passwd and /etc/group nor " +
	"`getent` know it")

// getent returns the first line of what it says about a key.
func (s Service) getent(ctx context.Context, database, key string) (string, error) {
	program := cmp.Or(s.Getent, systemsGetent)
	brief, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	cmd := command.New(brief, program, database, "--", key)
	cmd.Env = []string{"LANG=C.UTF-8"}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	var out command.Output
	cmd.Stdout = &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
	case brief.Err() != nil:
		return "", fmt.Errorf("%s %s %s did not answer within %s: %w", program, database, key, askTime,
			brief.Err())
	case errors.As(err, &exit) && exit.ExitCode() == notFound, errors.Is(err, os.ErrNotExist):
		return "", ErrUnknown
	default:
		return "", fmt.Errorf("%s %s %s: %w", program, database, key, err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
	return line, nil
}
