package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/docrun"
	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

// pages are the pages whose every command is run by a test.
var pages = []struct {
	path      string
	balancers int  // of the laboratory in which the page is played
	bare      bool // they have no hawser: the page installs it
	sites     string
}{
	{"../docs/install.md", 2, true, ""},
	{"../docs/operations.md", 3, false, ""},
	{"../docs/tutorials/digitalocean.md", 3, false, ""},
	{"../docs/tutorials/from-keepalived.md", 2, true, ""},
	{"../docs/tutorials/two-datacentres.md", 0, false, "2x2"},
}

// TestDocs plays the pages from top to bottom, each on a cluster of its own. What needs more than a node of the laboratory is
// run on virtual machines (package vagrant).
func TestDocs(t *testing.T) {
	t.Parallel()
	for _, p := range pages {
		t.Run(filepath.Base(p.path), func(t *testing.T) {
			t.Parallel()
			page, err := docrun.Read(p.path)
			require.NoError(t, err)
			needs.Root(t)
			overlay := os.Getenv("HAWSER_OVERLAY")
			require.NotEmpty(t, overlay, "HAWSER_OVERLAY is not set: run `make test-cluster`, which installs hawser where the nodes find it")
			if p.bare {
				overlay = ""
			}
			if p.sites != "" {
				oneOfFour.Lock()
				t.Cleanup(oneOfFour.Unlock)
			}
			c := ownLab(t, strings.TrimSuffix(filepath.Base(p.path), ".md"), p.balancers, p.sites, overlay)
			c.givePackage(t)
			m := &docLab{cluster: c, t: t}
			for _, section := range sections(page.Steps) {
				// What follows builds on what came before: a section that failed is the last.
				if !t.Run(section[0].Section, func(t *testing.T) {
					m.t = t
					for _, s := range section {
						if s.Place != docrun.Lab {
							continue
						}
						require.NoError(t, docrun.Play(t.Context(), m, s))
					}
				}) {
					out, _, err := c.Exec(context.Background(), "lb-1", "crm_mon", "-1rfn")
					t.Fatalf("the cluster when the section failed: %v\n%s", err, out)
				}
			}
		})
	}
}

// TestEveryCommandOfTheDocsIsRun counts, so that no command is added where no test runs it.
func TestEveryCommandOfTheDocsIsRun(t *testing.T) {
	for _, p := range pages {
		page, err := docrun.Read(p.path) // an error if a block does not say where it is run, or the text has a command that no block runs
		require.NoError(t, err)
		count := map[docrun.Place]int{}
		for _, s := range page.Steps {
			if !s.Hidden {
				count[s.Place]++
			}
		}
		t.Logf("%s: %d commands and files run in the laboratory, %d on virtual machines; %d more in its text",
			p.path, count[docrun.Lab], count[docrun.Guest], len(page.Mentions))
		require.NotZero(t, count[docrun.Lab])
	}
}

// sections splits steps where the heading changes.
func sections(steps []docrun.Step) [][]docrun.Step {
	var all [][]docrun.Step
	for i, s := range steps {
		if i == 0 || s.Section != steps[i-1].Section {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], s)
	}
	return all
}

// ownLab brings a laboratory up for one test, which may leave it in any state.
func ownLab(t *testing.T, name string, balancers int, sites, overlay string) *cluster {
	t.Helper()
	o := lab.Options{Name: labName() + "-" + name, Nodes: balancers, Systemd: true, Overlay: overlay, Progress: os.Stderr,
		FloatingIPs: []netip.Addr{lab.FloatingIP, netip.MustParseAddr("203.0.113.11")}}
	if sites != "" {
		var err error
		o.Sites, err = lab.ParseSites(sites)
		require.NoError(t, err)
		o.Qnetd = lab.QnetdVotes
	}
	l, err := bringUp(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Down(context.Background())) })
	return &cluster{l}
}

// givePackage puts hawser's package into root's home of every balancer.
func (c *cluster) givePackage(t *testing.T) {
	t.Helper()
	debs, err := filepath.Glob(filepath.Join(os.Getenv("HAWSER_DEBS"), "hawser_*.deb"))
	require.NoError(t, err)
	require.Len(t, debs, 1, "HAWSER_DEBS has to name a directory with one package of hawser: `make test-cluster` makes it")
	for _, node := range c.others() {
		deb, err := os.Open(debs[0])
		require.NoError(t, err)
		require.NoError(t, c.Run(t.Context(), node, lab.Command{Args: []string{"dd", "status=none", "of=/root/" + filepath.Base(debs[0])}, Stdin: deb}))
		require.NoError(t, deb.Close())
		c.run(t, node, "rm", "-f", "/var/lib/man-db/auto-update") // its index of manual pages would be rebuilt at each installation
	}
}

// docLab is a laboratory as a page's machines.
type docLab struct {
	*cluster
	t        *testing.T
	visitors *lab.Loading
}

func (d *docLab) Names(_ context.Context, on string) ([]string, error) {
	switch on {
	case "each":
		var up []string
		for _, name := range d.others() {
			if d.Running(name) {
				up = append(up, name)
			}
		}
		return up, nil
	case "holder", "spare":
		holder, err := d.tryHolder()
		if err != nil || on == "holder" {
			return []string{holder}, err
		}
		for _, name := range d.others(holder) {
			if d.Running(name) {
				return []string{name}, nil
			}
		}
		return nil, errors.New("no balancer is up but the one that has the address")
	}
	return []string{on}, nil
}

func (d *docLab) Bash(ctx context.Context, node, script, input string, terminal bool) (string, int, error) {
	const deadline = 3 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	var out bytes.Buffer
	c := lab.Command{
		Args: []string{"bash", "-c", script}, Env: []string{"NO_COLOR=1", "TERM=dumb"}, Stdin: strings.NewReader(input), Stdout: &out, Stderr: &out,
	}
	if terminal {
		c.Env = append(c.Env, "DOCRUN="+script)
		c.Args = []string{"script", "--quiet", "--return", "--command", `bash -c "$DOCRUN"`, "/dev/null"}
	}
	err := d.Run(ctx, node, c)
	var exit *lab.ExitError
	if errors.As(err, &exit) {
		return out.String(), exit.Code, nil
	}
	return out.String(), 0, err
}

// Do does what a page's `lab` blocks say.
func (d *docLab) Do(ctx context.Context, words []string) error {
	what, args := words[0], words[1:]
	const deadline = 2 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	actions := map[string]struct {
		args int
		do   func() error
	}{
		"kill":     {1, func() error { return d.Kill(args[0]) }},
		"boot":     {1, func() error { return d.bootAgain(ctx, args[0]) }},
		"shutdown": {1, func() error { return d.Shutdown(ctx, args[0]) }},
		"reboot":   {1, func() error { return d.Reboot(ctx, args[0]) }},
		"wait":     {0, func() error { d.allBack(ctx); return nil }},
		"cut":      {2, func() error { return d.Cut(args[0], args[1]) }},
		"heal":     {0, d.Heal},
		"held":     {1, func() error { return d.heldAt(args[0]) }},
		"serves":   {0, func() error { d.serves(d.t); return nil }},
		"copy":     {3, func() error { return d.copyFile(ctx, args[0], args[1], args[2]) }},
		"visitors": {1, func() error { return d.visit(ctx, args[0]) }},
		"holder": {1, func() error {
			eventually(d.t, time.Minute, args[0]+" has the address", func() error {
				holder, err := d.tryHolder()
				if err == nil && holder != args[0] {
					err = fmt.Errorf("%s has it", holder)
				}
				return err
			})
			return nil
		}},
	}
	a, known := actions[what]
	if !known || a.args != len(args) {
		return fmt.Errorf("no action of the laboratory is %q with %d arguments", what, len(args))
	}
	return a.do()
}

// heldAt waits until the address on the LAN is at a site, and a visitor there is served; at "nobody" it waits until nobody has it.
func (d *docLab) heldAt(site string) error {
	c := &twoSites{d.cluster}
	if site != "nobody" {
		c.servedFrom(d.t, site)
		return nil
	}
	eventually(d.t, time.Minute, "nobody has the address", func() error {
		if now := d.lookAtHolders(); len(now) > 0 {
			return fmt.Errorf("it is on %v", now)
		}
		return nil
	})
	return nil
}

// bootAgain switches a node on that has switched itself off, or is about to.
func (d *docLab) bootAgain(ctx context.Context, node string) error {
	eventually(d.t, time.Minute, node+" is off", func() error {
		if d.Running(node) {
			return errors.New("it is running")
		}
		return nil
	})
	return d.Boot(ctx, node)
}

// allBack waits until every balancer runs and is online. One that was fenced is off for a moment before it comes back.
func (d *docLab) allBack(ctx context.Context) {
	eventually(d.t, 2*time.Minute, "every balancer is back", func() error {
		for _, name := range d.others() {
			if !d.Running(name) {
				return fmt.Errorf("%s is off", name)
			}
		}
		return d.WaitCluster(ctx)
	})
}

// visit has a request made every 20 ms from "come" on, or from where their address is given, until "leave"; until "served", after which
// none of them may have failed; or until "moved": the address has moved once, and in the end they were served.
func (d *docLab) visit(ctx context.Context, what string) error {
	url := what
	if what == "come" {
		url = page
	}
	if strings.HasPrefix(url, "http:") {
		if d.visitors != nil {
			return errors.New("they are there")
		}
		visitors, err := d.StartLoad(context.WithoutCancel(ctx), "client", load.Plan{URL: url, Every: 20 * time.Millisecond, Timeout: 5 * time.Second})
		d.visitors = visitors
		return err
	}
	if d.visitors == nil {
		return errors.New("nobody has come")
	}
	report, err := d.visitors.Stop()
	d.visitors = nil
	if err != nil {
		return err
	}
	d.t.Logf("visitors: %s", report)
	if what == "served" && (report.Failed > 0 || report.Requests == 0) {
		return fmt.Errorf("the page says that no visitor notices: %s", report)
	}
	const once = 5 * time.Second // a benchmark has the figure
	if what == "moved" && (report.Failed == report.Requests || report.LongestGap > once) {
		return fmt.Errorf("the page says that the address moves once: %s", report)
	}
	return nil
}

// copyFile does what scp does in the page.
func (d *docLab) copyFile(ctx context.Context, from, path, to string) error {
	content, _, err := d.Exec(ctx, from, "cat", path)
	if err != nil {
		return err
	}
	return d.Run(ctx, to, lab.Command{Args: []string{"dd", "status=none", "of=" + path}, Stdin: strings.NewReader(content)})
}
