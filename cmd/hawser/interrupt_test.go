package main

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// givingUp is a cluster whose caller gives up while Pacemaker checks a plan.
type givingUp struct {
	*crmtest.Fake
	giveUp func()
}

// interrupted is what one of Pacemaker's tools says when it was stopped.
func (g givingUp) interrupted() error {
	g.giveUp()
	return &crm.ToolError{Tool: "crm_verify", Code: -1, Message: "was interrupted", Err: context.Canceled}
}

func (g givingUp) Check(context.Context, crm.Plan) (crm.Forecast, error) {
	return crm.Forecast{}, g.interrupted()
}

func (g givingUp) Verify(context.Context, crm.Plan) ([]string, error) { return nil, g.interrupted() }

// whoGivesUp never answers.
type whoGivesUp struct{ giveUp func() }

func (w whoGivesUp) Read([]byte) (int, error) {
	w.giveUp()
	select {}
}

// Whenever Ctrl-C comes before anything is written, the exit code is 130 and that is what is said.
func TestInterruptedBeforeAnythingIsWritten(t *testing.T) {
	for _, tc := range []struct {
		name    string
		words   []string
		prepare func(t *testing.T, fake *crmtest.Fake, giveUp func()) *system
	}{
		{"while HAProxy checks its configuration", []string{"apply", "--yes", "-f"},
			func(t *testing.T, fake *crmtest.Fake, giveUp func()) *system {
				sys, _, _ := testSystem(t, fake)
				sys.CheckHAProxy = func(context.Context, preflight.HAProxy) error {
					giveUp()
					return errors.New("haproxy -c did not finish: context canceled")
				}
				return sys
			}},
		{"while the plan is verified", []string{"apply", "--yes", "-f"},
			func(t *testing.T, fake *crmtest.Fake, giveUp func()) *system {
				sys, _, _ := testSystem(t, givingUp{fake, giveUp})
				return sys
			}},
		{"while the plan is simulated", []string{"plan", "-f"},
			func(t *testing.T, fake *crmtest.Fake, giveUp func()) *system {
				sys, _, _ := testSystem(t, givingUp{fake, giveUp})
				return sys
			}},
		{"at the question", []string{"apply", "-f"},
			func(t *testing.T, fake *crmtest.Fake, giveUp func()) *system {
				sys, _, _ := testSystem(t, fake)
				sys.interactive, sys.stdin = true, io.Reader(whoGivesUp{giveUp})
				return sys
			}},
		{"while a statement is verified", []string{"configure", "property", "maintenance-mode=true"},
			func(t *testing.T, fake *crmtest.Fake, giveUp func()) *system {
				sys, _, _ := testSystem(t, givingUp{fake, giveUp})
				return sys
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fake := crmtest.New("lb-1", "lb-2")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			sys := tc.prepare(t, fake, cancel)
			words := append([]string{"hawser"}, tc.words...)
			if words[len(words)-1] == "-f" {
				words = append(words, lanConfig(t))
			}
			err := newApp(sys).RunContext(ctx, words)
			require.EqualError(t, err, "interrupted: nothing was changed")
			require.Equal(t, exitInterrupted, exitCode(err))
			require.Empty(t, hint(err))
			require.Zero(t, fake.Applied())
		})
	}
}
