package corosync

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ErrNotRunning says that no Corosync answers on this node.
var ErrNotRunning = errors.New("Corosync does not answer") //nolint:staticcheck // a name

// Running asks the Corosync of this node for the times in effect. The error is ErrNotRunning if
// none answers.
func Running(ctx context.Context) (Effective, error) {
	text, err := ask(ctx, "corosync-cmapctl")
	if err != nil {
		return Effective{}, err
	}
	return ParseCmap(text)
}

// RunningQuorum asks the Corosync of this node how the cluster counts votes. The error is
// ErrNotRunning if none answers.
func RunningQuorum(ctx context.Context) (Quorum, error) {
	text, err := ask(ctx, "corosync-cmapctl")
	if err != nil {
		return Quorum{}, err
	}
	return ParseQuorum(text), nil
}

// Group lists the ids of the nodes on which a process is a member of Corosync's process group
// (cpg_overview(3)). The error is ErrNotRunning if no Corosync answers.
func Group(ctx context.Context, name string) ([]int, error) {
	text, err := ask(ctx, "corosync-cpgtool")
	if err != nil {
		return nil, err
	}
	return parseGroup(text, name), nil
}

// ask runs one of Corosync's tools.
func ask(ctx context.Context, tool string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/sbin/"+
		tool, args...) //nolint:gosec // the callers' own words
	cmd.Env = []string{"LC_ALL=C"}
	cmd.WaitDelay = time.Second
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("%w: %s is not there", ErrNotRunning, cmd.Path)
	case ctx.Err() != nil:
		return "", fmt.Errorf("%w: %s: %w", ErrNotRunning, tool, ctx.Err())
	case errors.As(err, &exit):
		if tool == "corosync-quorumtool" && strings.Contains(out.String(), "Quorate:") {
			return out.String(), nil // it exits with 2 if there is no quorum, and says so
		}
		if strings.Contains(complaint.String(), "CS_ERR_ACCESS") {
			return "", fmt.Errorf("%s: %w: %s", tool, os.ErrPermission,
				strings.TrimSpace(complaint.String()))
		}
		return "", fmt.Errorf("%w: %s: %s", ErrNotRunning, tool,
			strings.TrimSpace(complaint.String()))
	case err != nil:
		return "", fmt.Errorf("%s: %w", tool, err)
	}
	return out.String(), nil
}
