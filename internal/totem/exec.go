package totem

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

// Running asks the Corosync of this node for the times in force. The error is ErrNotRunning where none answers.
func Running(ctx context.Context) (Effective, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/sbin/corosync-cmapctl")
	cmd.Env = []string{"LC_ALL=C"}
	cmd.WaitDelay = time.Second
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Effective{}, fmt.Errorf("%w: %s is not there", ErrNotRunning, cmd.Path)
	case ctx.Err() != nil:
		return Effective{}, fmt.Errorf("%w: corosync-cmapctl: %w", ErrNotRunning, ctx.Err())
	case errors.As(err, &exit):
		if strings.Contains(complaint.String(), "CS_ERR_ACCESS") {
			return Effective{}, fmt.Errorf("corosync-cmapctl: %w: %s", os.ErrPermission, strings.TrimSpace(complaint.String()))
		}
		return Effective{}, fmt.Errorf("%w: corosync-cmapctl: %s", ErrNotRunning, strings.TrimSpace(complaint.String()))
	case err != nil:
		return Effective{}, fmt.Errorf("corosync-cmapctl: %w", err)
	}
	return ParseCmap(out.String())
}
