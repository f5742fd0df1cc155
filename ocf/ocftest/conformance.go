package ocftest

import (
	"encoding/xml"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/ocf"
)

// Subject is an agent as the conformance suite needs it: a resource that can run on this machine,
// and ways to break it.
type Subject struct {
	// New makes the agent.
	New func() *ocf.Agent
	// Params let the resource start and stop here, any number of times.
	Params func(t *testing.T) map[string]string
	// Wrong holds parameters whose values the agent refuses.
	Wrong map[string]string
	// Missing are parameters under which nothing that the resource needs is installed.
	Missing map[string]string
	// Stuck are parameters under which a start never comes to its end.
	Stuck func(t *testing.T) map[string]string
}

// Conformance runs the suite: what Pacemaker relies on in any agent.
func Conformance(t *testing.T, s Subject) {
	resource := func(t *testing.T) *Resource {
		r := New(t, s.New, s.Params(t))
		t.Cleanup(func() { r.Stop() })
		return r
	}

	t.Run("life", func(t *testing.T) {
		r := resource(t)
		require.Equal(t, ocf.NotRunning, r.Probe().Code, "a probe before the start")
		require.Equal(t, ocf.NotRunning, r.Monitor(0).Code, "a monitor before the start")
		r.want(t, ocf.Success, "stop", "a stop of what never ran")
		r.want(t, ocf.Success, "start", "a start")
		r.want(t, ocf.Success, "monitor", "a monitor right after the start")
		require.Equal(t, ocf.Success, r.Probe().Code, "a probe of what runs")
		r.want(t, ocf.Success, "start", "a start of what runs")
		r.want(t, ocf.Success, "monitor", "a monitor after the second start")
		r.want(t, ocf.Success, "stop", "a stop")
		r.want(t, ocf.NotRunning, "monitor", "a monitor right after the stop")
		r.want(t, ocf.Success, "stop", "a second stop")
		r.want(t, ocf.Success, "start", "a start after a stop")
		r.want(t, ocf.Success, "stop", "the last stop")
	})

	t.Run("reload keeps it running", func(t *testing.T) {
		r := resource(t)
		if s.New().Reload == nil {
			for _, action := range []string{"reload", "reload-agent"} {
				r.want(t, ocf.ErrUnimplemented, action, "an agent that declares no reload")
			}
			return
		}
		r.want(t, ocf.Success, "start", "a start")
		for _, action := range []string{"reload", "reload-agent"} {
			r.want(t, ocf.Success, action, "with nothing changed")
			r.want(t, ocf.Success, "monitor", "a monitor after "+action)
		}
	})

	t.Run("unknown action", func(t *testing.T) {
		r := resource(t)
		r.want(t, ocf.ErrUnimplemented, "promote", "an action that the agent does not declare")
		r.want(t, ocf.ErrUnimplemented, "no-such-action", "an action that nobody declares")
	})

	t.Run("no action", func(t *testing.T) {
		require.Equal(t, int(ocf.ErrArgs), s.New().Main(t.Context(), ocf.Env{
			Args: []string{"agent"}, Getenv: func(string) string {
				return ""
			}, Stdout: t.Output(), Stderr: t.Output(),
		}))
	})

	t.Run("meta-data and usage without parameters", func(t *testing.T) {
		r := New(t, s.New, nil)
		r.Instance = ""
		meta := r.want(t, ocf.Success, "meta-data", "meta-data needs nothing")
		var doc struct {
			Name    string `xml:"name,attr"`
			Actions []struct {
				Name  string `xml:"name,attr"`
				Depth string `xml:"depth,attr"`
			} `xml:"actions>action"`
		}
		require.NoError(t, xml.Unmarshal([]byte(meta.Stdout), &doc))
		require.Equal(t, s.New().Name, doc.Name)
		seen := map[string]bool{}
		for _, a := range doc.Actions {
			require.False(t, seen[a.Name+a.Depth], "the action %s is advertised twice", a.Name)
			seen[a.Name+a.Depth] = true
		}
		usage := r.want(t, ocf.Success, "usage", "usage needs nothing")
		require.Contains(t, usage.Stdout, "start|stop|monitor")
		for line := range strings.Lines(usage.Stdout) {
			require.LessOrEqual(t, len(strings.TrimRight(line, "\n")), 80, "a terminal's width: %s", line)
		}
	})

	t.Run("wrong parameters", func(t *testing.T) {
		r := resource(t)
		r.want(t, ocf.Success, "start", "a start")
		for name, value := range s.Wrong {
			wrong := r.With(name, value)
			for _, action := range []string{"start", "validate-all"} {
				result := wrong.want(t, ocf.ErrConfigured, action, name+"="+value)
				require.Contains(t, result.Reason, name, "the reason names the parameter")
			}
		}
		for name, value := range s.Wrong {
			r = r.With(name, value)
		}
		r.want(t, ocf.Success, "stop", "a stop with wrong parameters ends what runs")
		r.want(t, ocf.Success, "stop", "a stop with wrong parameters of what is stopped")
		require.Equal(t, ocf.NotRunning, r.Probe().Code, "a probe with wrong parameters")
	})

	t.Run("nothing installed", func(t *testing.T) {
		r := New(t, s.New, s.Missing)
		require.Equal(t, ocf.NotRunning, r.Probe().Code, "a probe where nothing is installed")
		start := r.want(t, ocf.ErrInstalled, "start", "a start where nothing is installed")
		require.NotEmpty(t, start.Reason)
		r.want(t, ocf.Success, "stop", "a stop where nothing is installed")
	})

	t.Run("deadline", func(t *testing.T) {
		r := New(t, s.New, s.Stuck(t))
		t.Cleanup(func() { r.Stop() })
		// a tenth of it is the reserve, some of which a busy machine needs
		const timeout = 4 * time.Second
		result := r.Run("start", map[string]string{"OCF_RESKEY_CRM_meta_timeout": "4000"})
		require.Equal(t, ocf.ErrGeneric, result.Code, result.Reason)
		require.NotEmpty(t, result.Reason, "it says why")
		require.Less(t, result.Took, timeout, "it ends itself before Pacemaker would kill it")
		r.want(t, ocf.Success, "stop", "a stop after a start that got stuck")
	})

	t.Run("two actions at once", func(t *testing.T) {
		r := resource(t)
		for _, action := range []string{"start", "stop"} {
			var wait sync.WaitGroup
			results := make([]Result, 3)
			for i := range results {
				wait.Go(func() { results[i] = r.Run(action, nil) })
			}
			wait.Wait()
			for _, result := range results {
				require.Equal(t, ocf.Success, result.Code, "%s three times at once: %s", action,
					result.Stderr)
			}
		}
		r.want(t, ocf.NotRunning, "monitor", "a monitor after the last stop")
	})

	t.Run("an instance's name stays inside the runtime directory", func(t *testing.T) {
		for _, name := range []string{"../outside", ".", "..", "a/b", ""} {
			r := New(t, s.New, s.Params(t))
			r.Instance = name
			r.want(t, ocf.ErrArgs, "start", "instance "+name)
		}
	})
}

func (r *Resource) want(t *testing.T, code ocf.Code, action, why string) Result {
	t.Helper()
	result := r.Run(action, nil)
	require.Equal(t, code, result.Code, "%s (%s): %s", action, why, result.Stderr)
	if code == ocf.Success || code == ocf.NotRunning {
		require.Empty(t, result.Reason, "%s (%s) has no reason to give", action, why)
	}
	return result
}
