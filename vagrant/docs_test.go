//go:build vagrant

package vagrant

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/docrun"
)

// slower is how much more time a step of a page has here than in the laboratory, for which the page gives it.
const slower = 15

// documentation plays the commands of the pages that only a whole machine can run. install.md's are run each in the situation in which the
// page has them; of operations.md it is the sections in which they stand, with what a reader sees of them.
func (m *machines) documentation(t *testing.T, see func(string, ...any)) {
	d := &docMachines{machines: m, t: t, see: see, off: map[string]bool{}}
	install, err := docrun.Read("../docs/install.md")
	require.NoError(t, err)
	operations, err := docrun.Read("../docs/operations.md")
	require.NoError(t, err)
	m.trustEachOther(t)
	m.offerUpgrades(t, "lb-3", "haproxy", "corosync", "pacemaker")

	guests := func(page docrun.Page, section string) []docrun.Step {
		return slices.DeleteFunc(slices.Clone(page.Steps), func(s docrun.Step) bool { return s.Section != section || s.Place != docrun.Guest })
	}
	// An emulated processor reads the index of the whole archive for a minute and more, on each machine.
	const sources = "/etc/apt/sources.list"
	for _, node := range balancers {
		if m.emulated() {
			m.run(t, node, "cp -p "+sources+" /root/sources.list; sed -i '/ bookworm main/d' "+sources)
		}
	}
	d.play(guests(install, "Packages"))
	for _, node := range balancers {
		m.run(t, node, "test ! -e /root/sources.list || mv /root/sources.list "+sources)
	}

	d.play(guests(install, "The cluster"))
	key := m.run(t, "lb-1", "sha256sum </etc/corosync/authkey")
	for _, at := range []string{"/root/authkey", "/etc/corosync/authkey"} {
		require.Equal(t, key, m.run(t, "lb-2", "sha256sum <"+at), at)
	}
	m.run(t, "lb-2", "rm /root/authkey; chmod 0400 /etc/corosync/authkey")

	m.sendBackTo(t, "lb-2")
	boot := m.bootID(t, "lb-2")
	m.run(t, "lb-2", "sync") // what apt-get has just written is needed again
	d.play(guests(install, "Try it before you need it"))
	see("the kernel of lb-2 reset by sysrq: the address moved to %s", m.moved(t, "lb-2"))
	m.rebooted(t, "lb-2", boot)
	m.everywhere(t)

	deb := os.Getenv("HAWSER_VAGRANT_UPGRADE")
	require.NotEmpty(t, deb, "HAWSER_VAGRANT_UPGRADE names the package of a later version: make vagrant-test builds it")
	before := map[string]string{}
	for _, node := range balancers {
		m.copyTo(t, node, deb, "/root/"+filepath.Base(deb))
		before[node] = m.mustPID(t, node)
	}
	old := m.run(t, "lb-1", "hawser --version")
	require.NoError(t, d.Do(t.Context(), []string{"visitors", "come"}))
	d.play(section(operations, "Upgrading")) // ends with the visitors' report
	m.everywhere(t)
	for _, node := range balancers {
		if node == "lb-3" {
			require.NotEqual(t, before[node], m.mustPID(t, node), "the standby for Pacemaker's upgrade stops HAProxy there")
			continue
		}
		require.Equal(t, before[node], m.mustPID(t, node), "neither a new package nor a reload restarts HAProxy")
	}
	later := m.run(t, "lb-3", `dpkg-query -W -f '${Package} ${Version} ' haproxy corosync pacemaker`)
	require.Equal(t, 3, strings.Count(later, "+later1"), later)
	see("from %s to %s; lb-3 runs %s", old, m.run(t, "lb-1", "hawser --version"), later)
	m.crash(t, see)

	m.run(t, "lb-1", "install -d -m 0700 /etc/haproxy/certs && touch /etc/haproxy/certs/www.pem") // which an earlier section made
	d.play(section(operations, "Replacing a balancer"))
	d.play(section(operations, "Adding a balancer"))
	m.everywhere(t)
	require.Contains(t, m.run(t, "lb-1", "corosync-quorumtool -s || true"), "Expected votes:   3")
	// Corosync's times, which setup-balancer wrote for a real processor.
	m.write(t, "lb-2", "/etc/corosync/corosync.conf", []byte(m.run(t, "lb-1", "cat /etc/corosync/corosync.conf")+"\n"))
	m.run(t, "lb-2", "corosync-cfgtool -R")

	for _, page := range []docrun.Page{install, operations} {
		for _, s := range page.Steps {
			if s.Place == docrun.Guest {
				require.Contains(t, d.played, s.At(), "a command that says in=guest and stands where nothing here plays it: %s", s.Text)
			}
		}
	}
}

// section is what a reader of it sees, and what is done to the machines.
func section(page docrun.Page, name string) []docrun.Step {
	return slices.DeleteFunc(slices.Clone(page.Steps), func(s docrun.Step) bool {
		return s.Section != name || s.Hidden && s.Kind != docrun.Action
	})
}

// docMachines are the virtual machines as a page's.
type docMachines struct {
	*machines
	t        *testing.T
	see      func(string, ...any)
	off      map[string]bool
	visitors *visitors
	played   []string
}

func (d *docMachines) play(steps []docrun.Step) {
	d.t.Helper()
	require.NotEmpty(d.t, steps, "the page has no such section")
	for _, s := range steps {
		s.Within *= slower
		require.NoError(d.t, docrun.Play(d.t.Context(), d, s))
		d.played = append(d.played, s.At())
		if s.Place == docrun.Guest {
			d.see("%s on %s: `%s`", strings.TrimPrefix(s.At(), "../"), s.On, strings.ReplaceAll(strings.ReplaceAll(s.Text, "\\\n", ""), "\n", "`, `"))
		}
	}
}

func (d *docMachines) up() []string {
	return slices.DeleteFunc(slices.Clone(balancers), func(n string) bool { return d.off[n] })
}

func (d *docMachines) Names(_ context.Context, on string) ([]string, error) {
	switch on {
	case "each":
		return d.up(), nil
	case "holder":
		holder, err := d.holder(d.up()...)
		return []string{holder}, err
	case "client":
		return []string{client}, nil
	}
	if !slices.Contains(balancers, on) {
		return nil, fmt.Errorf("no machine and no role is %q", on)
	}
	return []string{on}, nil
}

func (d *docMachines) Bash(ctx context.Context, node, script, input string, terminal bool) (string, int, error) {
	limit, resets := commandLimit, strings.Contains(script, "/proc/sysrq-trigger")
	if resets {
		limit = 5 * time.Second // nobody is left to end the connection
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	run := "exec bash -c " + quoted(script)
	if terminal {
		run = "export DOCRUN=" + quoted(script) + `; exec script --quiet --return --command 'bash -c "$DOCRUN"' /dev/null`
	}
	cmd := d.ssh(ctx, node, "cd /root; export HOME=/root NO_COLOR=1 TERM=dumb DEBIAN_FRONTEND=noninteractive; exec 2>&1; "+run)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = strings.NewReader(input), &out, &out, 5*time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out.String(), 0, nil
	case resets:
		d.forget(node)
		return out.String(), 0, nil
	case ctx.Err() != nil:
		return out.String(), 0, fmt.Errorf("not ended after %s: %w", limit, err)
	case errors.As(err, &exit) && exit.ExitCode() != 255: // ssh(1)'s own
		return out.String(), exit.ExitCode(), nil
	}
	return out.String(), 0, err
}

func (d *docMachines) Do(ctx context.Context, words []string) error {
	switch what, args := words[0], words[1:]; {
	case what == "kill" && len(args) == 1:
		d.cut(d.t, args[0])
		d.off[args[0]] = true
	case what == "boot" && len(args) == 1:
		d.power(d.t, args[0])
		delete(d.off, args[0])
	case what == "wait" && len(args) == 0:
		d.online(d.t)
	case what == "copy" && len(args) == 3: // what scp did, and is done again where there is none
		content, err := d.try(args[0], "cat "+quoted(args[1]))
		if err != nil {
			return err
		}
		d.write(d.t, args[2], args[1], []byte(content+"\n"))
	case what == "visitors" && len(args) == 1:
		return d.visit(args[0])
	default:
		return fmt.Errorf("no action of the machines is %q", words)
	}
	return ctx.Err()
}

// visit lets them come, or leave, none of them turned away if they have to be served.
func (d *docMachines) visit(what string) error {
	if what == "come" {
		d.visitors = d.machines.visit(d.t)
		return nil
	}
	if d.visitors == nil {
		return errors.New("nobody has come")
	}
	report := d.visitors.leave(d.t)
	d.visitors = nil
	d.see("visitors meanwhile: %s", report)
	if what == "served" && (report.Failed > 0 || report.Requests == 0) {
		return fmt.Errorf("the page says that no visitor notices: %s", report)
	}
	return nil
}

// trustEachOther lets root of each balancer log in on the others, as an operator's does.
func (m *machines) trustEachOther(t *testing.T) {
	t.Helper()
	var keys, hosts strings.Builder
	for _, node := range balancers {
		keys.WriteString(m.run(t, node, `test -e /root/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519 </dev/null; cat /root/.ssh/id_ed25519.pub`) + "\n")
		hosts.WriteString(m.address(t, node) + " " + m.run(t, node, "cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub") + "\n")
	}
	for _, node := range balancers {
		m.write(t, node, "/root/.ssh/authorized_keys", []byte(keys.String()))
		m.write(t, node, "/root/.ssh/known_hosts", []byte(hosts.String()))
	}
}

// offerUpgrades gives a machine's apt a later version of what it has installed: the same files and the same maintainer scripts under a
// higher number, so that an upgrade does all that one does, whether or not the machine reaches Debian's archive.
func (m *machines) offerUpgrades(t *testing.T, node string, packages ...string) {
	t.Helper()
	m.run(t, node, `set -eu
rm -rf /root/later; mkdir /root/later; cd /root/later
for p in `+strings.Join(packages, " ")+`; do
	mkdir -p $p/DEBIAN
	dpkg-query --listfiles $p | while read -r f; do
		if [ -d "$f" ]; then mkdir -p "$p$f"; elif [ -e "$f" ] || [ -L "$f" ]; then mkdir -p "$p${f%/*}"; cp -a "$f" "$p$f"; fi
	done
	for f in /var/lib/dpkg/info/$p.*; do
		case ${f##*.} in preinst|postinst|prerm|postrm|conffiles|triggers|shlibs|templates|config) cp -a $f $p/DEBIAN/${f##*.};; esac
	done
	dpkg-query --status $p | sed -e '/^Status:/d' -e '/^Conffiles:/,/^[^ ]/{/^Conffiles:/d;/^ /d}' -e 's/^Version: .*/&+later1/' >$p/DEBIAN/control
	dpkg-deb --root-owner-group -Znone --build $p $p.deb >/dev/null
	{ dpkg-deb --field $p.deb; echo "Filename: ./$p.deb"; echo "Size: $(stat -c %s $p.deb)"; echo "SHA256: $(sha256sum <$p.deb | cut -d ' ' -f 1)"; echo; } >>Packages
	rm -rf $p
done
echo 'deb [trusted=yes] copy:/root/later ./' >/etc/apt/sources.list.d/later.list
`)
}
