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

// fenceTime is how long a fence agent may take to answer.
const fenceTime = time.Minute

// fenceEnvironment is the part that matters of the environment that Pacemaker's fencer gives an
// agent: the fencer's proxy may be the only way to reach the cloud.
func fenceEnvironment(proc string) []string {
	env := []string{contract.PacemakerPath, "LC_ALL=C"}
	theirs, _ := procfs.FS(proc).EnvironOf("pacemakerd") // only root can read it, and apply runs as root
	for _, e := range theirs {
		name, _, _ := strings.Cut(e, "=")
		switch strings.ToLower(name) {
		case "http_proxy", "https_proxy", "no_proxy":
			env = append(env, e)
		}
	}
	return env
}

// RunAgent passes the options on the agent's standard input, as Pacemaker does (FenceAgentAPI).
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
