package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/lab"
)

// examined runs `hawser doctor --json`.
func (c *cluster) examined(ctx context.Context) (r doctor.Report, code int, err error) {
	args := []string{"hawser", "doctor", "--json"}
	out, complaint, err := c.Exec(ctx, "lb-1", args...)
	wrong := conforms(args, out, err)
	var exit *lab.ExitError
	if errors.As(err, &exit) {
		code, err = exit.Code, nil
	}
	if wrong != nil {
		err = wrong
	}
	if err == nil {
		if err = json.Unmarshal([]byte(out), &r); err != nil {
			err = fmt.Errorf("%w: %s%s", err, out, complaint)
		}
	}
	return r, code, err
}

// ofNodes are the checks of nodes, apart from those of the cluster.
var ofNodes = []string{"haproxy-unit", "haproxy-config", "haproxy-bind", "agents", "fence-agent", "fence-droplet", "token-file", "token-rights", "backlog", "file-limit",
	"old-workers", "certificates", "tcp-migrate", "watchdog", "disk", "other-nodes", "nodes-differ", "token-in-cib"}

// worrying are the findings of nodes that are worse than a note.
func worrying(r doctor.Report) (found []doctor.Finding) {
	for _, f := range r.Findings {
		if slices.Contains(ofNodes, f.Check) && f.Severity != doctor.Note {
			found = append(found, f)
		}
	}
	return found
}

// What is wrong with a node is known on every other one, by name.
func TestDoctorKnowsWhatIsWrongWithAnotherNode(t *testing.T) {
	c := applied(t, tutorialYAML)
	// Each keeper has its node checked soon after the start, by itself.
	eventually(t, time.Minute, "nothing is wrong with any node", func() error {
		r, _, err := c.examined(t.Context())
		if bad := worrying(r); err == nil && len(bad) > 0 {
			err = fmt.Errorf("%+v", bad)
		}
		return err
	})
	require.NotContains(t, c.run(t, "lb-1", "crm_mon", "-A1"), doctor.Attribute, "it is not in the CIB")

	original := c.run(t, "lb-2", "cat", confFile) + "\n"
	const wants = "/etc/systemd/system/multi-user.target.wants"
	repair := func(ctx context.Context) error {
		_, _, err := c.Exec(ctx, "lb-2", "sh", "-c", "printf %s \"$1\" >"+confFile+" && chmod 0600 /etc/hawser/token && rm -f "+wants+"/haproxy.service", "-", original)
		return err
	}
	t.Cleanup(func() { require.NoError(t, repair(context.Background())) })
	c.write(t, "lb-2", confFile, original+"\nfrontend broken\n\tbnid :81\n")
	c.run(t, "lb-2", "chmod", "0644", "/etc/hawser/token")
	c.run(t, "lb-2", "sh", "-c", "mkdir -p "+wants+" && ln -sf /lib/systemd/system/haproxy.service "+wants)
	c.fails(t, 5, "lb-2", "hawser", "doctor", "--tell") // what the keeper runs

	r, code, err := c.examined(t.Context())
	require.NoError(t, err)
	require.Equal(t, 5, code)
	want := map[string]string{"haproxy-config": "bnid", "token-file": "open to others (mode 0644)", "haproxy-unit": "haproxy.service is enabled", "nodes-differ": "configuration of haproxy"}
	for _, f := range worrying(r) {
		text, ok := want[f.Check]
		require.True(t, ok, "%+v", f)
		require.Contains(t, f.What, text)
		require.NotEmpty(t, f.Remedies())
		if f.Check != "nodes-differ" {
			require.Equal(t, "lb-2", f.Node)
			require.NotNil(t, f.Reported)
		}
		delete(want, f.Check)
	}
	require.Empty(t, want, "not found")
	text := c.fails(t, 5, "lb-3", "hawser", "doctor")
	require.Contains(t, text, "Node lb-2, reported at ")
	require.Contains(t, text, "# on lb-2; briefly: chmod 0600 FILE", "no command that another node wrote")
	require.Contains(t, text, "$ hawser doctor\n")

	// Once it is fixed the keeper itself reports that, since a reload makes it check again.
	require.NoError(t, repair(t.Context()))
	c.run(t, "lb-1", "hawser", "reload", "--yes")
	eventually(t, time.Minute, "nothing is wrong any more", func() error {
		r, _, err := c.examined(t.Context())
		if bad := worrying(r); err == nil && len(bad) > 0 {
			err = fmt.Errorf("%+v", bad)
		}
		return err
	})
}

// A node that is gone, and one that reports nothing, are unknown, never fine.
func TestDoctorOfANodeThatIsSilent(t *testing.T) {
	c := applied(t, tutorialYAML)
	require.NoError(t, c.Kill("lb-3"))
	eventually(t, time.Minute, "the lost node is named", func() error {
		r, _, err := c.examined(t.Context())
		if err != nil {
			return err
		}
		for _, f := range r.Findings {
			if f.Node == "lb-3" && f.Severity == doctor.Unknown && f.Check == "other-nodes" {
				return nil
			}
		}
		return fmt.Errorf("%+v", r.Findings)
	})
}
