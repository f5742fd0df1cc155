// Package ocftest runs the actions of an OCF resource agent in process, as Pacemaker would run
// them, and holds the conformance suite that every agent passes.
//
// Only tests import it. Open conformance.go first.
package ocftest

import (
	"bytes"
	"context"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hawser-ha/hawser/ocf"
)

// Resource is one resource instance on one node: what its agent remembers lasts as long as the
// test.
type Resource struct {
	// New makes the agent. Each action gets a fresh one, as each has a process of its own under
	// Pacemaker.
	New func() *ocf.Agent
	// Params are the parameters of the resource.
	Params map[string]string
	// Env is added to the environment of each action.
	Env map[string]string
	// Instance is the name of the resource, by default "test".
	Instance string

	t testing.TB
}

// Result is the outcome of an action.
type Result struct {
	Code           ocf.Code
	Stdout, Stderr string
	// Reason is the exit reason, "" if there was none.
	Reason string
	Took   time.Duration
}

// New returns a resource with a runtime directory of its own that is removed with the test.
func New(t testing.TB, agent func() *ocf.Agent, params map[string]string) *Resource {
	return &Resource{
		New: agent, Params: params, Instance: "test", t: t,
		Env: map[string]string{"HAWSER_RUNDIR": t.TempDir()},
	}
}

// RunDir returns the HAWSER_RUNDIR of the resource.
func (r *Resource) RunDir() string { return r.Env["HAWSER_RUNDIR"] }

// With returns the same resource with a parameter changed; an empty value removes it.
func (r *Resource) With(name, value string) *Resource {
	other := *r
	other.Params = maps.Clone(r.Params)
	if other.Params == nil {
		other.Params = map[string]string{}
	}
	other.Params[name] = value
	return &other
}

// Start runs the start action with a timeout of 20 s.
func (r *Resource) Start() Result { return r.Run("start", nil) }

// Stop runs the stop action with a timeout of 20 s.
func (r *Resource) Stop() Result { return r.Run("stop", nil) }

// Monitor runs a recurring monitor at the level.
func (r *Resource) Monitor(level int) Result {
	return r.Run("monitor", map[string]string{
		"OCF_CHECK_LEVEL": strconv.Itoa(level), "OCF_RESKEY_CRM_meta_interval": "10000",
	})
}

// Probe runs a monitor with interval 0.
func (r *Resource) Probe() Result {
	return r.Run("monitor", map[string]string{"OCF_RESKEY_CRM_meta_interval": "0"})
}

// output is what an action printed. A handler that Main left behind may keep writing.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Run runs any action with additions to the environment, which win over everything else.
func (r *Resource) Run(action string, env map[string]string) Result {
	vars := map[string]string{"OCF_RESOURCE_INSTANCE": r.Instance,
		"OCF_RESKEY_CRM_meta_timeout": "20000"}
	for name, value := range r.Params {
		vars["OCF_RESKEY_"+name] = value
	}
	maps.Copy(vars, r.Env)
	maps.Copy(vars, env)

	var stdout, stderr output
	began := time.Now()
	code := r.New().Main(context.Background(), ocf.Env{
		Args:   []string{"agent", action},
		Getenv: func(name string) string { return vars[name] },
		Stdout: &stdout, Stderr: &stderr,
	})
	result := Result{Code: ocf.Code(code), Stdout: stdout.String(), Stderr: stderr.String(),
		Took: time.Since(began)}
	for line := range strings.Lines(result.Stderr) {
		if reason, ok := strings.CutPrefix(line, "ocf-exit-reason:"); ok {
			result.Reason = strings.TrimSpace(reason)
		}
	}
	return result
}
