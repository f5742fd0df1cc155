//go:build vagrant

package vagrant

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// record is what docs/vagrant-run.md is made of.
type record struct {
	versions []string
	steps    []*step
}

// step is one thing that was tried.
type step struct {
	name  string
	took  time.Duration
	state string
	seen  []string
}

// step runs a part of the test and keeps what was seen in it. A part that failed does not keep the next from being tried.
func (m *machines) step(t *testing.T, name string, do func(t *testing.T, see func(format string, args ...any))) {
	s := &step{name: name, state: "failed"}
	m.log.steps = append(m.log.steps, s)
	began := time.Now()
	see := func(format string, args ...any) {
		line := fmt.Sprintf(format, args...)
		t.Log(line)
		s.seen = append(s.seen, line)
	}
	if t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
		t.Cleanup(func() {
			if t.Failed() {
				m.explain(t)
			}
		})
		do(t, see)
	}) {
		s.state = "passed"
	}
	s.took = time.Since(began)
}

// explain logs what the cluster looks like when a step has failed.
func (m *machines) explain(t *testing.T) {
	for _, node := range balancers {
		out, err := m.try(node, "crm_mon -1rfn 2>&1; hawser status 2>&1; journalctl -b -n 40 --no-pager 2>&1")
		if err == nil {
			t.Logf("%s when it failed:\n%s", node, out)
			return
		}
	}
}

// write makes the page; into is its path, nothing is written if that is "".
func (r *record) write(into string, took time.Duration) error {
	if into == "" {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# A run of `make vagrant-test`\n\nWritten by the run itself, on %s; it took %s, with the machines' boot and provisioning.\n",
		time.Now().UTC().Format("2006-01-02"), took.Round(time.Second))
	b.WriteString("Times of an emulated processor compare with nothing but each other.\n\n")
	for _, v := range r.versions {
		fmt.Fprintf(&b, "- %s\n", v)
	}
	for _, s := range r.steps {
		fmt.Fprintf(&b, "\n## %s\n%s in %s\n\n", s.name, s.state, s.took.Round(time.Second))
		for _, line := range s.seen {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	return os.WriteFile(into, []byte(b.String()), 0o644) //nolint:gosec // a page of the documentation
}
