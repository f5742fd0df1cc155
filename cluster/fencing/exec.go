package fencing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// AgentPath is where Pacemaker looks for the agent of stonith:fence_droplet.
const AgentPath = "/usr/sbin/fence_droplet"

// fenceTime is how long a fence agent may take for an answer.
const fenceTime = time.Minute

// fenceEnvironment is what Pacemaker's fencer gives an agent, as far as that matters: with a proxy
// that it has, the cloud is reached only by that.
func fenceEnvironment(proc string) []string {
	env := []string{contract.PacemakerPath, "LC_ALL=C"}
	theirs, _ := procfs.FS(proc).EnvironOf("pacemakerd") // unreadable but for root, who applies
	for _, e := range theirs {
		name, _, _ := strings.Cut(e, "=")
		switch strings.ToLower(name) {
		case "http_proxy", "https_proxy", "no_proxy":
			env = append(env, e)
		}
	}
	return env
}

// RunAgent gives the options as Pacemaker does, on the agent's standard input (FenceAgentAPI).
func RunAgent(ctx context.Context, options crm.Attrs) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, fenceTime)
	defer cancel()
	var in strings.Builder
	for _, o := range options {
		fmt.Fprintf(&in, "%s=%s\n", o.Name, o.Value)
	}
	cmd := exec.CommandContext(ctx, AgentPath)
	cmd.Env = fenceEnvironment("/proc")
	cmd.Stdin = strings.NewReader(in.String())
	cmd.WaitDelay = time.Second
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	said := strings.TrimSpace(complaint.String())
	if said == "" {
		said = strings.TrimSpace(out.String())
	}
	if i := strings.LastIndex(said, "\n"); i >= 0 {
		said = said[i+1:]
	}
	var exit *exec.ExitError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Answer{}, fmt.Errorf("%s is not there: it comes with hawser, on every node",
			AgentPath)
	case ctx.Err() != nil:
		return Answer{}, fmt.Errorf("no answer within %v: %w", fenceTime, ctx.Err())
	case errors.As(err, &exit):
		return Answer{exit.ExitCode(), said}, nil
	case err != nil:
		return Answer{}, err
	}
	return Answer{0, said}, nil
}
